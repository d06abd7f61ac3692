// How many sign-ins may fail.
import { expect, test } from "bun:test";
import { Problem } from "../../plugins/errors.ts";
import { FailedTries } from "./tries.ts";

const outcome = (tries: FailedTries, address: string, now_ms: number): unknown => {
  try {
    return tries.check(address, now_ms);
  } catch (error) {
    return error;
  }
};

test("ten failures in a minute are enough, for one address", () => {
  const tries = new FailedTries();
  for (let i = 0; i < 10; i++) {
    expect(outcome(tries, "a", i)).toBeUndefined();
    tries.failed("a", i);
  }
  const refused = outcome(tries, "a", 30_000);
  expect(refused).toBeInstanceOf(Problem);
  expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "30" } });
  expect(outcome(tries, "b", 30_000)).toBeUndefined();
  expect(outcome(tries, "a", 60_000)).toBeUndefined();
  tries.failed("a", 60_000);
  expect(outcome(tries, "a", 60_001)).toBeUndefined();
});

test("invariant 7: of many addresses the oldest are forgotten", () => {
  const tries = new FailedTries();
  for (let i = 0; i < 10; i++) tries.failed("a", 0);
  for (let i = 0; i < 10_000; i++) tries.failed(`b${i}`, 1);
  expect(outcome(tries, "a", 2)).toBeUndefined();
});
