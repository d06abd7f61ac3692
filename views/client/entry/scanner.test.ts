// A scanner's keys are a code, whole or not at all; a person's are not.
import { expect, test } from "bun:test";
import { type Heard, MAX_REST_MS, Scanner } from "./scanner.ts";

/** @param pauses_ms before each key but the first, the last of them for all that follow */
function heard(keys: string[], ...pauses_ms: number[]): Heard[] {
  const scanner = new Scanner();
  let at_ms = 1_000;
  return keys.map((key, i) => {
    if (i > 0) at_ms += pauses_ms[Math.min(i, pauses_ms.length) - 1] ?? 0;
    return scanner.key(key, at_ms);
  });
}

const codes = (all: Heard[]): string[] =>
  all.flatMap((one) => (one.kind === "code" ? [one.code] : one.kind === "torn" ? ["torn"] : []));

test("a fast row of keys that ends with Enter or Tab is a code", () => {
  expect(codes(heard([..."LOT-4711", "Enter"], 12))).toEqual(["LOT-4711"]);
  expect(codes(heard([..."batch 12 b", "Tab"], 1))).toEqual(["batch 12 b"]);
  expect(codes(heard(["Shift", "L", "Shift", "O", "t", "-", "1", "Enter"], 30))).toEqual(["LOt-1"]);
  expect(codes(heard([..."A-100", "Enter", ..."B-200", "Enter"], 10))).toEqual(["A-100", "B-200"]);
});

test("a person's typing is none, nor is a short burst", () => {
  expect(codes(heard([..."LOT-4711", "Enter"], 80))).toEqual([]);
  expect(codes(heard([..."OK", "Enter"], 10))).toEqual([]);
  // Some quick pairs of keys within a word.
  expect(codes(heard([..."scratched", "Enter"], 90, 40, 110, 35, 90))).toEqual([]);
});

test("a scan with a pause in it is torn, wherever the pause is, and never a shorter code", () => {
  const keys = [..."LOT-4711", "Enter"];
  for (let at = 0; at < keys.length - 1; at++)
    for (const stall_ms of [46, 300, MAX_REST_MS]) {
      const pauses = keys.slice(1).map((_, i) => (i === at ? stall_ms : 12));
      expect([at, codes(heard(keys, ...pauses))]).toEqual([at, ["torn"]]);
    }
  expect(codes(heard([..."x".repeat(101), "Enter"], 1))).toEqual(["torn"]);
});

test("keys long before a scan are none of it; the scan that never ends is noticed", () => {
  const scanner = new Scanner();
  for (const [i, key] of [..."old"].entries()) scanner.key(key, i * 10);
  for (const [i, key] of [..."NEW-1"].entries()) scanner.key(key, 5_000 + i * 10);
  expect(scanner.key("Enter", 5_060)).toEqual({ kind: "code", code: "NEW-1" });
  expect(scanner.unended()).toBe(false);
  for (const [i, key] of [..."NEW-2"].entries()) scanner.key(key, 9_000 + i * 10);
  expect(scanner.unended()).toBe(true);
  expect(scanner.unended()).toBe(false);
});

test("from its fourth key on a scan is known as one, and so is a line feed behind its Enter; a lone Enter is a person's", () => {
  const kinds = heard([..."LOT-4711", "Enter", "Enter"], 12).map(({ kind }) => kind);
  expect(kinds).toEqual([
    ...["key", "key", "key"],
    ...["scan", "scan", "scan", "scan", "scan"],
    ...["code", "scan"],
  ] as typeof kinds);
  expect(heard(["Enter", "Enter"], 400)).toEqual([
    { kind: "key", first: true },
    { kind: "key", first: true },
  ]);
});
