// The host's clock under whoever sets it (SPEC 5.9): small differences vanish, a jump is told once, and holds when it has stayed.
import { expect, test } from "bun:test";
import type { HostClock } from "./clock.ts";
import { SetClock } from "./testing/set-clock.ts";

const DAY_MS = 86_400_000;

/** Runs on in looks of a quarter of a second. @returns each time that was told */
function run(host: SetClock, clock: HostClock, ms: number): number[] {
  return Array.from({ length: ms / 250 }, () => {
    host.run(250);
    return clock.now_ms();
  });
}
const rises = (times: number[]): boolean =>
  times.every((time, i) => i === 0 || time > (times[i - 1] as number));

test("a small step, ahead or back, is no jump: time goes on rising, and soon agrees", () => {
  for (const step_ms of [900, -900]) {
    const host = new SetClock();
    const clock = host.clock();
    const from_ms = clock.now_ms();
    host.set(step_ms);
    expect(rises([from_ms, ...run(host, clock, 10_000)])).toBe(true);
    expect(Math.abs(clock.now_ms() - host.wall_ms)).toBeLessThanOrEqual(1);
    expect([clock.turns, clock.doubt(), host.told]).toEqual([0, "", []]);
  }
});

test("a host's clock that drifts for an hour in which nobody looks has not been set", () => {
  const host = new SetClock();
  const clock = host.clock();
  host.run(3_600_000);
  host.set(3_000);
  expect([clock.doubt(), clock.turns]).toEqual(["", 0]);
});

test("40 days ahead for three minutes: time goes on as if nothing was, and it is told once, and once when it is over", () => {
  const host = new SetClock();
  const clock = host.clock();
  const from_ms = clock.now_ms();
  host.set(40 * DAY_MS);
  const times = run(host, clock, 180_000);
  expect(clock.doubt()).toBe("the host's clock was set 3456000.0 s ahead");
  host.set(-40 * DAY_MS);
  times.push(...run(host, clock, 1_000));
  expect(rises(times)).toBe(true);
  expect([clock.doubt(), clock.now_ms() - from_ms]).toEqual(["", 181_000]);
  expect(host.told).toEqual([
    "clock: the host's clock was set 3456000.0 s ahead; what modules tell waits until it has stayed so for 600.0 s",
    "clock: the host's clock is what it was before; modules go on",
  ]);
});

test("a clock that was set is believed once it stayed so for as long as it was set by, ten minutes at the most", () => {
  for (const [by_ms, for_ms] of [
    [-2_000, 2_000],
    [3_600_000, 600_000],
  ] as const) {
    const host = new SetClock();
    const clock = host.clock();
    host.set(by_ms);
    run(host, clock, for_ms);
    expect(clock.doubt()).not.toBe("");
    run(host, clock, 500);
    expect([clock.doubt(), clock.now_ms() - host.wall_ms, clock.turns]).toEqual(["", 0, 2]);
    expect(host.told).toHaveLength(2);
  }
});
