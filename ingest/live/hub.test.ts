// The live hub: latest values, states, deltas, resuming.
import { expect, test } from "bun:test";
import { ColumnsBuilder } from "../columns.ts";
import { LiveHub, type Numbered } from "./hub.ts";
import { stateOf } from "./state.ts";

function columns(...rows: [signal: string, ts_us: number, seq: number, value: number | string][]) {
  const builder = new ColumnsBuilder();
  for (const row of rows) builder.add(...row);
  return builder.columns();
}

async function next(got: Numbered[], n: number): Promise<void> {
  const end = Date.now() + 2_000;
  while (got.length < n && Date.now() < end) await Bun.sleep(5);
}

test("a delta carries only what changed, coalesced, and a snapshot all of it", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  const stop = hub.watch((delta) => got.push(delta));
  hub.apply("m", columns(["execution", 1_000, 1, "ACTIVE"], ["spindle_speed", 1_000, 2, 10]));
  hub.apply("m", columns(["spindle_speed", 2_000, 3, 20]));
  await next(got, 1);
  expect(got).toHaveLength(1);
  expect(got[0]?.delta).toMatchObject({
    machine_id: "m",
    state: "RUNNING",
    since_us: 1_000,
    signals: { spindle_speed: { ts_us: 2_000, value: 20 }, execution: { ts_us: 1_000, value: "ACTIVE" } },
  });
  expect(hub.snapshot(["m", "unknown"]).machines).toMatchObject([{ state: "RUNNING" }, { state: "UNKNOWN" }]);
  stop();
  expect(hub.watchers).toBe(0);
});

test("invariant 3: a late value changes neither the latest nor the state", () => {
  const hub = new LiveHub();
  hub.apply("m", columns(["execution", 2_000, 5, "READY"]));
  hub.apply("m", columns(["execution", 1_000, 4, "ACTIVE"], ["execution", 2_000, 4, "ACTIVE"]));
  expect(hub.snapshot(["m"]).machines).toMatchObject([
    { state: "IDLE", since_us: 2_000, signals: { execution: { value: "READY" } } },
  ]);
});

test("invariant 3: a batch leaves the same as its observations one by one", () => {
  const names = ["spindle_speed", "feedrate", "execution", "condition:a"];
  const words = ["ACTIVE", "READY", "FAULT", "NORMAL"];
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 16_807) % 2_147_483_647) % below;
  for (let round = 0; round < 50; round++) {
    const rows = Array.from({ length: 30 }, () => {
      const name = names[random(names.length)] as string;
      const value = name.includes("e:") || random(4) === 0 ? random(100) : (words[random(4)] as string);
      return [name, 1_000 + random(12), random(3), value] as Parameters<typeof columns>[0];
    });
    const [whole, singly] = [new LiveHub(), new LiveHub()];
    whole.apply("m", columns(...rows));
    for (const row of rows) singly.apply("m", columns(row));
    const [a, b] = [whole, singly].map((hub) => ({ ...hub.snapshot(["m"]).machines[0], heard_ms: 0 }));
    expect(a).toEqual(b as typeof a);
  }
});

test("invariant 4: an unreachable source is UNKNOWN until it is heard again", () => {
  const hub = new LiveHub();
  hub.apply("m", columns(["execution", 1_000, 1, "ACTIVE"]));
  hub.source("m", "unreachable", 5);
  expect(hub.snapshot(["m"]).machines[0]?.state).toBe("UNKNOWN");
  hub.source("m", "streaming", 6);
  expect(hub.snapshot(["m"]).machines[0]?.state).toBe("RUNNING");
});

test("Last-Event-ID: the deltas since are given again; an id of another run gives none", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  hub.watch((delta) => got.push(delta));
  const before = hub.lastId;
  hub.apply("a", columns(["execution", 1_000, 1, "ACTIVE"]));
  hub.apply("b", columns(["execution", 1_000, 1, "READY"]));
  await next(got, 2);
  expect(hub.since(before)).toEqual(got);
  expect(hub.since(got[0]?.id ?? "")).toEqual(got.slice(1));
  expect(hub.since(hub.lastId)).toEqual([]);
  expect(hub.since("elsewhere-1")).toBeUndefined();
  expect(hub.since("nonsense")).toBeUndefined();
});

test("a restart: what was known is shown, and gives way to what is new", () => {
  const hub = new LiveHub();
  hub.apply("m", columns(["execution", 9_000, 3, "READY"]));
  const values = { execution: { ts_us: 5_000, value: "ACTIVE" }, spindle_speed: { ts_us: 5_000, value: 10 } };
  hub.seed("m", { values, state: "RUNNING", since_us: 4_000 });
  hub.seed("n", { values, state: "RUNNING", since_us: 4_000 });
  expect(hub.snapshot(["m", "n"]).machines).toMatchObject([
    {
      state: "IDLE",
      since_us: 9_000,
      signals: { spindle_speed: { value: 10 }, execution: { value: "READY" } },
    },
    { state: "RUNNING", since_us: 4_000 },
  ]);
});

test("the rules of the states, first match wins", () => {
  const state = (values: Record<string, string>, gap = false) =>
    stateOf(new Map(Object.entries(values)), gap);
  expect(state({})).toBe("UNKNOWN");
  expect(state({ availability: "AVAILABLE" })).toBe("UNKNOWN");
  expect(state({ execution: "ACTIVE" }, true)).toBe("UNKNOWN");
  expect(state({ availability: "UNAVAILABLE", emergency_stop: "TRIGGERED" })).toBe("UNKNOWN");
  expect(state({ execution: "UNAVAILABLE" })).toBe("UNKNOWN");
  expect(state({ execution: "UNAVAILABLE", "execution:p2": "ACTIVE" })).toBe("RUNNING");
  expect(state({ execution: "ACTIVE", emergency_stop: "TRIGGERED" })).toBe("DOWN");
  expect(state({ execution: "ACTIVE", controller_mode: "SEMI_AUTOMATIC" })).toBe("RUNNING");
  expect(state({ execution: "ACTIVE", controller_mode: "MANUAL_DATA_INPUT" })).toBe("SETUP");
  expect(state({ execution: "ACTIVE", "condition:c1": "FAULT" })).toBe("RUNNING");
  expect(state({ execution: "STOPPED", "condition:c1": "FAULT", functional_mode: "SETUP" })).toBe("DOWN");
  expect(state({ execution: "READY", functional_mode: "MAINTENANCE" })).toBe("SETUP");
  expect(state({ execution: "READY", "execution:p2": "FEED_HOLD" })).toBe("STOPPED");
  expect(state({ execution: "a word of tomorrow" })).toBe("STOPPED");
  expect(state({ execution: "PROGRAM_COMPLETED" })).toBe("IDLE");
});

test("a signal may have any name", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  hub.watch((delta) => got.push(delta));
  hub.apply("m", columns(["__proto__", 1_000, 1, 5], ["constructor", 1_000, 2, 6]));
  await next(got, 1);
  expect(Object.keys(got[0]?.delta.signals ?? {})).toEqual(["__proto__", "constructor"]);
});
