// The shift that is on, by the machine's own clock, whatever the plant's is.
import { expect, test } from "bun:test";
import type { CalendarInput } from "../ingest/calendar.ts";
import { shiftAt } from "./plant-time.ts";

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
