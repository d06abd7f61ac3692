// The demo plant: the same seed tells the same days, and what it tells amounts to what it truly did.
import { afterEach, describe, expect, test } from "bun:test";
import ModbusRTU from "modbus-serial";
import { until } from "../../../.ci/limits.ts";
import type { State } from "../../../domain/state-rules.ts";
import { cncLife } from "./plant/cnc-day.ts";
import { cncs } from "./plant/machines.ts";
import { type Truth, truthOf } from "./plant/segment.ts";
import { plantDay } from "./plant/shifts.ts";
import { type DemoPlant, type PlantOptions, startDemoPlant } from "./plant.ts";
import { text } from "./testing.ts";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
/** A Monday, 11:00 in Berlin: every machine is at work. */
const MONDAY = Date.parse("2026-11-23T10:00:00Z");

let plants: DemoPlant[] = [];
const start = async (options: PlantOptions = {}): Promise<DemoPlant> => {
  const plant = await startDemoPlant({ now: MONDAY, seed: "test", ...options });
  plants.push(plant);
  return plant;
};
afterEach(async () => {
  await Promise.all(plants.map((plant) => plant.stop()));
  plants = [];
});

type Observation = {
  sequence: number;
  ts_us: number;
  tag: string;
  sub_type: string;
  item: string;
  native_code: string;
  value: string;
};

/** Everything the agent told of a device up to an instant, in order of sequence. */
async function told(
  plant: DemoPlant,
  device: string,
  to_us = Number.POSITIVE_INFINITY,
): Promise<Observation[]> {
  const out: Observation[] = [];
  for (let from = 1; ; ) {
    const page = await text(`${plant.agentUrl}/${device}/sample?from=${from}&count=10000`);
    for (const [, tag = "", item = "", ts = "", rest = "", value = ""] of page.matchAll(
      /<(\w+) dataItemId="([^"]+)" timestamp="([^"]+)"([^>]*?)(?:\/>|>([^<]*)<)/g,
    ))
      out.push({
        sequence: Number(/ sequence="(\d+)"/.exec(rest)?.[1]),
        ts_us: Math.round(Number(Temporal.Instant.from(ts).epochNanoseconds) / 1000),
        tag,
        sub_type: /subType="(\w+)"/.exec(rest)?.[1] ?? "",
        item,
        native_code: / nativeCode="([^"]*)"/.exec(rest)?.[1] ?? "",
        value,
      });
    const next = Number(/nextSequence="(\d+)"/.exec(page)?.[1]);
    if (next === from) break;
    from = next;
  }
  return out.sort((a, b) => a.sequence - b.sequence).filter(({ ts_us }) => ts_us < to_us);
}

/** The rules of the states (SPEC 6.1), first match wins, over a machine's latest values. */
function stateOf(values: Map<string, string>, faults: Set<string>): State {
  const value = (tag: string) => values.get(tag) ?? "UNAVAILABLE";
  const execution = value("Execution");
  if (value("Availability") === "UNAVAILABLE" || execution === "UNAVAILABLE") return "UNKNOWN";
  if (value("EmergencyStop") === "TRIGGERED") return "DOWN";
  const automatic = ["AUTOMATIC", "SEMI_AUTOMATIC", "UNAVAILABLE"].includes(value("ControllerMode"));
  if (execution === "ACTIVE") return automatic ? "RUNNING" : "SETUP";
  if (faults.size > 0) return "DOWN";
  if (["SETUP", "TEARDOWN", "MAINTENANCE"].includes(value("FunctionalMode"))) return "SETUP";
  return ["READY", "PROGRAM_COMPLETED"].includes(execution) ? "IDLE" : "STOPPED";
}

/** States and parts as an honest reader of the agent works them out. */
function observedTruth(observations: Observation[], to_us: number): Omit<Truth, "made" | "counters"> {
  const values = new Map<string, string>();
  const faults = new Set<string>();
  const truth: Omit<Truth, "made" | "counters"> = { intervals: [], parts: 0, bad: 0 };
  const counts = { ALL: 0, BAD: 0 };
  for (const [i, { ts_us, tag, sub_type, item, native_code, value }] of observations.entries()) {
    if (tag === "PartCount" && value !== "UNAVAILABLE") {
      const kind = sub_type === "BAD" ? "BAD" : "ALL";
      const count = Number(value);
      const step = !values.has(`count ${kind}`) ? 0 : count < counts[kind] ? count : count - counts[kind];
      values.set(`count ${kind}`, value);
      counts[kind] = count;
      if (kind === "ALL") truth.parts += step;
      else truth.bad += step;
    } else if (["Normal", "Warning", "Unavailable"].includes(tag)) {
      // Normal with a code, and a warning, are about that code alone.
      const alone = native_code !== "" ? `${item} ${native_code}` : undefined;
      for (const fault of faults)
        if (alone ? fault === alone : fault.startsWith(`${item} `)) faults.delete(fault);
    } else if (tag === "Fault") faults.add(`${item} ${native_code}`);
    else values.set(tag, value);
    if (observations[i + 1]?.ts_us === ts_us) continue;
    const state = stateOf(values, faults);
    const last = truth.intervals.at(-1);
    if (last) last.to_us = ts_us;
    if (last?.state !== state) truth.intervals.push({ state, from_us: ts_us, to_us });
  }
  const last = truth.intervals.at(-1);
  if (last) last.to_us = to_us;
  return truth;
}

test("three days of history are there at once, and what they tell is what every machine truly did", async () => {
  const plant = await start();
  const stored = plant.agent.next_sequence - 1;
  expect(stored).toBeGreaterThan(50_000);
  expect(stored).toBeLessThan(250_000);
  expect(plant.devices.length).toBe(4);

  const to_us = MONDAY * 1000;
  const states = new Set<State>();
  for (const { uuid, name } of plant.devices) {
    const truth = plant.truth(uuid, to_us);
    const observed = observedTruth(await told(plant, name, to_us), to_us);
    expect(observed.intervals, name).toEqual(truth.intervals);
    expect({ parts: observed.parts, bad: observed.bad }).toEqual({ parts: truth.parts, bad: truth.bad });
    expect(truth.made.length).toBe(truth.parts);
    expect(truth.parts).toBeGreaterThan(300);
    // The intervals cover the time without a hole.
    expect(truth.intervals[0]?.from_us).toBe(plant.started_us.cncs);
    expect(truth.intervals.reduce((sum, { from_us, to_us }) => sum + to_us - from_us, 0)).toBe(3 * DAY_US);
    for (const { state } of truth.intervals) states.add(state);
  }
  expect([...states].sort()).toEqual(["DOWN", "IDLE", "RUNNING", "SETUP", "STOPPED", "UNKNOWN"]);
});

describe("repeats itself", () => {
  test("the same seed and time tell the same observations, another seed others", async () => {
    const to_us = MONDAY * 1000;
    const first = await told(await start({ days: 0.5 }), "VMC-1", to_us);
    expect(first.length).toBeGreaterThan(500);
    expect(await told(await start({ days: 0.5 }), "VMC-1", to_us)).toEqual(first);
    expect(await told(await start({ days: 0.5, seed: "other" }), "VMC-1", to_us)).not.toEqual(first);
  });

  test("a plant started later tells the same past", async () => {
    const [early, late] = [await start({ days: 1 }), await start({ days: 1, now: MONDAY + 3 * 3_600_000 })];
    const overlap = { from_us: late.started_us.cncs, to_us: MONDAY * 1000 };
    const within = ({ made }: Truth) =>
      made.filter((part) => part.ts_us >= overlap.from_us && part.ts_us < overlap.to_us);
    for (const { uuid } of early.devices) {
      expect(within(early.truth(uuid)).length).toBeGreaterThan(20);
      expect(within(late.truth(uuid))).toEqual(within(early.truth(uuid)));
    }
  });
});

test("at night the mill rests, the five-axis machine has its people, pallets and bars go on for a while alone", () => {
  const from_us = Date.parse("2026-11-16T00:00:00+01:00") * 1000;
  const night_parts = cncs(4).map((cnc) => {
    const { made, intervals } = truthOf(cncLife(cnc, "test", from_us), from_us, from_us + 7 * DAY_US);
    // No second is told twice or left out, midnight or not.
    expect(
      intervals.every(({ to_us }, i) => to_us === (intervals[i + 1]?.from_us ?? from_us + 7 * DAY_US)),
    ).toBe(true);
    return made.filter(({ ts_us }) => ((ts_us - from_us) % DAY_US) / HOUR_US < 6).length;
  });
  const [mill = 0, integrex = 0, pallets = 0, bars = 0] = night_parts;
  expect(mill).toBe(0);
  expect(integrex).toBeGreaterThan(100);
  expect(pallets).toBeGreaterThan(300);
  expect(bars).toBeGreaterThan(500);
});

test("invariant 3: a plant's day is 23, 24 or 25 hours and its shifts start at 6 by the clock on the wall", () => {
  const hours = (date: string) => {
    const day = plantDay(Date.parse(`${date}T12:00:00Z`) * 1000);
    const first = day.attended[0]?.from_us ?? 0;
    const local = Temporal.Instant.fromEpochMilliseconds(first / 1000).toZonedDateTimeISO("Europe/Berlin");
    expect(local.toPlainTime().toString()).toBe("06:00:00");
    return (day.to_us - day.from_us) / HOUR_US;
  };
  expect([hours("2026-03-29"), hours("2026-11-23"), hours("2026-10-25")]).toEqual([23, 24, 25]);
});

test("history goes over into live time without a seam, with samples at 5 Hz and more while a machine cuts", async () => {
  const plant = await start({ days: 0.1 });
  const running = plant.devices.find(
    ({ uuid }) => plant.truth(uuid, MONDAY * 1000).intervals.at(-1)?.state === "RUNNING",
  );
  expect(running).toBeDefined();
  const { observations, live } = await until(async () => {
    const all = await told(plant, running?.name ?? "");
    const since = all.filter(({ ts_us, tag }) => ts_us >= MONDAY * 1000 && tag === "RotaryVelocity");
    return since.length > 8 && { observations: all, live: since };
  });
  const times = observations.map(({ ts_us }) => ts_us);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const seconds = ((live.at(-1)?.ts_us ?? 0) - MONDAY * 1000) / 1e6;
  expect(live.length / seconds).toBeWithin(4, 14);
});

test("at a hundredfold speed cycles finish before one's eyes, and truth keeps up", async () => {
  const plant = await start({ days: 0, speed: 100 });
  const lathe = "demo-quickturn-1";
  await until(() => plant.truth(lathe).parts >= 2);
  const to_us = plant.now_us() - 20_000_000;
  const observed = observedTruth(await told(plant, "QuickTurn-1", to_us), to_us);
  expect(observed.intervals).toEqual(plant.truth(lathe, to_us).intervals);
});

test("the press's wires say what it does; its counters are the day's", async () => {
  const plant = await start({ days: 0, speed: 20 });
  const { host, port, unit, map, uuid } = plant.modbus;
  expect(map.map(({ signal, address }) => `${signal} ${address}`)).toEqual([
    "execution 0",
    "condition:fault 1",
    "part_count 0",
    "part_count_bad 2",
  ]);
  const master = new ModbusRTU();
  await master.connectTCP(host, { port });
  master.setID(unit);
  const parts = async () => {
    const [low = 0, high = 0] = (await master.readHoldingRegisters(0, 2)).data;
    return high * 65_536 + low;
  };
  const before = await parts();
  // Since midnight, five hours of two shifts.
  expect(before).toBeGreaterThan(500);
  await until(() => plant.truth(uuid).parts >= 5);
  await until(async () => Math.abs((await parts()) - before - plant.truth(uuid).parts) <= 1);
  await until(async () => {
    const { data } = await master.readCoils(0, 2);
    const state = plant.truth(uuid).intervals.at(-1)?.state;
    return data[0] === (state === "RUNNING") && data[1] === (state === "DOWN");
  });
  await new Promise<void>((resolve) => master.close(() => resolve()));
});

test("the press's notes of its past end where its module goes on", async () => {
  const plant = await start({ days: 1 });
  const past = [...plant.pressPast()];
  const times = past.map(({ ts_us }) => ts_us);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBe(plant.started_us.cncs);
  expect(times.at(-1)).toBeLessThan(plant.started_us.press);
  const strokes = past.filter(({ signal }) => signal === "part_count");
  expect(strokes.length).toBeGreaterThan(3_000);
  const master = new ModbusRTU();
  await master.connectTCP(plant.modbus.host, { port: plant.modbus.port });
  master.setID(plant.modbus.unit);
  const [low = 0, high = 0] = (await master.readHoldingRegisters(0, 2)).data;
  const shown = high * 65_536 + low;
  const noted = Number(strokes.at(-1)?.value);
  expect(shown - noted).toBeGreaterThanOrEqual(0);
  expect(shown - noted).toBeLessThan(5);
  await new Promise<void>((resolve) => master.close(() => resolve()));
});

test("machines may be spread over several agents", async () => {
  const plant = await start({ cncs: 5, agents: 2, days: 0 });
  expect(plant.cells.map(({ cncs }) => cncs.length)).toEqual([3, 2]);
  for (const { name, agent_url } of plant.devices)
    expect(await text(`${agent_url}/${name}/probe`)).toContain(`name="${name}"`);
});

test("two hundred machines live at once", async () => {
  const plant = await start({ cncs: 200 });
  expect(new Set(plant.devices.map(({ uuid }) => uuid)).size).toBe(200);
  const before = plant.agent.next_sequence;
  await until(() => plant.agent.next_sequence - before > 2_000);
});
