// What real agents have besides plain values: sets, tables, series, assets, JSON and errors, read by our own strict readers.
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { readAssets } from "../mtconnect/asset-document.ts";
import { readDocument, readStreams } from "../mtconnect/document.ts";
import type { Detail, StreamItems } from "../mtconnect/items.ts";
import { type AgentOptions, type SimulatedAgent, startAgent } from "./agent.ts";
import type { DataItemModel, DeviceModel } from "./model.ts";
import { startDemoPlant } from "./plant.ts";
import { text } from "./testing.ts";

const item = (id: string, category: DataItemModel["category"], type: string, representation?: string) => ({
  id,
  category,
  type,
  ...(representation && { attributes: { representation } }),
});
const MILL: DeviceModel = {
  element: "Device",
  id: "mill",
  name: "Mill",
  uuid: "mill-uuid",
  items: [
    item("vars", "EVENT", "VARIABLE", "DATA_SET"),
    item("offsets", "EVENT", "TOOL_OFFSET", "TABLE"),
    item("load", "SAMPLE", "LOAD", "TIME_SERIES"),
    item("count", "EVENT", "PART_COUNT"),
    item("sys", "CONDITION", "SYSTEM"),
    item("block", "EVENT", "BLOCK", "DISCRETE"),
  ],
  components: [],
};
const TS_US = Date.UTC(2026, 0, 12, 7) * 1000;
const TS = "2026-01-12T07:00:00.000000Z";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
function start(options: Partial<AgentOptions> = {}): SimulatedAgent {
  const agent = startAgent({ devices: [MILL], dialect: "2.x", instance_id: 7, ...options });
  running.push(agent);
  return agent;
}
const bytes = (document: string) => new TextEncoder().encode(document);
const asked = async (url: string, accept: string) => {
  const response = await fetch(url, { headers: { accept } });
  return { type: response.headers.get("content-type"), status: response.status, text: await response.text() };
};

/** Rows of a device as [data item, value, detail], in the order of the document. */
function rowsOf(document: string, device = "Mill"): [string, number | string, Detail | undefined][] {
  const streams = readStreams(bytes(document));
  if (streams.kind !== "streams") throw new Error(document);
  const items = streams.devices.find(({ name }) => name === device)?.items as StreamItems;
  return Array.from({ length: items.length }, (_, i) => {
    const num = items.num[i] as number;
    const word = items.words[(items.word[i] as number) - 1] ?? "";
    return [items.ids[items.id[i] as number] as string, Number.isNaN(num) ? word : num, items.details.get(i)];
  });
}

test("a data set: changes in /sample, everything in /current, removed entries, resets; agents do not repeat themselves", async () => {
  const agent = start();
  const from = agent.next_sequence;
  const add = (value: Parameters<SimulatedAgent["add"]>[3]) => agent.add("mill-uuid", "vars", TS_US, value);
  add({ entries: { a: 1, b: "two" } });
  add({ entries: { a: 1, c: 3 } });
  add({ entries: { a: 1 } });
  add({ entries: { b: null } });
  const told = await text(`${agent.url}/sample?from=${from}`);
  expect(told.match(/<VariableDataSet.*/g)).toEqual([
    `<VariableDataSet dataItemId="vars" timestamp="${TS}" sequence="${from}" count="2"><Entry key="a">1</Entry><Entry key="b">two</Entry></VariableDataSet>`,
    `<VariableDataSet dataItemId="vars" timestamp="${TS}" sequence="${from + 1}" count="1"><Entry key="c">3</Entry></VariableDataSet>`,
    `<VariableDataSet dataItemId="vars" timestamp="${TS}" sequence="${from + 2}" count="1"><Entry key="b" removed="true"/></VariableDataSet>`,
  ]);
  const current = async () => rowsOf(await text(`${agent.url}/current`)).find(([id]) => id === "vars")?.[2];
  expect((await current())?.entries).toEqual([
    { key: "a", value: "1" },
    { key: "c", value: "3" },
  ]);
  add({ entries: { z: 9 }, reset: "MANUAL" });
  expect(await current()).toMatchObject({ reset_triggered: "MANUAL", entries: [{ key: "z", value: "9" }] });
  agent.setUnavailable("mill-uuid", TS_US);
  expect(rowsOf(await text(`${agent.url}/current`)).find(([id]) => id === "vars")?.[1]).toBe("UNAVAILABLE");
});

test("tables, time series, resets and several codes of one condition are read as they were told", async () => {
  const agent = start();
  const add = (id: string, value: Parameters<SimulatedAgent["add"]>[3]) =>
    agent.add("mill-uuid", id, TS_US, value);
  add("offsets", { entries: { T1: { LENGTH: 95.5, RADIUS: 3 } } });
  add("load", { samples: [1, 2.5, 3], sample_rate_hz: 10 });
  add("count", { value: 0, reset: "DAY" });
  add("block", "N10 G1 X5 & <Y>");
  add("sys", { level: "Fault", native_code: "52", native_severity: "90", text: "SERVO" });
  add("sys", { level: "Warning", native_code: "130", qualifier: "HIGH", text: "LOAD" });
  const current = await text(`${agent.url}/current`);
  expect(current).toMatch(/<LoadTimeSeries [^>]*sampleCount="3" sampleRate="10">1 2.5 3<\/LoadTimeSeries>/);
  expect(current).toContain(">N10 G1 X5 &amp; &lt;Y&gt;</BlockDiscrete>");
  const rows = rowsOf(current);
  const of = (id: string) => rows.filter((row) => row[0] === id);
  const cells = [
    { key: "LENGTH", value: "95.5" },
    { key: "RADIUS", value: "3" },
  ];
  expect(of("offsets")[0]?.[2]?.entries).toEqual([{ key: "T1", value: cells }]);
  expect(of("load")[0]?.[1]).toBe("1 2.5 3");
  expect(of("load")[0]?.[2]?.sample_rate_hz).toBe(10);
  expect(of("count")[0]?.slice(1)).toEqual(["0", { reset_triggered: "DAY" }]);
  expect(of("sys").map(([, , detail]) => detail?.condition)).toMatchObject([
    { level: "FAULT", native_code: "52", native_severity: "90", text: "SERVO" },
    { level: "WARNING", native_code: "130", qualifier: "HIGH" },
  ]);
});

test("assets: told of when they change and go, held as removed, asked for by id, type, device and count", async () => {
  const agent = start();
  const put = (asset_id: string, body: string, type = "CuttingTool") =>
    agent.putAsset("mill-uuid", { asset_id, type, timestamp_us: TS_US, attributes: { toolId: "T1" }, body });
  const life = (used: number) => `<CuttingToolLifeCycle><ToolLife>${used}</ToolLife></CuttingToolLifeCycle>`;
  put("t.1", life(0));
  put("t.2", life(5));
  put("t.1", life(20));
  put("f.1", "", "File");
  agent.removeAsset("f.1", TS_US);
  const assets = async (path: string) => readAssets(bytes(await text(`${agent.url}${path}`))) ?? [];
  expect((await assets("/assets")).map(({ asset_id }) => asset_id)).toEqual(["t.1", "t.2"]);
  expect((await assets("/assets?removed=true&type=File")).map(({ removed }) => removed)).toEqual([true]);
  expect((await assets("/assets?count=1")).length).toBe(1);
  expect((await assets("/Mill/assets")).length).toBe(2);
  expect((await assets("/asset/t.2;t.1")).map(({ asset_id }) => asset_id)).toEqual(["t.2", "t.1"]);
  expect(await assets("/asset/t.1")).toMatchObject([
    { type: "CuttingTool", ts_us: TS_US, device_uuid: "mill-uuid", removed: false },
  ]);
  expect(await text(`${agent.url}/probe`)).toContain('assetBufferSize="1024" assetCount="2"');
  const current = await text(`${agent.url}/current`);
  expect(current).toMatch(/<AssetChanged [^>]*assetType="">UNAVAILABLE</);
  expect(current).toMatch(/<AssetRemoved [^>]*assetType="File">f.1</);
  expect(current).toMatch(/<AssetCountDataSet [^>]*><Entry key="CuttingTool">2<\/Entry><Entry key="File">0</);
  expect((await fetch(`${agent.url}/asset/none`)).status).toBe(404);
  await agent.restart();
  expect(await assets("/assets")).toEqual([]);
});

test("JSON of both versions says what XML says; 1.4 knows XML only", async () => {
  for (const json_version of [1, 2] as const) {
    const agent = start({ json_version });
    agent.add("mill-uuid", "vars", TS_US, { entries: { a: 1, b: "two" } });
    agent.add("mill-uuid", "load", TS_US, { samples: [1, 2.5], sample_rate_hz: 10 });
    agent.add("mill-uuid", "sys", TS_US, { level: "Fault", native_code: "52" });
    for (const accept of ["application/json", "application/mtconnect+json, */*"]) {
      const json = await asked(`${agent.url}/current`, accept);
      expect(json.type).toBe("application/mtconnect+json");
      const { MTConnectStreams: document } = JSON.parse(json.text);
      expect(document.jsonVersion).toBe(json_version);
      expect(document.schemaVersion).toBe("2.0");
      expect(document.Header.instanceId).toBe(7);
      expect(Array.isArray(document.Streams)).toBe(json_version === 1);
      expect(rowsOf(json.text).sort()).toEqual(rowsOf(await text(`${agent.url}/current`)).sort());
    }
    const probe = await asked(`${agent.url}/probe`, "application/json");
    expect(readDocument(bytes(probe.text))).toMatchObject({ kind: "devices", listed: 2 });
    const missing = await asked(`${agent.url}/asset/none`, "application/json");
    expect([missing.status, readDocument(bytes(missing.text)).kind]).toEqual([404, "error"]);
    expect((await asked(`${agent.url}/current`, "text/xml, application/json")).type).toBe("text/xml");
  }
  expect((await asked(`${start({ dialect: "1.4" }).url}/current`, "application/json")).type).toBe("text/xml");
});

test("errors in the shape of their schema: 1.0, up to 2.5, and from 2.6 on with what was asked", async () => {
  const shapes = [
    ["1.0", /<\/?Header[^>]*>\n {2}<Error errorCode="OUT_OF_RANGE">/],
    ["2.0", /<Errors>\n {4}<Error errorCode="OUT_OF_RANGE">'from' must be less/],
    [
      "2.6",
      /<OutOfRange errorCode="OUT_OF_RANGE">\s*<URI>\S+<\/URI>\s*<ErrorMessage>[^<]+<\/ErrorMessage>\s*<QueryParameter name="from">\s*<Value>999<\/Value>\s*<Minimum>1<\/Minimum>\s*<Maximum>\d+<\/Maximum>/,
    ],
  ] as const;
  for (const [schema, shape] of shapes) {
    const agent = start({ schema });
    const error = await text(`${agent.url}/sample?from=999`);
    expect(error).toMatch(shape);
    expect(readDocument(bytes(error))).toMatchObject({ kind: "error", errors: [{ code: "OUT_OF_RANGE" }] });
  }
});

test("the demo has all of it, and every document of its is well-formed", async () => {
  const plant = await startDemoPlant({ now: Date.parse("2026-01-12T10:00:00Z"), days: 1, seed: "rich" });
  running.push(plant);
  const sample = await text(`${plant.agentUrl}/sample?count=100000`);
  for (const element of [
    "VariableDataSet",
    "ToolOffsetTable",
    "LoadTimeSeries",
    "Block",
    "Message",
    "AssetChanged",
  ])
    expect(sample).toContain(`<${element} `);
  expect(sample).toContain('resetTriggered="DAY"');
  expect(readStreams(bytes(sample)).kind).toBe("streams");
  const probe = readDocument(bytes(await text(`${plant.agentUrl}/probe`)));
  expect(probe).toMatchObject({ kind: "devices", listed: 5 });
  const assets = readAssets(bytes(await text(`${plant.agentUrl}/assets`))) ?? [];
  expect(new Set(assets.map(({ device_uuid }) => device_uuid)).size).toBe(4);
});

const xmllint = Bun.which("xmllint");
if (!xmllint) console.warn("skipped: xmllint (Debian's libxml2-utils) is absent");
test.skipIf(!xmllint)("libxml finds every kind of document well-formed", async () => {
  const plant = await startDemoPlant({ now: Date.parse("2026-01-12T10:00:00Z"), days: 0.2, seed: "rich" });
  running.push(plant);
  const dir = mkdtempSync(`${tmpdir()}/mtc-xml-`);
  for (const path of ["probe", "current", "sample?count=5000", "assets", "sample?from=x"]) {
    const file = `${dir}/document.xml`;
    writeFileSync(file, await text(`${plant.agentUrl}/${path}`));
    const lint = Bun.spawnSync([xmllint ?? "", "--nonet", "--noout", file]);
    expect([path, lint.exitCode, lint.stderr.toString()]).toEqual([path, 0, ""]);
  }
  rmSync(dir, { recursive: true, force: true });
  expect(existsSync(dir)).toBe(false);
});
