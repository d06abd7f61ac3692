// Assets through the collector: at first contact, when they change, when they go, and whatever the agent makes of it.
import { afterEach, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import type { Collector } from "../source.ts";
import { type AgentCollectorOptions, startAgentCollector } from "./collector.ts";
import { ScriptedAgent } from "./scripted-agent.ts";

const running: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

function agent(): ScriptedAgent {
  const made = new ScriptedAgent();
  running.push(made);
  return made;
}

function collect(
  from: ScriptedAgent,
  sink: MemorySink,
  options: Partial<AgentCollectorOptions> = {},
): Collector {
  const collector = startAgentCollector({
    url: from.url,
    machines: [{ machine_id: "lathe", device: "uuid-1" }],
    sink,
    heartbeat_ms: 500,
    interval_ms: 5,
    poll_ms: 10,
    backoff: { first_ms: 5, max_ms: 20 },
    ...options,
  });
  running.push(collector);
  return collector;
}

const streaming = (collector: Collector) => until(() => collector.status().state === "streaming");
const tool = (id: string, second: number, more = ""): string =>
  `<CuttingTool assetId="${id}" timestamp="2026-01-05T06:00:0${second}Z" deviceUuid="uuid-1" ${more}><Life>${second}</Life></CuttingTool>`;
const at_us = (second: number): number => Date.UTC(2026, 0, 5, 6, 0, second) * 1_000;
const told = (sink: MemorySink) =>
  sink.assetRecords.map(({ machine_id, asset: { asset_id, ts_us, removed } }) => [
    machine_id,
    asset_id,
    (ts_us - at_us(0)) / 1e6,
    removed,
  ]);

test("first contact takes every asset the agent holds, with its own document", async () => {
  const from = agent();
  from.assets.set("T1", tool("T1", 1));
  from.assets.set("T2", tool("T2", 2, 'removed="true"'));
  const sink = new MemorySink();
  collect(from, sink);
  await until(() => sink.assetRecords.length === 2);
  expect(told(sink)).toEqual([
    ["lathe", "T1", 1, false],
    ["lathe", "T2", 2, true],
  ]);
  expect(sink.assetRecords[0]?.asset).toMatchObject({
    type: "CuttingTool",
    document: tool("T1", 1),
    omitted_bytes: 0,
  });
});

test("a change is fetched by its id, in any format; what is removed is told so, known to the agent or not", async () => {
  for (const format of ["xml", "json1", "json2"] as const) {
    const from = agent();
    from.format = format;
    const sink = new MemorySink();
    await streaming(collect(from, sink));
    from.putAsset("T/1 ä", tool("T/1 ä", 1));
    await until(() => sink.assetRecords.length === 1);
    from.putAsset("T/1 ä", tool("T/1 ä", 3));
    await until(() => sink.assetRecords.length === 2);
    // Some agents leave the old time with what was removed; others forget it.
    from.assets.set("T/1 ä", tool("T/1 ä", 3, 'removed="true"'));
    from.add("m1-asset-rem", "T/1 ä", { ts: "2026-01-05T06:00:04Z" });
    await until(() => sink.assetRecords.length === 3);
    from.add("m1-asset-rem", "T9", { ts: "2026-01-05T06:00:05Z" });
    await until(() => sink.assetRecords.length === 4);
    expect(told(sink)).toEqual([
      ["lathe", "T/1 ä", 1, false],
      ["lathe", "T/1 ä", 3, false],
      ["lathe", "T/1 ä", 4, true],
      ["lathe", "T9", 5, true],
    ]);
    expect(sink.assetRecords[3]?.asset).toMatchObject({ type: "", document: "" });
  }
});

test("invariant 2: told again, by a new run or a second observation, an asset is stored once", async () => {
  const from = agent();
  from.assets.set("T1", tool("T1", 1));
  const sink = new MemorySink();
  const keys: string[] = [];
  const { assets } = sink;
  sink.assets = (records) => {
    keys.push(...records.map(({ dedupe_key }) => dedupe_key));
    return assets.call(sink, records);
  };
  const first = collect(from, sink);
  await streaming(first);
  await until(() => keys.length === 1);
  from.add("m1-asset-chg", "T1");
  await until(() => keys.length === 2);
  await first.stop();
  collect(from, sink);
  await until(() => keys.length === 3);
  expect(new Set(keys).size).toBe(1);
  expect(sink.assetRecords).toHaveLength(1);
});

test("a slow asset holds up nothing, and a stop does not wait for it", async () => {
  const from = agent();
  const gate = Promise.withResolvers<undefined>();
  from.instead = (path) => (path.startsWith("/asset") ? gate.promise : undefined);
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  from.putAsset("T1", tool("T1", 1));
  from.add("m1-exec", "ACTIVE");
  await until(() => sink.values("lathe", "execution").includes("ACTIVE"));
  expect(sink.assetRecords).toEqual([]);
  await collector.stop();
  gate.resolve(undefined);
});

test("failures are tried again with others first, and are no loss of contact", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  let failures = 3;
  const broken = [
    () => new Response("<html>", { status: 500 }),
    () => new Response("<MTConnectAssets><Assets><CuttingTool"),
    () => new Response(""),
  ];
  from.instead = (path) => (path.includes("T1") && failures > 0 ? broken[--failures]?.() : undefined);
  from.putAsset("T1", tool("T1", 1));
  from.putAsset("T2", tool("T2", 2));
  await until(() => sink.assetRecords.length === 2);
  expect(told(sink).map(([, id]) => id)).toEqual(["T2", "T1"]);
  expect(sink.gaps.size).toBe(0);
  expect(collector.status()).toMatchObject({ state: "streaming", error: "" });
});

test("a full disk is waited for", async () => {
  const from = agent();
  const sink = new MemorySink();
  const { assets } = sink;
  let failures = 2;
  sink.assets = async (records) => {
    if (failures-- > 0) throw new Error("disk full");
    await assets.call(sink, records);
  };
  from.assets.set("T1", tool("T1", 1));
  await streaming(collect(from, sink));
  await until(() => sink.assetRecords.length === 1);
  expect(sink.gaps.size).toBe(0);
});

test("an agent that knows no assets, or other paths, is asked no more often than it takes", async () => {
  const from = agent();
  from.instead = (path) => (path.startsWith("/asset") ? new Response("no", { status: 404 }) : undefined);
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  const asked = () => from.requests.filter((path) => path.startsWith("/asset")).length;
  await until(() => asked() === 8);
  // As many documents again, and with none of them a question.
  for (let i = 0; i < 8; i++) {
    from.add("m1-exec", `A${i}`);
    await until(() => sink.values("lathe", "execution").includes(`A${i}`));
  }
  expect(asked()).toBe(8);
  expect(collector.status()).toMatchObject({ state: "streaming", error: "" });
  const unsupported = `<MTConnectError><Header/><Errors><Error errorCode="UNSUPPORTED">no</Error></Errors></MTConnectError>`;
  const other = agent();
  other.instead = (path) => (path.startsWith("/asset/") ? new Response(unsupported) : undefined);
  await streaming(collect(other, sink));
  other.putAsset("T1", tool("T1", 1));
  await until(() => sink.assetRecords.length === 1);
});

test("invariant 7: over the bound the document is left out, and the event says so", async () => {
  const from = agent();
  const large = tool("T1", 1).replace("<Life>", `<Life>${"x".repeat(300_000)}`);
  from.assets.set("T1", large);
  const sink = new MemorySink();
  collect(from, sink);
  await until(() => sink.assetRecords.length === 1);
  expect(sink.assetRecords[0]?.asset).toMatchObject({ document: "", omitted_bytes: large.length });
});

test("invariant 7: a flood of changes is one question for all", async () => {
  const from = agent();
  from.capacity = 10_000;
  const sink = new MemorySink();
  await streaming(collect(from, sink));
  const gate = Promise.withResolvers<undefined>();
  from.instead = (path) => (path.startsWith("/asset") ? gate.promise : undefined);
  for (let i = 0; i < 1_500; i++) from.putAsset(`T${i}`, tool(`T${i}`, 1));
  from.add("m1-exec", "ACTIVE");
  await until(() => sink.values("lathe", "execution").includes("ACTIVE"));
  gate.resolve(undefined);
  await until(() => new Set(sink.assetRecords.map(({ asset }) => asset.asset_id)).size === 1_500);
  expect(from.requests.filter((path) => path.startsWith("/asset/")).length).toBeLessThan(1_000);
});

test("invariant 10: each machine has its own; an asset of no device is the only device's, or whose stream told of it", async () => {
  const machines = [
    { machine_id: "lathe", device: "uuid-1" },
    { machine_id: "mill", device: "uuid-2" },
  ];
  const from = agent();
  from.assets.set("T1", tool("T1", 1));
  from.assets.set("T2", tool("T2", 2).replace("uuid-1", "uuid-2"));
  from.assets.set("T3", tool("T3", 3).replace("uuid-1", "uuid-9"));
  from.assets.set("T4", tool("T4", 4).replace("uuid-1", ""));
  const sink = new MemorySink();
  const collector = collect(from, sink, { machines });
  await streaming(collector);
  await until(() => sink.assetRecords.length === 2);
  from.putAsset("T4", tool("T4", 5).replace("uuid-1", ""));
  await until(() => sink.assetRecords.length === 3);
  expect(told(sink)).toEqual([
    ["lathe", "T1", 1, false],
    ["mill", "T2", 2, false],
    ["lathe", "T4", 5, false],
  ]);
  const alone = agent();
  alone.devices.delete("M2");
  alone.assets.set("T4", tool("T4", 4).replace("uuid-1", ""));
  const one = new MemorySink();
  collect(alone, one);
  await until(() => one.assetRecords.length === 1);
});
