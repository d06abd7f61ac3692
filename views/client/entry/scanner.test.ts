// A scanner's keys are a code; a person's are not.
import { expect, test } from "bun:test";
import { Scanner } from "./scanner.ts";

function typed(keys: string[], pause_ms: number): (string | undefined)[] {
  const scanner = new Scanner();
  return keys.map((key, i) => scanner.key(key, 1_000 + i * pause_ms)).filter((code) => code !== undefined);
}

test("a fast row of keys that ends with Enter is a code", () => {
  expect(typed([..."LOT-4711", "Enter"], 12)).toEqual(["LOT-4711"]);
  expect(typed(["Shift", "L", "Shift", "O", "t", "-", "1", "Enter"], 30)).toEqual(["LOt-1"]);
});

test("a person's typing is none, nor is a short burst, nor keys before a pause", () => {
  expect(typed([..."LOT-4711", "Enter"], 80)).toEqual([]);
  expect(typed([..."OK", "Enter"], 10)).toEqual([]);
  const scanner = new Scanner();
  for (const [i, key] of [..."old"].entries()) scanner.key(key, i * 10);
  for (const [i, key] of [..."NEW-1"].entries()) scanner.key(key, 5_000 + i * 10);
  expect(scanner.key("Enter", 5_060)).toBe("NEW-1");
  expect(scanner.key("Enter", 5_070)).toBeUndefined();
});

test("two codes after each other are two; one that never ends is none (invariant 7)", () => {
  expect(typed([..."A-100", "Enter", ..."B-200", "Enter"], 10)).toEqual(["A-100", "B-200"]);
  expect(typed([..."x".repeat(101), "Enter"], 1)).toEqual([]);
});
