// What a change touches comes first, and every long test has its turn.
import { expect, test } from "bun:test";
import { inTurn } from "./order.ts";

const ALL = ["a", "b", "c", "d", "e"];

test("what is touched comes first, and everything comes once", () => {
  expect(inTurn(ALL, (one) => one === "d", 0)).toEqual(["d", "a", "b", "c", "e"]);
  expect(inTurn(ALL, (one) => one === "d", 6)).toEqual(["d", "c", "e", "a", "b"]);
  expect(inTurn([], () => true, 3)).toEqual([]);
});

test("whatever comes first, in as many commits as there are each was the first", () => {
  const firsts = ALL.map((_, turn) => inTurn(ALL, () => false, turn)[0]);
  expect(firsts.sort()).toEqual(ALL);
});
