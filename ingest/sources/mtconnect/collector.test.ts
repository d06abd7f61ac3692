// The collector against a real HTTP agent (SPEC 5.3 and 5.4): first contact, resuming, restarts, losses, silence.
import { afterEach, expect, test } from "bun:test";
import { pace, until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import type { Collector } from "../source.ts";
import { type AgentCollectorOptions, startAgentCollector } from "./collector.ts";
import { ScriptedAgent } from "./scripted-agent.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

const MACHINES = [{ machine_id: "lathe", device: "uuid-1" }];

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
    machines: MACHINES,
    sink,
    heartbeat_ms: 300,
    interval_ms: 5,
    poll_ms: 20,
    backoff: { first_ms: 10, max_ms: 50 },
    ...options,
  });
  running.push(collector);
  return collector;
}

const streaming = (collector: Collector) => until(() => collector.status().state === "streaming");
const seqs = (sink: MemorySink) => sink.rows.map(({ seq }) => seq).sort((a, b) => a - b);
const execution = (sink: MemorySink) => sink.values("lathe", "execution");

test("first contact takes what the buffer holds, and the values in force before it", async () => {
  const from = agent();
  from.capacity = 10;
  from.add("m1-exec", "READY", { ts: "2026-01-05T06:00:00.0000019Z" });
  for (let i = 0; i < 12; i++) from.add("m1-speed", String(i));
  const sink = new MemorySink();
  collect(from, sink);
  await until(() => sink.values("lathe", "spindle_speed").includes(11));
  expect(execution(sink)).toEqual(["READY"]);
  const ready = sink.rows.find(({ value }) => value === "READY");
  expect(ready?.ts_us).toBe(Date.UTC(2026, 0, 5, 6) * 1_000 + 1);
  expect(sink.values("lathe", "spindle_speed")).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(sink.gaps.size).toBe(0);
});

test("what follows streams in, heartbeats keep contact, sequences come once and in order", async () => {
  const from = agent();
  from.counts_crlf = false;
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  for (let i = 0; i < 200; i++) {
    from.add(i % 2 ? "m1-speed" : "m1-exec", i % 2 ? String(i) : "ACTIVE");
    if (i % 20 === 0) await pace(7);
  }
  await until(() => sink.values("lathe", "spindle_speed").includes(199));
  expect(sink.values("lathe", "spindle_speed").filter((v) => typeof v === "number")).toHaveLength(100);
  expect(new Set(seqs(sink)).size).toBe(sink.rows.length);
  // Twice a heartbeat without one is silence.
  const heard = from.heartbeats;
  await until(() => from.heartbeats >= heard + 3);
  expect(collector.status().state).toBe("streaming");
  expect(sink.gaps.size).toBe(0);
  expect(from.requests.filter((r) => r.includes("interval"))).toHaveLength(1);
});

test("invariant 2: a broken stream resumes by sequence, nothing lost, nothing twice, no gap", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  from.add("m1-exec", "ACTIVE");
  await until(() => execution(sink).includes("ACTIVE"));
  from.breakStreams();
  from.add("m1-exec", "STOPPED");
  from.add("m1-exec", "READY");
  await until(() => execution(sink).includes("READY"));
  expect(execution(sink)).toEqual(["UNAVAILABLE", "ACTIVE", "STOPPED", "READY"]);
  expect(new Set(seqs(sink)).size).toBe(sink.rows.length);
  expect(sink.lost()).toEqual([]);
});

test("invariant 4: an unreachable agent opens a gap; what its buffer kept closes it empty", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  const began_us = Date.now() * 1_000;
  await streaming(collector);
  await from.stop();
  await until(() => collector.status().state === "unreachable" && sink.lost().length === 1);
  const [gap] = sink.lost();
  expect(gap).toMatchObject({ machine_id: "lathe", to_us: 0, cause: "unreachable" });
  // A header tells whole seconds.
  expect(gap?.from_us).toBeWithin(began_us - 1_000_000, Date.now() * 1_000);
  from.add("m1-exec", "ACTIVE");
  from.start();
  await until(() => execution(sink).includes("ACTIVE"));
  await until(() => sink.lost().length === 0);
  expect(sink.gaps.size).toBe(1);
});

test("a run that ended with an open gap: the next one closes it", async () => {
  const from = agent();
  const sink = new MemorySink();
  const first = collect(from, sink);
  await streaming(first);
  await from.stop();
  await until(() => sink.lost().length === 1);
  await first.stop();
  from.add("m1-exec", "ACTIVE");
  from.start();
  collect(from, sink);
  await until(() => execution(sink).includes("ACTIVE"));
  await until(() => sink.lost().length === 0);
});

test("a second run goes on from the checkpoint", async () => {
  const from = agent();
  const sink = new MemorySink();
  const first = collect(from, sink);
  await streaming(first);
  await first.stop();
  expect(sink.checkpoints.get(from.url)?.next_sequence).toBe(from.next_sequence);
  from.requests.length = 0;
  from.add("m1-exec", "ACTIVE");
  collect(from, sink);
  await until(() => execution(sink).includes("ACTIVE"));
  expect(from.requests.find((r) => r.includes("interval"))).toContain(`from=${from.next_sequence - 1}&`);
  expect(new Set(seqs(sink)).size).toBe(sink.rows.length);
  expect(sink.gaps.size).toBe(0);
});

test("invariant 4: a restarted agent is a gap from the last known time to its first observation", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  from.add("m1-exec", "ACTIVE");
  await until(() => execution(sink).includes("ACTIVE"));
  const known_us = sink.rows.find(({ value }) => value === "ACTIVE")?.ts_us ?? 0;
  await from.stop();
  const stopped_us = Date.now() * 1_000;
  await until(() => collector.status().state === "unreachable");
  const first_us = Date.now() * 1_000;
  from.restart();
  from.add("m1-exec", "READY");
  const last_us = Date.now() * 1_000;
  from.start();
  await until(() => execution(sink).includes("READY"));
  await until(() => sink.lost().length === 1);
  const [gap] = sink.lost();
  expect(gap).toMatchObject({ machine_id: "lathe", cause: "agent_restart" });
  expect(gap?.from_us).toBeWithin(known_us, stopped_us + 1);
  expect(gap?.to_us).toBeWithin(first_us, last_us + 1);
  expect(sink.rows.filter(({ value }) => value === "UNAVAILABLE").length).toBe(8);
});

test("a new instance that has the old sequence is still told by its instanceId", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  for (let i = 0; i < 5; i++) from.add("m1-exec", `A${i}`);
  await until(() => execution(sink).includes("A4"));
  await collector.stop();
  from.restart();
  for (let i = 0; i < 50; i++) from.add("m1-exec", `B${i}`);
  collect(from, sink);
  await until(() => execution(sink).includes("B49"));
  const values = sink.rows.filter((r) => r.signal === "execution").map((r) => r.value);
  expect(values.filter((v) => String(v).startsWith("B"))).toEqual(
    Array.from({ length: 50 }, (_, i) => `B${i}`),
  );
  expect(sink.lost()).toMatchObject([{ cause: "agent_restart" }]);
});

test("invariant 4: OUT_OF_RANGE in mid-stream is a gap up to the oldest observation still held", async () => {
  const from = agent();
  from.capacity = 20;
  const sink = new MemorySink();
  const collector = collect(from, sink, { interval_ms: 150, heartbeat_ms: 1_000 });
  await streaming(collector);
  from.add("m1-exec", "ACTIVE", { ts: "2026-01-05T06:00:00Z" });
  for (let i = 0; i < 100; i++) from.add("m1-speed", String(i));
  await until(() => sink.values("lathe", "spindle_speed").includes(99));
  expect(sink.values("lathe", "spindle_speed").filter((v) => typeof v === "number")).toEqual(
    Array.from({ length: 20 }, (_, i) => 80 + i),
  );
  // In force before the oldest observation held: re-read, with its own time.
  expect(execution(sink)).toEqual(["UNAVAILABLE", "ACTIVE"]);
  expect(sink.lost()).toMatchObject([{ machine_id: "lathe", cause: "sequence_gap" }]);
  from.add("m1-exec", "READY");
  await until(() => execution(sink).includes("READY"));
  expect(new Set(seqs(sink)).size).toBe(sink.rows.length);
});

test("invariant 7: a sink that waits holds back reading; what is meanwhile dropped becomes a gap, never a hole", async () => {
  const from = agent();
  from.capacity = 50;
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  const gate = Promise.withResolvers<void>();
  sink.before = () => gate.promise;
  let written = 0;
  for (; written < 400; written++) {
    from.add("m1-speed", String(written));
    if (written % 20 === 0) await pace(6);
  }
  expect(sink.values("lathe", "spindle_speed").length).toBeLessThan(10);
  gate.resolve();
  await until(() => sink.values("lathe", "spindle_speed").includes(399));
  const got = sink.values("lathe", "spindle_speed").filter((v) => typeof v === "number");
  expect(new Set(got).size).toBe(got.length);
  const holes = got.length < 400;
  expect(sink.lost().some(({ cause }) => cause === "overload")).toBe(holes);
  expect(sink.lost().every(({ cause }) => cause === "overload")).toBe(true);
});

test("a sink that fails is no loss of contact, and loses nothing", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  let failures = 3;
  sink.before = () => {
    if (failures-- > 0) throw new Error("disk full");
  };
  from.add("m1-exec", "ACTIVE");
  from.add("m1-exec", "READY");
  await until(() => execution(sink).includes("READY"));
  expect(execution(sink)).toEqual(["UNAVAILABLE", "ACTIVE", "READY"]);
  expect(sink.gaps.size).toBe(0);
});

test("silence for twice the heartbeat is loss of contact", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink, { heartbeat_ms: 100 });
  await streaming(collector);
  from.silent = true;
  await until(() => sink.lost().length === 1);
  expect(sink.lost()).toMatchObject([{ cause: "unreachable", to_us: 0 }]);
  expect([...sink.gaps.values()][0]?.detail).toContain("nothing heard for 200 ms");
  from.add("m1-exec", "ACTIVE");
  from.silent = false;
  await until(() => execution(sink).includes("ACTIVE"));
  await until(() => sink.lost().length === 0);
});

test("an agent that refuses interval is polled", async () => {
  const from = agent();
  from.refuses_interval = true;
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await until(() => collector.status().state === "polling");
  from.add("m1-exec", "ACTIVE");
  await until(() => execution(sink).includes("ACTIVE"));
  from.restart();
  from.add("m1-exec", "READY");
  await until(() => execution(sink).includes("READY"));
  expect(sink.lost().every(({ cause }) => cause === "agent_restart")).toBe(true);
});

test("several machines share one connection and one checkpoint; the Agent device is nobody's", async () => {
  const from = agent();
  const sink = new MemorySink();
  const machines = [...MACHINES, { machine_id: "mill", device: "M2" }];
  const collector = collect(from, sink, { machines });
  await streaming(collector);
  from.add("m1-exec", "ACTIVE");
  from.add("m2-exec", "READY");
  from.add("a-avail", "AVAILABLE");
  await until(() => sink.values("mill", "execution").includes("READY"));
  await until(() => execution(sink).includes("ACTIVE"));
  expect(sink.values("lathe", "availability")).toEqual(["UNAVAILABLE"]);
  expect(sink.values("mill", "availability")).toEqual(["UNAVAILABLE"]);
  expect(from.requests.filter((r) => r.includes("interval"))).toHaveLength(1);
  await from.stop();
  await until(() => sink.lost().length === 2);
});

test("a machine that joins later is given what the buffer holds; the others get nothing twice", async () => {
  const from = agent();
  const sink = new MemorySink();
  from.add("m2-exec", "READY");
  from.add("m1-sys", "Fault", { code: "7" });
  from.add("m1-sys", "Warning", { code: "8" });
  from.add("m1-sys", "Normal", { code: "7" });
  const first = collect(from, sink);
  await until(() => sink.values("lathe", "condition:m1-sys").length === 4);
  await first.stop();
  const before = sink.rows.length;
  collect(from, sink, { machines: [...MACHINES, { machine_id: "mill", device: "uuid-2" }] });
  await until(() => sink.values("mill", "execution").includes("READY"));
  expect(sink.rows.slice(before).every(({ machine_id }) => machine_id === "mill")).toBe(true);
  expect(sink.gaps.size).toBe(0);
});

test("without a device it is the agent's first, never the Agent itself", async () => {
  const from = agent();
  const sink = new MemorySink();
  await streaming(collect(from, sink, { machines: [{ machine_id: "only" }] }));
  expect(sink.values("only", "spindle_speed")).toEqual(["UNAVAILABLE"]);
  expect(from.requests.find((r) => r.includes("interval"))).toStartWith("/M1/sample");
});

test("an unknown device is told in the status", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink, { machines: [{ machine_id: "ghost", device: "nobody" }] });
  await until(() => collector.status().error !== "");
  expect(collector.status()).toMatchObject({
    state: "unreachable",
    error: "the agent has no device for ghost",
  });
});

test("conditions survive a reconnect: a cleared code leaves the others in force", async () => {
  const from = agent();
  const sink = new MemorySink();
  const collector = collect(from, sink);
  await streaming(collector);
  from.add("m1-sys", "Fault", { code: "7" });
  from.add("m1-sys", "Warning", { code: "8" });
  await until(() => sink.values("lathe", "condition:m1-sys").length === 3);
  await collector.stop();
  collect(from, sink);
  from.add("m1-sys", "Normal", { code: "7" });
  from.add("m1-sys", "Normal");
  await until(() => sink.values("lathe", "condition:m1-sys").length === 5);
  expect(sink.values("lathe", "condition:m1-sys")).toEqual([
    "UNAVAILABLE",
    "FAULT",
    "FAULT",
    "WARNING",
    "NORMAL",
  ]);
});

test("a long history arrives in pages, not one by one", async () => {
  const from = agent();
  from.capacity = 40_000;
  for (let i = 0; i < 40_000; i++) from.add("m1-speed", String(i));
  const sink = new MemorySink();
  collect(from, sink);
  await until(() => sink.values("lathe", "spindle_speed").includes(39_999));
  expect(sink.appends.filter(({ rows }) => rows > 0).length).toBeLessThan(10);
  expect(new Set(seqs(sink)).size).toBe(sink.rows.length);
});
