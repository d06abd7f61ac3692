// The live hub: latest values, states, deltas, resuming.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { stateOf } from "../../domain/state.ts";
import { ColumnsBuilder } from "../columns.ts";
import { LiveHub } from "./hub.ts";
import type { Numbered } from "./recent.ts";

function columns(...rows: [signal: string, ts_us: number, seq: number, value: number | string | null][]) {
  const builder = new ColumnsBuilder();
  for (const row of rows) builder.add(...row);
  return builder.columns();
}

/** Gathers what a hub tells. @returns the way to stop */
const gather = (hub: LiveHub, got: Numbered[]) =>
  hub.watch({ tick: (tick) => void got.push(...tick), end: () => {} });
const parsed = ({ json }: Numbered) => JSON.parse(json);

const next = (got: Numbered[], n: number) => until(() => got.length >= n);

test("a delta carries only what changed, coalesced, and a snapshot all of it", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  const stop = gather(hub, got);
  hub.apply("m", columns(["execution", 1_000, 1, "ACTIVE"], ["spindle_speed", 1_000, 2, 10]));
  hub.apply("m", columns(["spindle_speed", 2_000, 3, 20]));
  await next(got, 1);
  expect(got).toHaveLength(1);
  expect(got.map(parsed)[0]).toMatchObject({
    machine_id: "m",
    state: "RUNNING",
    since_us: 1_000,
    signals: { spindle_speed: { ts_us: 2_000, value: 20 }, execution: { ts_us: 1_000, value: "ACTIVE" } },
  });
  expect(hub.snapshot(["m", "unknown"]).machines).toMatchObject([{ state: "RUNNING" }, { state: "UNKNOWN" }]);
  stop();
  expect(hub.readers).toBe(0);
});

test("invariant 3: a late value changes neither the latest nor the state", () => {
  const hub = new LiveHub();
  hub.apply("m", columns(["execution", 2_000, 5, "READY"]));
  hub.apply("m", columns(["execution", 1_000, 4, "ACTIVE"], ["execution", 2_000, 4, "ACTIVE"]));
  expect(hub.snapshot(["m"]).machines).toMatchObject([
    { state: "IDLE", since_us: 2_000, signals: { execution: { value: "READY" } } },
  ]);
});

test("invariant 3: of one time and sequence the same value stays, whichever came first; a number goes by its text", () => {
  const cases: [signal: string, earlier: number | string, later: number | string][] = [
    ["execution", "ACTIVE", "READY"],
    ["part_count", 10, 9],
    ["part_count", 9, "UNAVAILABLE"],
    ["load", -0.5, 0.25],
    ["alarms:a", '[{"code":"SV0401"}]', "UNAVAILABLE"],
    ["alarms:a", '[{"code":"7","text":"b"}]', '[{"code":"8","text":"a"}]'],
    ["program", "\uFF21", "\u{1F600}"],
  ];
  for (const [signal, earlier, later] of cases) {
    for (const order of [
      [earlier, later],
      [later, earlier],
    ]) {
      const [whole, singly] = [new LiveHub(), new LiveHub()];
      const rows = order.map((value) => [signal, 1_000, 4, value] as Parameters<typeof columns>[0]);
      whole.apply("m", columns(...rows));
      for (const row of rows) singly.apply("m", columns(row));
      for (const hub of [whole, singly])
        expect(hub.snapshot(["m"]).machines[0]?.signals[signal]).toEqual({
          ts_us: 1_000,
          seq: 4,
          value: later,
        });
    }
  }
});

test("invariant 3: what another hub told, or what was known before a restart, goes by its sequence too", () => {
  const told = { machine_id: "m", signals: { execution: { ts_us: 1_000, seq: 7, value: "ACTIVE" } } };
  for (const tell of [
    (hub: LiveHub) => hub.merge(told),
    (hub: LiveHub) => hub.seed("m", { values: told.signals, state: "RUNNING", since_us: 1_000 }),
  ]) {
    const [after, before] = [new LiveHub(), new LiveHub()];
    for (const seq of [6, 8])
      after.apply("m", columns(["execution", 1_000, seq, seq === 6 ? "STOPPED" : "READY"]));
    tell(after);
    expect(after.snapshot(["m"]).machines).toMatchObject([
      { state: "IDLE", signals: { execution: { seq: 8 } } },
    ]);
    tell(before);
    before.apply("m", columns(["execution", 1_000, 6, "STOPPED"]));
    expect(before.snapshot(["m"]).machines).toMatchObject([
      { state: "RUNNING", signals: { execution: { seq: 7, value: "ACTIVE" } } },
    ]);
  }
});

test("the state goes by the text of a value, as the figures do", () => {
  const hub = new LiveHub();
  hub.apply("m", columns(["execution", 1_000, 1, "ACTIVE"], ["execution", 2_000, 2, 5]));
  expect(hub.snapshot(["m"]).machines).toMatchObject([{ state: "STOPPED", since_us: 2_000 }]);
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
    const [whole, singly, backwards] = [new LiveHub(), new LiveHub(), new LiveHub()];
    whole.apply("m", columns(...rows));
    for (const row of rows) singly.apply("m", columns(row));
    for (const row of rows.toReversed()) backwards.apply("m", columns(row));
    const [a, b, c] = [whole, singly, backwards].map((hub) => ({
      ...hub.snapshot(["m"]).machines[0],
      heard_ms: 0,
    }));
    expect(a).toEqual(b as typeof a);
    // Since when depends on what was known meanwhile.
    expect({ ...a, since_us: 0 }).toEqual({ ...c, since_us: 0 } as typeof a & { since_us: number });
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
  gather(hub, got);
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

test("the rules of the states, first match wins (SPEC 6.1)", () => {
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
  expect(state({ execution: "" })).toBe("UNKNOWN");
  expect(state({ execution: "", "execution:p2": "UNAVAILABLE" })).toBe("UNKNOWN");
  expect(state({ execution: "", "execution:p2": "READY" })).toBe("IDLE");
});

test("invariant 4: an empty value ends a word, live as in the figures; a number is its text (SPEC 6.1)", () => {
  const hub = new LiveHub();
  const state = () => hub.snapshot(["m"]).machines[0]?.state;
  hub.apply("m", columns(["execution", 1_000, 1, "ACTIVE"]));
  hub.apply("m", columns(["execution", 2_000, 2, null]));
  expect(state()).toBe("UNKNOWN");
  hub.apply("m", columns(["execution", 3_000, 3, 7]));
  expect(state()).toBe("STOPPED");
  hub.apply("m", columns(["execution", 4_000, 4, ""]));
  expect(state()).toBe("UNKNOWN");
  // Columns of an older log may carry both: the number is the value.
  const both = { signals: ["load"], signal: [0], t0: 5_000, dt: [0], num: [1.5], words: ["x"], word: [1] };
  hub.apply("m", both);
  expect(hub.snapshot(["m"]).machines[0]?.signals.load?.value).toBe(1.5);
});

test("a signal may have any name", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  gather(hub, got);
  hub.apply("m", columns(["__proto__", 1_000, 1, 5], ["constructor", 1_000, 2, 6]));
  await next(got, 1);
  expect(Object.keys(got.map(parsed)[0]?.signals ?? {})).toEqual(["__proto__", "constructor"]);
});

test("invariant 7: signals of a machine and long words are bounded, and what is gone makes room", async () => {
  const hub = new LiveHub();
  const many = (from: number) => {
    const builder = new ColumnsBuilder();
    for (let i = 0; i < 2_000; i++) builder.add(`s${from + i}`, 1_000, 1, i);
    return builder.columns();
  };
  hub.apply("m", many(0));
  hub.apply("m", many(2_000));
  hub.apply("m", columns(["s0", 2_000, 2, "x".repeat(4_000)]));
  const [shown] = hub.snapshot(["m"]).machines;
  expect(Object.keys(shown?.signals ?? {})).toHaveLength(2_000);
  expect(shown?.signals.s0?.value).toBe(`${"x".repeat(500)}…`);
  for (let i = 0; i < 200; i++) hub.apply(`n${i}`, many(0));
  const sizes = () => hub.snapshot(["n0", "n199"]).machines.map(({ signals }) => Object.keys(signals).length);
  expect(sizes()).toEqual([2_000, 0]);
  hub.forget("n0");
  hub.apply("n199", many(0));
  expect(sizes()).toEqual([0, 2_000]);
});

test("a machine that was made or deleted is told of; a deleted one does not come back by itself", async () => {
  const owners = new Map([["a", "plant-1"]]);
  const hub = new LiveHub((id) => owners.get(id));
  const got: Numbered[] = [];
  gather(hub, got);
  hub.add("a");
  await next(got, 1);
  expect(got.map(parsed)).toMatchObject([
    { machine_id: "a", state: "UNKNOWN", source: "connecting", signals: {} },
  ]);
  hub.apply("a", columns(["load", 1_000, 1, 1]));
  hub.forget("a");
  owners.delete("a");
  // Its collector may still be stopping.
  hub.source("a", "streaming", 5);
  hub.apply("a", columns(["load", 2_000, 2, 2]));
  expect(hub.snapshot(["a"]).machines).toEqual([]);
  // The id may be another tenant's at once (invariant 10).
  owners.set("a", "plant-2");
  hub.add("a");
  await next(got, 3);
  expect(got.slice(1).map(({ tenant_id, json }) => [tenant_id, JSON.parse(json)])).toMatchObject([
    ["plant-1", { machine_id: "a", deleted: true }],
    ["plant-2", { machine_id: "a", signals: {} }],
  ]);
  expect(got[2]?.json).not.toContain("deleted");
});

test("a source that says nothing new is no delta", async () => {
  const hub = new LiveHub();
  const got: Numbered[] = [];
  gather(hub, got);
  hub.source("m", "streaming", 5);
  await next(got, 1);
  hub.source("m", "streaming", 5);
  // Would have left with this one.
  hub.source("n", "streaming", 5);
  await next(got, 2);
  expect(got.map(({ machine_id }) => machine_id)).toEqual(["m", "n"]);
});

test("invariant 7: signals are bounded, but the state does not hang on who came first", () => {
  const hub = new LiveHub();
  const cells = Array.from({ length: 5_000 }, (_, i): [string, number, number, number] => [
    `table.${i}`,
    1,
    i,
    i,
  ]);
  hub.apply("m", columns(...cells));
  hub.apply("m", columns(["execution", 2, 9_000, "ACTIVE"], ["spindle_speed", 2, 9_001, 10]));
  const [machine] = hub.snapshot(["m"]).machines;
  expect(machine?.state).toBe("RUNNING");
  expect(Object.keys(machine?.signals ?? {})).toHaveLength(2_002);
});
