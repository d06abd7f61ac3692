// Calendars over HTTP (SPEC 7): a change from a day on leaves the past alone to the last digit; DST, night shifts, holidays.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { discard, startServer, type TestServer } from "./testing/server.ts";
import { stormy } from "./testing/storm.ts";

let server: TestServer;
beforeAll(async () => {
  server = stormy(await startServer());
});
afterAll(() => discard(server));

type Row = { key: string; from: string; to: string } & Record<string, number | null>;
const ALL = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const shift = (name: string, start: string, end: string) => ({ name, days: ALL, start, end });
const night = shift("night", "22:00", "06:00");

async function machine(id: string, ...calendars: object[]): Promise<string> {
  expect((await server.call("POST", "/api/v1/machines", { id, name: id })).status).toBe(201);
  const base = `/api/v1/machines/${id}`;
  for (const calendar of calendars) {
    expect((await server.call("PUT", `${base}/calendar`, calendar)).status).toBe(200);
  }
  const observations = [{ signal: "execution", ts: "2026-01-01T00:00:00Z", value: "ACTIVE" }];
  expect((await server.call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
  await server.settled();
  return base;
}

const rows = async (base: string, by: string, from: string, to: string): Promise<Row[]> =>
  (await server.call<{ rows: Row[] }>("GET", `${base}/oee?by=${by}&from=${from}&to=${to}`)).body.rows;

test("invariant 3: a calendar that holds from a day on leaves every figure before it as it was", async () => {
  const two = { timezone: "Europe/Berlin", shifts: [shift("early", "06:00", "14:00"), night] };
  const base = await machine("dated", two);
  const span = ["2026-02-20T00:00:00Z", "2026-03-10T00:00:00Z"] as const;
  const before = await rows(base, "shift", ...span);
  const three = { ...two, valid_from: "2026-03-02", shifts: [shift("day", "08:00", "20:00")] };
  expect((await server.call("PUT", `${base}/calendar`, three)).status).toBe(200);
  await server.settled();
  const after = await rows(base, "shift", ...span);
  const old = (row: Row): boolean => row.key < "2026-03-02" && row.key !== "";
  expect(after.filter(old)).toEqual(before.filter(old));
  // The night shift that began on the last old day runs to its end.
  expect(after.find(({ key }) => key === "2026-03-01 night")).toMatchObject({
    scheduled_time_s: 8 * 3_600,
    to: "2026-03-02T05:00:00.000000Z",
  });
  expect(after.filter((row) => !old(row)).map(({ key }) => key)[0]).toBe("2026-03-02 day");
  expect((await server.call("GET", `${base}/calendar`)).body).toEqual(three);
  expect((await server.call("GET", `${base}/calendars`)).body).toEqual({ rows: [two, three] });
  expect((await server.call<{ calendar: object }>("GET", base)).body.calendar).toEqual(three);
  // Set for all time, it takes the place of everything before.
  expect((await server.call("PUT", `${base}/calendar`, two)).status).toBe(200);
  await server.settled();
  expect(await rows(base, "shift", ...span)).toEqual(before);
});

test("a night shift over the change of the clock has 7 or 9 hours, and belongs to the day it starts", async () => {
  const base = await machine("dst", { timezone: "Europe/Berlin", shifts: [night] });
  const spring = await rows(base, "shift", "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z");
  expect(spring.map(({ key, scheduled_time_s }) => [key, scheduled_time_s])).toEqual([
    ["2026-03-27 night", 8 * 3_600],
    ["2026-03-28 night", 7 * 3_600],
    ["2026-03-29 night", 8 * 3_600],
  ]);
  const autumn = await rows(base, "day", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
  expect(autumn.find(({ key }) => key === "2026-10-24")).toMatchObject({ scheduled_time_s: 9 * 3_600 });
});

const scheduled = async (base: string, from: string, to: string) =>
  (await rows(base, "shift", from, to)).map(({ key, scheduled_time_s }) => [key, scheduled_time_s]);

test("Lord Howe's clock changes by half an hour; an exceptional day may be the day of a change", async () => {
  const howe = await machine("lord-howe", { timezone: "Australia/Lord_Howe", shifts: [night] });
  expect(await scheduled(howe, "2026-04-04T02:00:00Z", "2026-04-05T02:00:00Z")).toEqual([
    ["2026-04-04 night", 8.5 * 3_600],
  ]);
  expect(await scheduled(howe, "2026-10-03T02:00:00Z", "2026-10-04T02:00:00Z")).toEqual([
    ["2026-10-03 night", 7.5 * 3_600],
  ]);
  const short = { name: "short", start: "01:00", end: "05:00" };
  const berlin = await machine("exceptional", {
    timezone: "Europe/Berlin",
    shifts: [shift("early", "06:00", "14:00")],
    exceptions: ["2026-03-29", "2026-10-25"].map((date) => ({ date, shifts: [short] })),
  });
  expect(await scheduled(berlin, "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z")).toEqual([
    ["2026-03-28 early", 3_600],
    ["2026-03-29 short", 3 * 3_600],
  ]);
  expect(await scheduled(berlin, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z")).toEqual([
    ["2026-10-25 short", 5 * 3_600],
  ]);
});

test("invariant 3: a new zone and a shift that cuts the running night change nothing before they hold", async () => {
  const base = await machine("moved", { timezone: "Europe/Berlin", shifts: [night] });
  // Lisbon's 2 March begins at 01:00 in Berlin, in the night shift; the day shift cuts that two hours later.
  const seam = "2026-03-02T00:00:00.000000Z";
  const span = ["2026-02-27T00:00:00Z", "2026-03-03T12:00:00Z"] as const;
  const before = await rows(base, "hour", ...span);
  const lisbon = {
    timezone: "Europe/Lisbon",
    valid_from: "2026-03-02",
    shifts: [shift("day", "02:00", "12:00")],
  };
  expect((await server.call("PUT", `${base}/calendar`, lisbon)).status).toBe(200);
  await server.settled();
  const past = (all: Row[]): Row[] => all.filter(({ to }) => to <= seam);
  const after = await rows(base, "hour", ...span);
  expect(past(before)).toHaveLength(72);
  expect(past(after)).toEqual(past(before));
  expect(await scheduled(base, "2026-03-01T12:00:00Z", "2026-03-02T20:00:00Z")).toEqual([
    ["2026-03-01 night", 5 * 3_600],
    ["2026-03-02 day", 10 * 3_600],
  ]);
});

test("New Zealand before noon, and a holiday between night shifts", async () => {
  const early = shift("early", "06:00", "14:00");
  const base = await machine("auckland", {
    timezone: "Pacific/Auckland",
    shifts: [early, night],
    exceptions: [{ date: "2026-02-06", shifts: [] }],
  });
  const span = ["2026-02-04T11:00:00Z", "2026-02-07T11:00:00Z"] as const;
  const found = await rows(base, "shift", ...span);
  expect(found.map(({ key, run_time_s }) => [key, run_time_s])).toEqual([
    ["2026-02-04 night", 6 * 3_600],
    ["2026-02-05 early", 8 * 3_600],
    ["2026-02-05 night", 8 * 3_600],
    ["2026-02-07 early", 8 * 3_600],
    ["2026-02-07 night", 2 * 3_600],
  ]);
});

test("several calendars in one plant: each machine by its own clock", async () => {
  await machine("berlin", { timezone: "Europe/Berlin", shifts: [shift("day", "08:00", "16:00")] });
  await machine("pune", { timezone: "Asia/Kolkata", shifts: [shift("day", "08:00", "16:00")] });
  const query = "machine=berlin,pune&from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z";
  const asked = await server.call<{ rows: Row[] }>("GET", `/api/v1/oee?by=shift&${query}`);
  expect(asked.body.rows.map(({ key, scheduled_time_s }) => [key, scheduled_time_s])).toEqual([
    ["2026-01-05 day", 2 * 8 * 3_600],
  ]);
});

test("what cannot be is refused with its path, and changes nothing", async () => {
  const good = { timezone: "Europe/Berlin", shifts: [night] };
  const base = await machine("refused", good);
  const put = async (calendar: object) => {
    const { status, body } = await server.call<{ detail: string }>("PUT", `${base}/calendar`, calendar);
    return [status, body.detail];
  };
  expect(await put({ ...good, valid_from: "2026-02-30" })).toEqual([
    422,
    expect.stringContaining("/valid_from"),
  ]);
  expect(await put({ ...good, valid_from: "March" })).toEqual([422, expect.stringContaining("/valid_from")]);
  expect(await put({ ...good, shifts: [night, shift("late", "20:00", "23:00")] })).toEqual([
    422,
    expect.stringContaining("/shifts/0"),
  ]);
  expect((await server.call("GET", `${base}/calendars`)).body).toEqual({ rows: [good] });
});
