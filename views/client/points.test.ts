// What the charts keep and show: bounded, thinned without a change to the line, and a view that stays within the hour.
import { expect, test } from "bun:test";
import { COLUMN_MS, HISTORY_MS, type Point, Points, thinned } from "./points.ts";
import { View } from "./view.ts";

const NOW_MS = 1_767_600_000_000;
const wave = (from_ms: number, to_ms: number): Point[] =>
  Array.from({ length: (to_ms - from_ms) / 100 }, (_, i) => ({
    ts_ms: from_ms + i * 100,
    value: i % 4_000 < 50 ? null : Math.sin(i / 211) * 1_000 + (i % 1_013 === 0 ? 9_000 : 0),
  }));

const columns = (points: Point[]) =>
  [...Map.groupBy(points, ({ ts_ms }) => Math.floor(ts_ms / COLUMN_MS))].map(([column, own]) => {
    const values = own.flatMap(({ value }) => value ?? []);
    return [column, own[0]?.value, own.at(-1)?.value, Math.min(...values), Math.max(...values)];
  });

test("a thinned line is drawn as the whole one", () => {
  const all = wave(NOW_MS - HISTORY_MS, NOW_MS);
  const thin = thinned(all, COLUMN_MS);
  expect(thin.length).toBeLessThan(4_100);
  expect(columns(thin)).toEqual(columns(all));
  expect(thinned(thin, COLUMN_MS)).toEqual(thin);
});

test("a day at 10 Hz stays within an hour's points, and its newest minute is whole", () => {
  const points = new Points();
  let most = 0;
  for (const point of wave(NOW_MS - 24 * HISTORY_MS, NOW_MS)) {
    points.add(point);
    if (point.ts_ms % 10_000 === 0) points.trim(point.ts_ms);
    most = Math.max(most, points.count);
  }
  points.trim(NOW_MS);
  expect(most).toBeLessThanOrEqual(6_100);
  expect(points.between(NOW_MS - 60_000, NOW_MS).length).toBeGreaterThanOrEqual(600);
  const [first] = points.between(0, NOW_MS);
  expect(NOW_MS - (first?.ts_ms ?? 0)).toBeLessThan(HISTORY_MS + 2 * COLUMN_MS);
});

test("a late value finds its place, the same time again is replaced, history goes before what is live", () => {
  const points = new Points();
  points.add({ ts_ms: 30, value: 3 });
  points.add({ ts_ms: 10, value: 1 });
  points.add({ ts_ms: 30, value: 4 });
  points.merge([
    { ts_ms: 5, value: 0 },
    { ts_ms: 30, value: 9 },
  ]);
  expect(points.between(0, 40).map(({ ts_ms, value }) => [ts_ms, value])).toEqual([
    [5, 0],
    [10, 1],
    [30, 4],
  ]);
  expect(points.between(12, 20).map(({ ts_ms }) => ts_ms)).toEqual([10]);
});

test("a view follows, stands still, zooms about a point, and never leaves the hour", () => {
  const view = new View();
  expect(view.range(NOW_MS)).toEqual([NOW_MS - 900_000, NOW_MS]);
  view.zoom(0.5, NOW_MS - 60_000, NOW_MS);
  expect([view.isLive, view.range(NOW_MS + 1_000)]).toEqual([
    true,
    [NOW_MS + 1_000 - 450_000, NOW_MS + 1_000],
  ]);
  view.back(600_000, NOW_MS);
  expect([view.isLive, view.range(NOW_MS + 9_999)]).toEqual([false, [NOW_MS - 1_050_000, NOW_MS - 600_000]]);
  const at_ms = NOW_MS - 700_000;
  const place = () => {
    const [from_ms, to_ms] = view.range(NOW_MS);
    return (at_ms - from_ms) / (to_ms - from_ms);
  };
  const before = place();
  view.zoom(0.4, at_ms, NOW_MS);
  expect(place()).toBeCloseTo(before, 9);
  view.back(10 * HISTORY_MS, NOW_MS);
  expect(view.range(NOW_MS)[0]).toBe(NOW_MS - HISTORY_MS);
  view.back(-10 * HISTORY_MS, NOW_MS);
  expect(view.range(NOW_MS)[1]).toBe(NOW_MS);
  view.zoom(1e9, NOW_MS, NOW_MS);
  expect(view.range(NOW_MS)).toEqual([NOW_MS - HISTORY_MS, NOW_MS]);
  view.live();
  expect(view.range(NOW_MS + 5)[1]).toBe(NOW_MS + 5);
});
