// A module's machine while somebody sets the host's clock: no part is invented, and what has no place in time is a gap (invariant 4).
import { expect, test } from "bun:test";
import { SetClock } from "../../testing/set-clock.ts";
import { MemorySink } from "../memory-sink.ts";
import { MachineReader } from "./machine.ts";
import type { ModbusPoint } from "./map.ts";

const POLL_MS = 250;
const DAY_MS = 86_400_000;
const point: ModbusPoint = { signal: "part_count", kind: "holding", address: 0, type: "uint32" };
const machine = { machine_id: "press", map: [point], poll_ms: POLL_MS };

/** A press that makes a part with each read, from 14,000 on. */
function press(host = new SetClock()) {
  const sink = new MemorySink();
  let clock = host.clock();
  const read_by_wall: [ts_us: number, count: number][] = [];
  let reader = new MachineReader(machine, { sink, clock, poll_ms: POLL_MS });
  let count = 14_000;
  return {
    host,
    sink,
    status: () => reader.status,
    made: () => count - 14_001,
    read_by_wall,
    async run(reads: number) {
      for (let i = 0; i < reads; i++) {
        host.run(POLL_MS);
        read_by_wall.push([host.wall_ms * 1_000, ++count]);
        await reader.take([{ point, ts_us: clock.now_ms() * 1_000, value: count }], "");
      }
    },
    /** @param by_ms somebody sets the host's clock meanwhile */
    async restart(by_ms = 0) {
      await reader.stop();
      host.set(by_ms);
      clock = host.clock();
      reader = new MachineReader(machine, { sink, clock, poll_ms: POLL_MS });
    },
  };
}

/** Parts as figures count them (SPEC 8.2). */
function counted(readings: [ts_us: number, count: number][]): number {
  const values = readings.toSorted(([a], [b]) => a - b).map(([, count]) => count);
  return values.reduce((parts, value, i) => {
    const before = values[i - 1] ?? value;
    return parts + (value < before ? value : value - before);
  }, 0);
}
const told = (sink: MemorySink) =>
  sink.rows
    .filter(({ signal }) => signal === "part_count")
    .map(({ ts_us, value }): [number, number] => [ts_us, Number(value)]);
const gaps = (sink: MemorySink, from_ms: number) =>
  [...sink.gaps.values()].map(({ from_us, to_us, cause }) => [
    (from_us / 1_000 - from_ms) / 1_000,
    (to_us / 1_000 - from_ms) / 1_000,
    cause,
  ]);

test("invariants 3 and 4: the host's clock goes 2 s back, and a counter counts what was made", async () => {
  const { host, sink, run, made, read_by_wall } = press();
  await run(400);
  const set_ms = host.wall_ms;
  host.set(-2_000);
  await run(450);
  expect(counted(told(sink))).toBe(made());
  expect(counted(told(sink))).toBe(849);
  // By the host's clock alone it was this.
  expect(counted(read_by_wall)).toBeGreaterThan(14_000);
  // The two seconds that there are twice are told once, and what follows is told by the new time.
  expect(gaps(sink, set_ms)).toEqual([[0, 0.5, "clock_jump"]]);
  expect(told(sink).at(-1)).toEqual([host.wall_ms * 1_000, 14_850]);
});

test("invariant 4: an hour ahead is a gap, with its cause, up to the first read by the new time", async () => {
  const { host, sink, run, made, status } = press();
  await run(10);
  const set_ms = host.wall_ms;
  host.set(3_600_000);
  await run(10);
  expect(status()).toMatchObject({ state: "connecting", error: "the host's clock was set 3600.0 s ahead" });
  expect(sink.lost()).toMatchObject([{ from_us: set_ms * 1_000, to_us: 0, cause: "clock_jump" }]);
  await run(2_400);
  expect(status()).toMatchObject({ state: "polling", error: "" });
  expect(gaps(sink, set_ms)).toEqual([[0, 4_200.5, "clock_jump"]]);
  expect(counted(told(sink))).toBe(made());
});

test("invariant 4: 40 days ahead for three minutes: nothing is told of those days, and the three minutes are a gap", async () => {
  const { host, sink, run, made } = press();
  await run(10);
  const set_ms = host.wall_ms;
  host.set(40 * DAY_MS);
  await run(720);
  host.set(-40 * DAY_MS);
  await run(10);
  expect(gaps(sink, set_ms)).toEqual([[0, 180.5, "clock_jump"]]);
  expect(Math.max(...told(sink).map(([ts_us]) => ts_us))).toBe(host.wall_ms * 1_000);
  expect(counted(told(sink))).toBe(made());
});

test("invariant 3: set back by an hour, nothing is told before what was told, in a later run neither", async () => {
  const back = press();
  await back.run(10);
  const set_ms = back.host.wall_ms;
  back.host.set(-3_600_000);
  await back.run(2_410);
  await back.restart();
  await back.run(10);
  expect(back.status().error).toMatch(/^the host's clock is \d+\.\d s behind the last read$/);
  expect(told(back.sink)).toHaveLength(10);
  back.host.run(3_600_000 - 2_420 * POLL_MS);
  await back.run(10);
  expect(told(back.sink).length).toBeGreaterThan(10);
  expect(told(back.sink).every(([ts_us], i, all) => i === 0 || ts_us > (all[i - 1]?.[0] ?? 0))).toBe(true);
  expect(counted(told(back.sink))).toBe(back.made());
  expect(gaps(back.sink, set_ms)[0]).toEqual([0, expect.any(Number), "clock_jump"]);
});

test("invariant 4: started years behind, or set back by days, it waits until the clock is right: no past is taken away", async () => {
  for (const start of [true, false]) {
    const { host, sink, run, made, status, restart } = press();
    await run(10);
    const [set_ms, days] = [host.wall_ms, start ? 6 * 365 : 3];
    if (start) await restart(-days * DAY_MS);
    else host.set(-days * DAY_MS);
    await run(2_420);
    expect(status().error).toMatch(/^the host's clock is \d+\.\d s behind the last read$/);
    expect(told(sink)).toHaveLength(10);
    host.set(days * DAY_MS);
    await run(2_420);
    expect(status()).toMatchObject({ state: "polling", error: "" });
    expect(counted(told(sink))).toBe(made());
    for (const { from_us, to_us } of sink.lost()) {
      expect(from_us).toBe(set_ms * 1_000);
      expect(to_us).toBeLessThanOrEqual(host.wall_ms * 1_000);
    }
  }
});

test("invariant 4: 40 days ahead until it is believed, or found so by a start: set back, those days are not missing", async () => {
  for (const start of [true, false]) {
    const { host, sink, run, restart, status } = press();
    await run(10);
    const set_ms = host.wall_ms;
    if (start) await restart(40 * DAY_MS);
    else host.set(40 * DAY_MS);
    await run(2_420);
    expect(status()).toMatchObject({ state: "polling", error: "" });
    await restart();
    await run(10);
    host.set(-40 * DAY_MS);
    await run(2_420);
    expect(status()).toMatchObject({ state: "polling", error: "" });
    const lost = sink.lost().filter(({ from_us }) => from_us < host.wall_ms * 1_000);
    expect(lost).toMatchObject([{ from_us: set_ms * 1_000, cause: start ? "unreachable" : "clock_jump" }]);
    expect(lost[0]?.to_us).toBeLessThanOrEqual(host.wall_ms * 1_000);
    // Known again: an outage begins with the last read by the right clock.
    await restart();
    expect(sink.checkpoints.get("modbus:press")).toMatchObject({
      known_us: host.wall_ms * 1_000,
      instance_id: "",
    });
  }
});

test("before 2000 no clock is believed", async () => {
  const { sink, run, status } = press(new SetClock("1970-01-01T00:00:30Z"));
  await run(10);
  expect([status().error, told(sink), sink.lost()]).toEqual(["the host's clock is before 2000", [], []]);
});
