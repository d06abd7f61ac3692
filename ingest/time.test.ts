// What is a time and what is none, for agents and for whoever calls the API.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BadInput } from "./problem.ts";
import { formatTimestamp_us, parseTimestamp_us, time_us } from "./time.ts";

test("a time that no calendar or clock has is none (SPEC 2.2)", () => {
  for (const text of [
    "2026-00-10T00:00:00Z",
    "2026-13-10T00:00:00Z",
    "2026-02-31T00:00:60Z",
    "2026-02-31T23:59:60Z",
    "2026-02-29T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-05T24:00:00Z",
    "2026-01-05T10:60:00Z",
    "2026-01-05T10:00:61Z",
    "2026-01-05T10:10:60Z",
    "2026-01-05T23:59:60+01:00",
    "2026-01-05T10:00:00+99:99",
    "2026-01-05T10:00:00+24:00",
    "2026-01-05T10:00:00-00:60",
    "2026-01-05T10:00:00.Z",
    "2026-01-05",
    "",
  ])
    expect(parseTimestamp_us(text), text).toBeUndefined();
});

test("a leap second is the first of the next day, whatever the zone says it in", () => {
  const next = parseTimestamp_us("2017-01-01T00:00:00Z");
  expect(parseTimestamp_us("2016-12-31T23:59:60Z")).toBe(next);
  expect(parseTimestamp_us("2017-01-01T00:59:60+01:00")).toBe(next);
});

test("every instant is read back, in whatever zone it is told", () => {
  const offset = fc.tuple(fc.constantFrom("+", "-"), fc.nat(23), fc.nat(59));
  fc.assert(
    fc.property(fc.integer({ min: -9_000_000_000, max: 9_000_000_000 }), offset, (s, [sign, h, m]) => {
      const two = (n: number) => String(n).padStart(2, "0");
      const shown = new Date((s + (sign === "+" ? 1 : -1) * (h * 3_600 + m * 60)) * 1_000).toISOString();
      if (!/^\d{4}-/.test(shown)) return;
      const told = shown.replace(".000Z", `.123456${sign}${two(h)}:${two(m)}`);
      expect(parseTimestamp_us(told)).toBe(s * 1_000_000 + 123_456);
      expect(formatTimestamp_us(s * 1_000_000 + 123_456)).toBe(
        `${new Date(s * 1_000).toISOString().slice(0, 19)}.123456Z`,
      );
    }),
    { numRuns: 2_000 },
  );
});

test("agents may leave the zone out, callers of the API may not (SPEC 2.2)", () => {
  expect(parseTimestamp_us("2026-01-05T06:00:00.5")).toBe(1_767_592_800_500_000);
  expect(time_us("2026-01-05T06:00:00.5Z", "/ts")).toBe(1_767_592_800_500_000);
  for (const [text, detail] of [
    ["2026-01-05T06:00:00.5", "a time without its zone"],
    ["2026-00-05T06:00:00.5", "not a time"],
  ] as const) {
    const refused = ((): unknown => {
      try {
        return time_us(text, "/observations/3/ts");
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(BadInput);
    expect((refused as BadInput).errors).toMatchObject([{ path: "/observations/3/ts" }]);
    expect((refused as BadInput).message).toContain(detail);
  }
});
