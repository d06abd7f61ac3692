// The preview of a calendar is what the figures will say: the same scheduled time, day by day, where the clock changes.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { CalendarInput } from "../ingest/calendar.ts";
import { occurrences, scheduled_ms } from "../ingest/occurrences.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => discard(server));

const EVERY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const days = [...EVERY];

/** A shift over the leap of the clock, one that ends in it, and a break that lies in it. */
const shifts: CalendarInput["shifts"] = [
  { name: "day", days, start: "06:00", end: "14:00", breaks: [{ start: "10:00", end: "10:30" }] },
  { name: "night", days, start: "22:00", end: "05:00", breaks: [{ start: "02:15", end: "03:10" }] },
];
const EUROPE: CalendarInput = {
  timezone: "Europe/Berlin",
  shifts,
  exceptions: [
    { date: "2026-03-30", shifts: [] },
    { date: "2026-03-31", shifts: [{ name: "half", start: "08:00", end: "12:00" }] },
  ],
};

const weeks: [what: string, calendars: CalendarInput[], monday: string][] = [
  ["the hour that is left out", [EUROPE], "2026-03-26"],
  ["the hour that comes twice", [EUROPE], "2026-10-22"],
  ["half an hour, at Lord Howe", [{ timezone: "Australia/Lord_Howe", shifts }], "2026-04-02"],
  ["midnight that is left out, in Santiago", [{ timezone: "America/Santiago", shifts }], "2026-09-03"],
  [
    "another calendar from a day on",
    [
      EUROPE,
      { ...EUROPE, valid_from: "2026-03-28", shifts: [{ name: "long", days, start: "00:00", end: "20:00" }] },
    ],
    "2026-03-25",
  ],
];

test.each(weeks)("%s", async (what, calendars, monday) => {
  const id = `m${Bun.hash(what)}`;
  await server.call("POST", "/api/v1/machines", { id, name: id });
  for (const calendar of calendars) await server.call("PUT", `/api/v1/machines/${id}/calendar`, calendar);
  await server.settled();
  const start = Temporal.PlainDate.from(monday).toZonedDateTime(calendars[0]?.timezone ?? "UTC");
  const [from_ms, to_ms] = [0, 7].map((n) => start.add({ days: n }).epochMilliseconds) as [number, number];
  const found = occurrences(calendars, from_ms, to_ms);
  const [from, to] = [from_ms, to_ms].map((at) => new Date(at).toISOString());
  type Report = { rows: { from: string; to: string; scheduled_time_s: number }[] };
  const path = `/api/v1/machines/${id}/oee?from=${from}&to=${to}&by=hour`;
  const { body } = await server.call<Report>("GET", path);
  const told = body.rows.map((row) => [row.from, row.scheduled_time_s]);
  const previewed = body.rows.map((row) => [
    row.from,
    scheduled_ms(found, Date.parse(row.from), Date.parse(row.to)) / 1_000,
  ]);
  expect(previewed).toEqual(told);
  // All of it: no hour with a shift is missing among the rows.
  const sum_s = told.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
  expect(sum_s).toBe(scheduled_ms(found, from_ms, to_ms) / 1_000);
  expect(sum_s).toBeGreaterThan(0);
});
