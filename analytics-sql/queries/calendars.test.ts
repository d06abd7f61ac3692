// Calendars in figures (SPEC 7): a change from a day on leaves the past alone to the last digit; DST, night shifts, holidays.
import { expect } from "bun:test";
import { type CalendarInput, compileCalendar, validFrom_us } from "../../ingest/calendar.ts";
import { testEngine } from "../testing/engine.ts";
import { columns, event, joined, us } from "../testing/plant.ts";
import { rollerOf } from "../testing/rolled.ts";
import { sideBySide } from "../testing/side-by-side.ts";
import { type OeeCut, type OeeRow, oee } from "./oee.ts";
import type { Window } from "./window.ts";

const engine = await testEngine();
const tenant = "plant-1";
const FAR = us("2030-01-01T00:00:00Z");
/** In which all is asked: what is rolled up of a machine is one stretch, and costs by its days. */
const SPRING = ["2025-12-29T00:00:00Z", "2026-04-06T00:00:00Z"] as const;
const AUTUMN = ["2026-10-03T00:00:00Z", "2026-10-26T00:00:00Z"] as const;

type Span = readonly [from: string, to: string];
const windowOf = (machines: string[], [from, to]: Span): Window => ({
  ...{ tenant, machines, from_us: us(from), to_us: us(to), as_of_us: FAR },
});

let arrived: Uint8Array[] = [];
const machines = new Map<Span, string[]>([
  [SPRING, []],
  [AUTUMN, []],
]);
const { scenario, toGo } = sideBySide(async () => {
  await engine.insertEvents(joined(arrived));
  arrived = [];
  for (const [span, all] of machines) await rollerOf(engine).exact(windowOf(all, span));
});

const ALL: CalendarInput["shifts"][number]["days"] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const shift = (name: string, start: string, end: string) => ({ name, days: ALL, start, end });
const night = shift("night", "22:00", "06:00");

async function set(id: string, calendar: CalendarInput): Promise<void> {
  await toGo("write");
  const data = { calendar: compileCalendar(calendar), valid_from_us: validFrom_us(calendar) };
  arrived.push(event(tenant, id, "mtc.calendar.v1", data));
}

/** A machine that has run since New Year. */
async function machine(id: string, calendar: CalendarInput, span: Span = SPRING): Promise<string> {
  await set(id, calendar);
  const since_us = us("2026-01-01T00:00:00Z");
  const seen = { signal: "execution", ts_us: since_us, seq: 0, value: "ACTIVE" };
  arrived.push(event(tenant, id, "mtc.observations.v1", columns([seen])));
  machines.get(span)?.push(id);
  return id;
}

async function rows(ids: string | string[], by: OeeCut, from: string, to: string): Promise<OeeRow[]> {
  await toGo("read");
  return (await oee(engine, { ...windowOf([ids].flat(), [from, to]), by })).rows;
}

scenario(
  "invariant 3: a calendar that holds from a day on leaves every figure before it as it was",
  async () => {
    const two = { timezone: "Europe/Berlin", shifts: [shift("early", "06:00", "14:00"), night] };
    const id = await machine("dated", two);
    const span = ["2026-02-20T00:00:00Z", "2026-03-10T00:00:00Z"] as const;
    const before = await rows(id, "shift", ...span);
    await set(id, { ...two, valid_from: "2026-03-02", shifts: [shift("day", "08:00", "20:00")] });
    const after = await rows(id, "shift", ...span);
    const old = (row: OeeRow): boolean => row.key < "2026-03-02" && row.key !== "";
    expect(before.filter(old).length).toBeGreaterThan(15);
    expect(after.filter(old)).toEqual(before.filter(old));
    // The night shift that began on the last old day runs to its end.
    expect(after.find(({ key }) => key === "2026-03-01 night")).toMatchObject({
      scheduled_time_s: 8 * 3_600,
      to: "2026-03-02T05:00:00.000000Z",
    });
    expect(after.filter((row) => !old(row)).map(({ key }) => key)[0]).toBe("2026-03-02 day");
    // Set for all time, it takes the place of everything before.
    await set(id, two);
    expect(await rows(id, "shift", ...span)).toEqual(before);
  },
);

scenario(
  "a night shift over the change of the clock has 7 or 9 hours, and belongs to the day it starts",
  async () => {
    const calendar = { timezone: "Europe/Berlin", shifts: [night] };
    const spring = await machine("dst", calendar);
    const autumn = await machine("dst-autumn", calendar, AUTUMN);
    expect(await scheduled(spring, "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z")).toEqual([
      ["2026-03-27 night", 8 * 3_600],
      ["2026-03-28 night", 7 * 3_600],
      ["2026-03-29 night", 8 * 3_600],
    ]);
    const days = await rows(autumn, "day", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
    expect(days.find(({ key }) => key === "2026-10-24")).toMatchObject({ scheduled_time_s: 9 * 3_600 });
  },
);

const scheduled = async (ids: string | string[], from: string, to: string) =>
  (await rows(ids, "shift", from, to)).map(({ key, scheduled_time_s }) => [key, scheduled_time_s]);

scenario(
  "Lord Howe's clock changes by half an hour; an exceptional day may be the day of a change",
  async () => {
    const howe = { timezone: "Australia/Lord_Howe", shifts: [night] };
    await machine("lord-howe", howe);
    await machine("lord-howe-autumn", howe, AUTUMN);
    const short = { name: "short", start: "01:00", end: "05:00" };
    const berlin = {
      timezone: "Europe/Berlin",
      shifts: [shift("early", "06:00", "14:00")],
      exceptions: ["2026-03-29", "2026-10-25"].map((date) => ({ date, shifts: [short] })),
    };
    await machine("exceptional", berlin);
    await machine("exceptional-autumn", berlin, AUTUMN);
    expect(await scheduled("lord-howe", "2026-04-04T02:00:00Z", "2026-04-05T02:00:00Z")).toEqual([
      ["2026-04-04 night", 8.5 * 3_600],
    ]);
    expect(await scheduled("lord-howe-autumn", "2026-10-03T02:00:00Z", "2026-10-04T02:00:00Z")).toEqual([
      ["2026-10-03 night", 7.5 * 3_600],
    ]);
    expect(await scheduled("exceptional", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z")).toEqual([
      ["2026-03-28 early", 3_600],
      ["2026-03-29 short", 3 * 3_600],
    ]);
    expect(await scheduled("exceptional-autumn", "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z")).toEqual([
      ["2026-10-25 short", 5 * 3_600],
    ]);
  },
);

scenario(
  "invariant 3: a new zone and a shift that cuts the running night change nothing before they hold",
  async () => {
    const id = await machine("moved", { timezone: "Europe/Berlin", shifts: [night] });
    // Lisbon's 2 March begins at 01:00 in Berlin, in the night shift; the day shift cuts that two hours later.
    const seam = "2026-03-02T00:00:00.000000Z";
    const span = ["2026-02-27T00:00:00Z", "2026-03-03T12:00:00Z"] as const;
    const before = await rows(id, "hour", ...span);
    const lisbon = {
      timezone: "Europe/Lisbon",
      valid_from: "2026-03-02",
      shifts: [shift("day", "02:00", "12:00")],
    };
    await set(id, lisbon);
    const past = (all: OeeRow[]): OeeRow[] => all.filter(({ to }) => to <= seam);
    const after = await rows(id, "hour", ...span);
    expect(past(before)).toHaveLength(72);
    expect(past(after)).toEqual(past(before));
    expect(await scheduled(id, "2026-03-01T12:00:00Z", "2026-03-02T20:00:00Z")).toEqual([
      ["2026-03-01 night", 5 * 3_600],
      ["2026-03-02 day", 10 * 3_600],
    ]);
  },
);

scenario("New Zealand before noon, and a holiday between night shifts", async () => {
  const id = await machine("auckland", {
    timezone: "Pacific/Auckland",
    shifts: [shift("early", "06:00", "14:00"), night],
    exceptions: [{ date: "2026-02-06", shifts: [] }],
  });
  const found = await rows(id, "shift", "2026-02-04T11:00:00Z", "2026-02-07T11:00:00Z");
  expect(found.map(({ key, run_time_s }) => [key, run_time_s])).toEqual([
    ["2026-02-04 night", 6 * 3_600],
    ["2026-02-05 early", 8 * 3_600],
    ["2026-02-05 night", 8 * 3_600],
    ["2026-02-07 early", 8 * 3_600],
    ["2026-02-07 night", 2 * 3_600],
  ]);
});

scenario("several calendars in one plant: each machine by its own clock", async () => {
  await machine("berlin", { timezone: "Europe/Berlin", shifts: [shift("day", "08:00", "16:00")] });
  await machine("pune", { timezone: "Asia/Kolkata", shifts: [shift("day", "08:00", "16:00")] });
  expect(await scheduled(["berlin", "pune"], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")).toEqual([
    ["2026-01-05 day", 2 * 8 * 3_600],
  ]);
});

scenario("by ISO week and by month, in the plant's days", async () => {
  const id = await machine("weeks", { timezone: "UTC", shifts: [shift("early", "06:00", "14:00")] });
  const counted = [0, 200, 205, 365].map((value, i) => ({
    signal: "part_count",
    ts_us: us(`2026-01-05T${String(6 + i).padStart(2, "0")}:59:00Z`),
    seq: 0,
    value,
  }));
  arrived.push(event(tenant, id, "mtc.observations.v1", columns(counted)));
  const keys = async (by: OeeCut) =>
    (await rows(id, by, "2025-12-29T00:00:00Z", "2026-02-02T00:00:00Z")).map(({ key, total_count }) => [
      key,
      total_count,
    ]);
  expect(await keys("month")).toEqual([
    ["2025-12", 0],
    ["2026-01", 365],
    ["2026-02", 0],
  ]);
  expect((await keys("week")).slice(0, 3)).toEqual([
    ["2026-W01", 0],
    ["2026-W02", 365],
    ["2026-W03", 0],
  ]);
});
