// Calendars over HTTP (SPEC 7): how they are set, read back and refused, and that figures follow; which figures: queries/calendars.
import { expect } from "bun:test";
import { dayAfter, MONDAY, serverSideBySide } from "./testing/side-by-side.ts";

const midnight = (days: number): string => `${dayAfter(days)}T00:00:00Z`;
const SPAN = [midnight(-1), midnight(1)] as const;
const { scenario, call } = serverSideBySide(`/api/v1/oee?from=${SPAN[0]}&to=${SPAN[1]}`);

type Row = { key: string; from: string; to: string } & Record<string, number | null>;
const ALL = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const shift = (name: string, start: string, end: string) => ({ name, days: ALL, start, end });
const night = shift("night", "22:00", "06:00");

async function machine(id: string, ...calendars: object[]): Promise<string> {
  expect((await call("POST", "/api/v1/machines", { id, name: id })).status).toBe(201);
  const base = `/api/v1/machines/${id}`;
  for (const calendar of calendars) {
    expect((await call("PUT", `${base}/calendar`, calendar)).status).toBe(200);
  }
  const observations = [{ signal: "execution", ts: midnight(-4), value: "ACTIVE" }];
  expect((await call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
  return base;
}

const rows = async (base: string, by: string, from: string, to: string): Promise<Row[]> =>
  (await call<{ rows: Row[] }>("GET", `${base}/oee?by=${by}&from=${from}&to=${to}`)).body.rows;

scenario(
  "invariant 3: a calendar that holds from a day on stands beside the one before, and each has its days",
  async () => {
    // Nine hours ahead, and its clock never changes.
    const two = { timezone: "Asia/Tokyo", shifts: [shift("early", "06:00", "14:00"), night] };
    const three = { ...two, valid_from: MONDAY, shifts: [shift("day", "08:00", "20:00")] };
    const base = await machine("dated", two, three);
    expect((await call("GET", `${base}/calendar`)).body).toEqual(three);
    expect((await call("GET", `${base}/calendars`)).body).toEqual({ rows: [two, three] });
    expect((await call<{ calendar: object }>("GET", base)).body.calendar).toEqual(three);
    expect(
      (await rows(base, "shift", ...SPAN)).map(({ key, scheduled_time_s }) => [key, scheduled_time_s]),
    ).toEqual([
      [`${dayAfter(-1)} early`, 5 * 3_600],
      [`${dayAfter(-1)} night`, 8 * 3_600],
      [`${MONDAY} day`, 12 * 3_600],
      [`${dayAfter(1)} day`, 3_600],
    ]);
    // Set for all time, it takes the place of everything before.
    expect((await call("PUT", `${base}/calendar`, two)).status).toBe(200);
    expect((await call("GET", `${base}/calendars`)).body).toEqual({ rows: [two] });
  },
);

scenario("what cannot be is refused with its path, and changes nothing", async () => {
  const good = { timezone: "Europe/Berlin", shifts: [night] };
  const base = await machine("refused", good);
  const put = async (calendar: object) => {
    const { status, body } = await call<{ detail: string }>("PUT", `${base}/calendar`, calendar);
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
  expect((await call("GET", `${base}/calendars`)).body).toEqual({ rows: [good] });
});
