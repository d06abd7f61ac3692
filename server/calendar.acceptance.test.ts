// Calendars over HTTP (SPEC 7): how they are set, read back and refused, and that figures follow; which figures: queries/calendars.
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

test("invariant 3: a calendar that holds from a day on stands beside the one before, and each has its days", async () => {
  const two = { timezone: "Europe/Berlin", shifts: [shift("early", "06:00", "14:00"), night] };
  const three = { ...two, valid_from: "2026-03-02", shifts: [shift("day", "08:00", "20:00")] };
  const base = await machine("dated", two, three);
  expect((await server.call("GET", `${base}/calendar`)).body).toEqual(three);
  expect((await server.call("GET", `${base}/calendars`)).body).toEqual({ rows: [two, three] });
  expect((await server.call<{ calendar: object }>("GET", base)).body.calendar).toEqual(three);
  const found = await rows(base, "shift", "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z");
  expect(found.map(({ key, scheduled_time_s }) => [key, scheduled_time_s])).toEqual([
    ["2026-02-28 night", 5 * 3_600],
    ["2026-03-01 early", 8 * 3_600],
    ["2026-03-01 night", 8 * 3_600],
    ["2026-03-02 day", 12 * 3_600],
  ]);
  // Set for all time, it takes the place of everything before.
  expect((await server.call("PUT", `${base}/calendar`, two)).status).toBe(200);
  expect((await server.call("GET", `${base}/calendars`)).body).toEqual({ rows: [two] });
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
