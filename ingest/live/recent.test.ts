// What is kept of the past deltas, and for whom it is enough (SPEC 12.4).
import { expect, test } from "bun:test";
import { RecentDeltas } from "./recent.ts";

const delta = (json: string) => ({ tenant_id: "plant-1", machine_id: "m", json, own: true });
const ids = (recent: RecentDeltas, n: number, json = "{}") =>
  recent.add(Array.from({ length: n }, () => delta(json))).map(({ id }) => id);

test("what came after an id is given again, as long as all of it is kept (invariant 7)", () => {
  const recent = new RecentDeltas();
  const before = recent.lastId;
  const [first = "", second = ""] = ids(recent, 2);
  expect(recent.since(before)?.map(({ id }) => id)).toEqual([first, second]);
  expect(recent.since(second)).toEqual([]);
  ids(recent, 65_535);
  expect(recent.since(first)).toHaveLength(65_536);
  expect(recent.since(before)).toBeUndefined();
  const long = "x".repeat(3 * 1024 * 1024);
  const [a = "", b = ""] = ids(recent, 3, long);
  expect(recent.since(second)).toBeUndefined();
  expect(recent.since(a)?.map(({ json }) => json.length)).toEqual([long.length, long.length]);
  expect(recent.since(b)).toHaveLength(1);
});
