// A wired machine through the whole program: module in, states, parts and gaps out, whatever happens on the way.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { ScriptedDevice } from "../ingest/sources/modbus/scripted-device.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

const RULES = [
  { signal: "di0", is: "execution", words: { "0": "READY", "1": "ACTIVE" } },
  { signal: "di1", is: "condition:fault", words: { "0": "NORMAL", "1": "FAULT" } },
  { signal: "counter0", is: "part_count" },
];
const ROUND = 2 ** 32;

let server: TestServer;
let module: ScriptedDevice;
let made: string;
const began = new Date(Date.now() - 1_000).toISOString();

beforeAll(async () => {
  [server, module] = await Promise.all([startServer(), ScriptedDevice.start()]);
  count(ROUND - 6);
  const source = { kind: "modbus", host: "127.0.0.1", port: module.port, map: "adam-6050", poll_ms: 50 };
  const press = { id: "press", name: "Press", source, rules: RULES };
  made = (await server.call<{ created: string }>("POST", "/api/v1/machines", press)).body.created;
});
afterAll(async () => {
  await discard(server);
  await module.stop();
});

/** Both words at once, as a module has them. */
function count(parts: number): void {
  module.registers.splice(0, 2, parts % 65_536, Math.floor(parts / 65_536) % 65_536);
}

const ahead = (): string => new Date(Date.now() + 1_000).toISOString();
type Rows<Row> = { rows: Row[] };
async function rows<Row>(path: string, more = ""): Promise<Row[]> {
  await server.settled();
  const { body } = await server.call<Rows<Row>>("GET", `${path}?from=${began}&to=${ahead()}${more}`);
  return body.rows;
}
const states = () =>
  rows<{ state: string }>("/api/v1/machines/press/states").then((all) => all.map((s) => s.state));
/** Without the one that every wired machine begins with: from when it was made until it was first read. */
const gaps = async () => {
  const all = await rows<{ from: string; to: string | null; cause: string }>("/api/v1/machines/press/gaps");
  expect(Date.parse(all[0]?.from ?? "")).toBe(Date.parse(made));
  expect(all[0]?.cause).toBe("unreachable");
  return all.slice(1);
};
const parts = async (): Promise<number> => {
  const [total] = await rows<{ total_count: number }>("/api/v1/machines/press/oee", "&by=total");
  return total?.total_count ?? -1;
};
const state = (wanted: string) => until(async () => (await states()).at(-1) === wanted);
const counted = (wanted: number) => until(async () => (await parts()) === wanted);

test("inputs are states, and a counter that goes round counts on", async () => {
  await state("IDLE");
  module.coils[0] = true;
  await state("RUNNING");
  count(ROUND - 1);
  await counted(5);
  count(4);
  await counted(10);
  module.coils[0] = false;
  module.coils[1] = true;
  await state("DOWN");
  expect(await gaps()).toEqual([]);
});

test("invariant 4: a module without power is a gap; its counter starts anew, and what it counts counts", async () => {
  await module.off();
  await state("UNKNOWN");
  module.coils.fill(false);
  count(0);
  await module.on();
  await state("IDLE");
  count(3);
  await counted(13);
  const [gap, ...more] = await gaps();
  expect(more).toEqual([]);
  expect(gap).toMatchObject({ cause: "unreachable" });
  expect(Date.parse(gap?.to ?? "")).toBeGreaterThan(Date.parse(gap?.from ?? ""));
});

test("invariants 2 and 4: a killed program knows what it does not know, and counts nothing twice", async () => {
  module.coils[0] = true;
  await state("RUNNING");
  const before = await gaps();
  const { data_dir } = server;
  await server.kill();
  const killed_ms = Date.now();
  count(7);
  server = await startServer({}, data_dir);
  await counted(17);
  await state("RUNNING");
  const [, gap, ...more] = await gaps();
  expect(before).toHaveLength(1);
  expect(more).toEqual([]);
  expect(Date.parse(gap?.from ?? "")).toBeLessThanOrEqual(killed_ms);
  expect(Date.parse(gap?.to ?? "")).toBeGreaterThan(killed_ms);
  const found = await states();
  expect(found.slice(-3)).toEqual(["RUNNING", "UNKNOWN", "RUNNING"]);
});

test("how punctual the polls are is measured, how the machine's source is doing is told", async () => {
  const { body: metrics } = await server.call<string>("GET", "/metrics");
  const source = `source="127.0.0.1:${module.port}"`;
  for (const name of ["mtc_modbus_poll_jitter_seconds_count", "mtc_modbus_poll_seconds_count"]) {
    const [, polls] = new RegExp(`^${name}\\{${source}\\} (\\d+)$`, "m").exec(metrics) ?? [];
    expect(Number(polls)).toBeGreaterThan(3);
  }
  expect(metrics).toContain(`mtc_modbus_poll_overruns_total{${source}}`);
  const name = `modbus://127.0.0.1:${module.port}/1`;
  const { body } = await server.call<{ sources: unknown[] }>("GET", "/readyz");
  expect(body.sources).toMatchObject([{ name, state: "polling" }]);
  module.fault = ({ fc }) => (fc === 3 ? 2 : undefined);
  await until(async () => {
    const answer = await server.call<{ sources: { error: string }[] }>("GET", "/readyz");
    return answer.body.sources[0]?.error.includes("refused") || undefined;
  });
  // The inputs are still read, and parts that cannot be read are not made up.
  module.coils[0] = false;
  await state("IDLE");
  expect(await parts()).toBe(17);
});
