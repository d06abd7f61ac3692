// The shift that is on, by the machine's own clock; the periods of the reports, and what they are compared with.
import { expect, test } from "bun:test";
import type { CalendarInput } from "../ingest/calendar.ts";
import { type PeriodQuery, periodOf, shiftAt } from "./plant-time.ts";

const days: CalendarInput["shifts"][number]["days"] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const shift = (name: string, start: string, end: string) => ({ name, days, start, end });
const at = (iso: string): number => Date.parse(iso);

test("a machine whose day is ahead of the plant's", () => {
  const auckland = { timezone: "Pacific/Auckland", shifts: [shift("early", "06:00", "14:00")] };
  // 09:00 on the 6th in Auckland, 21:00 on the 5th in Berlin.
  expect(shiftAt([auckland], "Europe/Berlin", at("2026-01-05T20:00Z"))).toEqual({
    name: "early",
    from_ms: at("2026-01-05T17:00Z"),
    to_ms: at("2026-01-06T01:00Z"),
  });
});

test("a machine whose day is behind the plant's: the night shift of its day before", () => {
  const honolulu = { timezone: "Pacific/Honolulu", shifts: [shift("night", "22:00", "06:00")] };
  // 01:00 on the 5th in Honolulu, 00:00 on the 6th in Auckland.
  expect(shiftAt([honolulu], "Pacific/Auckland", at("2026-01-05T11:00Z"))).toEqual({
    name: "night",
    from_ms: at("2026-01-05T08:00Z"),
    to_ms: at("2026-01-05T16:00Z"),
  });
});

test("a night shift ends where a shift of the next calendar begins", () => {
  const old = { timezone: "UTC", shifts: [shift("night", "22:00", "06:00")] };
  const next = { timezone: "UTC", valid_from: "2026-03-02", shifts: [shift("day", "04:00", "12:00")] };
  expect(shiftAt([old, next], "UTC", at("2026-03-02T03:00Z"))).toEqual({
    name: "night",
    from_ms: at("2026-03-01T22:00Z"),
    to_ms: at("2026-03-02T04:00Z"),
  });
  expect(shiftAt([old, next], "UTC", at("2026-03-02T05:00Z")).name).toBe("day");
});

const BERLIN = "Europe/Berlin";
const local = (iso: string): string =>
  Temporal.Instant.from(iso)
    .toZonedDateTimeISO(BERLIN)
    .toPlainDateTime()
    .toString({ smallestUnit: "minute" });
/** A period and what it is compared with, on the plant's clock. */
const spans = (query: PeriodQuery, now: string, calendars: CalendarInput[] = []) => {
  const now_ms = Temporal.PlainDateTime.from(now).toZonedDateTime(BERLIN).epochMilliseconds;
  const { from, to, previous } = periodOf(query, calendars, BERLIN, now_ms);
  return [from, to, previous.from, previous.to].map(local);
};

test("periods are those of the plant's clock; each is compared with the same weekdays before", () => {
  const now = "2026-02-11T10:42"; // a Wednesday
  expect(spans({}, now)).toEqual(["2026-02-11T00:00", now, "2026-02-04T00:00", "2026-02-04T10:42"]);
  expect(spans({ period: "yesterday" }, now)).toEqual([
    "2026-02-10T00:00",
    "2026-02-11T00:00",
    "2026-02-03T00:00",
    "2026-02-04T00:00",
  ]);
  expect(spans({ period: "7d" }, now)).toEqual([
    "2026-02-05T00:00",
    now,
    "2026-01-29T00:00",
    "2026-02-04T10:42",
  ]);
  expect(spans({ period: "week" }, now)).toEqual([
    "2026-02-09T00:00",
    now,
    "2026-02-02T00:00",
    "2026-02-04T10:42",
  ]);
  expect(spans({ period: "last_week" }, now)).toEqual([
    "2026-02-02T00:00",
    "2026-02-09T00:00",
    "2026-01-26T00:00",
    "2026-02-02T00:00",
  ]);
  expect(spans({ period: "week" }, "2026-02-08T23:59")[0]).toBe("2026-02-02T00:00");
});

test("a month is compared with the one before: as far as this one is, and never beyond its end", () => {
  expect(spans({ period: "month" }, "2026-02-11T10:42")).toEqual([
    "2026-02-01T00:00",
    "2026-02-11T10:42",
    "2026-01-01T00:00",
    "2026-01-11T10:42",
  ]);
  expect(spans({ period: "month" }, "2026-03-30T08:00").slice(2)).toEqual([
    "2026-02-01T00:00",
    "2026-03-01T00:00",
  ]);
  expect(spans({ period: "last_month" }, "2026-03-30T08:00")).toEqual([
    "2026-02-01T00:00",
    "2026-03-01T00:00",
    "2026-01-01T00:00",
    "2026-02-01T00:00",
  ]);
});

test("the days on which the clock is put on or back are whole days, and so are those they are compared with", () => {
  // 29 March 2026 has 23 hours, 25 October 25.
  for (const [now, hours] of [
    ["2026-03-30T09:00", 23],
    ["2026-10-26T09:00", 25],
  ] as const) {
    const now_ms = Temporal.PlainDateTime.from(now).toZonedDateTime(BERLIN).epochMilliseconds;
    const { from, to, previous } = periodOf({ period: "yesterday" }, [], BERLIN, now_ms);
    expect((at(to) - at(from)) / 3_600_000).toBe(hours);
    expect((at(previous.to) - at(previous.from)) / 3_600_000).toBe(24);
    expect(local(previous.from).slice(10)).toBe("T00:00");
    const week = periodOf({ period: "last_week" }, [], BERLIN, now_ms);
    expect((at(week.to) - at(week.from)) / 3_600_000).toBe(7 * 24 + hours - 24);
    // Longer by an hour than a week of hours, but no longer than a week: one week before.
    expect(week.previous.to).toBe(week.from);
  }
});

test("this shift and the last one, over midnight, each as far as it is over", () => {
  const calendar = {
    timezone: BERLIN,
    shifts: [
      shift("early", "06:00", "14:00"),
      shift("late", "14:00", "22:00"),
      shift("night", "22:00", "06:00"),
    ],
  };
  const now = "2026-02-11T02:00";
  expect(spans({ period: "shift" }, now, [calendar])).toEqual([
    "2026-02-10T22:00",
    now,
    "2026-02-03T22:00",
    "2026-02-04T02:00",
  ]);
  expect(spans({ period: "last_shift" }, now, [calendar]).slice(0, 2)).toEqual([
    "2026-02-10T14:00",
    "2026-02-10T22:00",
  ]);
  expect(periodOf({ period: "last_shift" }, [calendar], BERLIN, at("2026-02-11T01:00Z")).shift).toBe("late");
  // Without a calendar the day stands for the shift.
  expect(spans({ period: "last_shift" }, now).slice(0, 2)).toEqual(["2026-02-10T00:00", "2026-02-11T00:00"]);
});

test("a period of one's own: by the plant's clock or as instants; compared by whole weeks that keep the two apart", () => {
  const custom = (from: string, to: string) => spans({ period: "custom", from, to }, "2026-06-01T00:00");
  expect(custom("2026-02-02T06:00", "2026-02-02T14:00").slice(2)).toEqual([
    "2026-01-26T06:00",
    "2026-01-26T14:00",
  ]);
  expect(custom("2026-02-02T05:00:00Z", "2026-02-12T13:00:00Z")).toEqual([
    "2026-02-02T06:00",
    "2026-02-12T14:00",
    "2026-01-19T06:00",
    "2026-01-29T14:00",
  ]);
});

test("what cannot be understood is today, with a word about it", () => {
  const of = (query: PeriodQuery) => {
    const { kind, problem } = periodOf(query, [], BERLIN, at("2026-02-11T09:00Z"));
    return [kind, problem];
  };
  expect(of({ period: "next_year" })).toEqual(["today", null]);
  expect(of({ period: "custom" })).toEqual(["today", "order"]);
  expect(of({ period: "custom", from: "2026-02-02T06:00", to: "2026-02-02T06:00" })).toEqual([
    "today",
    "order",
  ]);
  expect(of({ period: "custom", from: "2026-13-02T06:00", to: "x" })).toEqual(["today", "order"]);
  expect(of({ period: "custom", from: "2020-01-01T00:00", to: "2026-01-01T00:00" })).toEqual([
    "today",
    "long",
  ]);
});

test("short periods are cut by hour, long ones by day, unless another cut is asked for", () => {
  const by = (query: PeriodQuery) => periodOf(query, [], BERLIN, at("2026-02-11T09:00Z")).by;
  expect([by({}), by({ period: "7d" }), by({ period: "7d", by: "part" }), by({ by: "century" })]).toEqual([
    "hour",
    "day",
    "part",
    "hour",
  ]);
});
