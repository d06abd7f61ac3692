// Parts against target: with what was made, with nothing made yet, and where nothing can be said.
import { expect, test } from "bun:test";
import type { OeeRow } from "./model.ts";
import { idealCycle, partsTarget } from "./target.ts";
import { tiles } from "./testing/plant.ts";

const some = tiles()[0]?.figures?.oee as OeeRow;
const row = (more: Partial<OeeRow>): OeeRow => ({ ...some, ...more });

/** An hour planned, parts of 30 s: 60 made, 6 bad; OEE = 54 × 30 / 3,600. */
const hour = row({ planned_time_s: 3_600, total_count: 60, good_count: 54, reject_count: 6, oee: 0.45 });
const none = row({ planned_time_s: 3_600, total_count: 0, good_count: 0, reject_count: 0, oee: 0 });

test("is what the target's OEE would have made of the planned time, at the mix that was made", () => {
  expect(partsTarget(hour, { target_oee: 0.8, ideal_cycle_s: null })).toEqual({
    parts: expect.closeTo(96, 9),
    kind: "target",
  });
  // At an OEE equal to the target it is what was made.
  expect(partsTarget(hour, { target_oee: 0.45, ideal_cycle_s: 1 })?.parts).toBeCloseTo(54, 9);
});

test("without a target it is what was possible, and called so", () => {
  expect(partsTarget(hour, { target_oee: null, ideal_cycle_s: null })).toEqual({
    parts: expect.closeTo(120, 9),
    kind: "possible",
  });
});

test("before the first part it is reckoned with the current part's ideal cycle", () => {
  expect(partsTarget(none, { target_oee: 0.8, ideal_cycle_s: 30 })?.parts).toBeCloseTo(96, 9);
  expect(
    partsTarget({ ...none, oee: null, good_count: null }, { target_oee: 1, ideal_cycle_s: 60 })?.parts,
  ).toBe(60);
  expect(partsTarget({ ...none, planned_time_s: 0 }, { target_oee: 1, ideal_cycle_s: 60 })?.parts).toBe(0);
});

test("is not known without figures, without an ideal cycle, or where good parts have none", () => {
  expect(partsTarget(null, { target_oee: 0.8, ideal_cycle_s: 30 })).toBeNull();
  expect(partsTarget(none, { target_oee: 0.8, ideal_cycle_s: null })).toBeNull();
  expect(
    partsTarget(row({ total_count: 9, good_count: 9, oee: null }), { target_oee: 1, ideal_cycle_s: 30 }),
  ).toBeNull();
});

test("the ideal cycle is the part's newest that is in force, else the one for any part", () => {
  const times = [
    { part: "A", valid_from: "2026-01-02T00:00:00Z", ideal_cycle_s: 20 },
    { part: "A", valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 30 },
    { part: "A", valid_from: "2026-02-01T00:00:00Z", ideal_cycle_s: 10 },
    { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 99 },
  ];
  const at = Date.parse("2026-01-05T00:00:00Z");
  expect(idealCycle(times, "A", at)).toBe(20);
  expect(idealCycle(times, "B", at)).toBe(99);
  expect(idealCycle(times, "A", Date.parse("2026-01-01T12:00:00Z"))).toBe(30);
  expect(idealCycle([], "A", at)).toBeNull();
});
