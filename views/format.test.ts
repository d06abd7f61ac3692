// Numbers, times and durations as people read them.
import { describe, expect, test } from "bun:test";
import {
  age,
  axisLabel,
  axisTicks,
  clock,
  clockOrDay,
  duration,
  localInput,
  measure,
  percent,
  timer,
  utcOffset,
} from "./format.ts";

const at = (iso: string) => Date.parse(iso);

describe("durations", () => {
  test("a timer runs in seconds, then drops them after a day, and never goes below zero", () => {
    const seconds = [-3, 0, 42, 753, 3_753, 86_399, 273_600];
    expect(seconds.map((s) => timer(s * 1000))).toEqual([
      "0:00",
      "0:00",
      "0:42",
      "12:33",
      "1:02:33",
      "23:59:59",
      "3 d 04 h",
    ]);
  });

  test("an age is said in its largest unit", () => {
    expect([-1, 3, 75, 7_300, 200_000].map((s) => age(s * 1000))).toEqual([
      "0 s",
      "3 s",
      "1 min",
      "2 h",
      "2 d",
    ]);
  });

  test("a report's duration rounds up across its units", () => {
    expect([0, 59.4, 59.6, 3_599, 25_920].map(duration)).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "1 h 00 min",
      "7 h 12 min",
    ]);
  });
});

describe("numbers", () => {
  test("a ratio that is not known is –, zero is zero", () => {
    expect([null, 0, 0.747942, 1.234].map((ratio) => percent(ratio))).toEqual([
      "–",
      "0.0 %",
      "74.8 %",
      "123.4 %",
    ]);
  });

  test("a measured value keeps what means something", () => {
    expect([0, 3200, 3199.6, 187.25, 24.567, -0.123].map(measure)).toEqual([
      "0",
      "3,200",
      "3,200",
      "187.3",
      "24.57",
      "-0.12",
    ]);
  });
});

describe("times are the plant's", () => {
  test("the same instant in three zones", () => {
    const noon = at("2026-01-05T12:00:00Z");
    expect(["Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata"].map((zone) => clock(noon, zone))).toEqual([
      "13:00",
      "01:00",
      "17:30",
    ]);
    expect(utcOffset(noon + 17_123, "Asia/Kolkata")).toBe(5.5 * 3_600_000);
  });

  test("another day than today is named", () => {
    const now = at("2026-01-05T09:00:00Z");
    expect(clockOrDay(at("2026-01-05T05:00:00Z"), now, "Europe/Berlin")).toBe("06:00");
    expect(clockOrDay(at("2026-01-04T05:00:00Z"), now, "Europe/Berlin")).toBe("Sun 4 Jan 06:00");
  });

  test("midnight is 00:00, for people and for the form", () => {
    const midnight = at("2026-01-04T23:00:00Z");
    expect(clock(midnight, "Europe/Berlin")).toBe("00:00");
    expect(localInput(midnight, "Europe/Berlin")).toBe("2026-01-05T00:00");
  });

  test("an axis ticks on even local hours, on days where it is long", () => {
    const [from, to] = [at("2026-01-04T23:00:00Z"), at("2026-01-05T23:00:00Z")];
    const labels = (start: number, end: number, zone: string) =>
      axisTicks(start, end, zone).map((tick) => axisLabel(tick, start, end, zone));
    expect(labels(from, to, "Europe/Berlin")).toEqual([
      "03:00",
      "06:00",
      "09:00",
      "12:00",
      "15:00",
      "18:00",
      "21:00",
    ]);
    expect(labels(from, from + 7 * 86_400_000, "Europe/Berlin")).toEqual([
      "Tue 6 Jan",
      "Wed 7 Jan",
      "Thu 8 Jan",
      "Fri 9 Jan",
      "Sat 10 Jan",
      "Sun 11 Jan",
    ]);
  });

  test("days stay days across the end of summer time (25 October 2026 has 25 hours)", () => {
    const [from, to] = [at("2026-10-22T22:00:00Z"), at("2026-10-28T23:00:00Z")];
    const labels = axisTicks(from, to, "Europe/Berlin").map((tick) =>
      clockOrDay(tick, from, "Europe/Berlin"),
    );
    expect(labels).toEqual([
      "Sat 24 Oct 00:00",
      "Sun 25 Oct 00:00",
      "Mon 26 Oct 00:00",
      "Tue 27 Oct 00:00",
      "Wed 28 Oct 00:00",
    ]);
  });
});
