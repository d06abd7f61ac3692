// Filters over HTTP (SPEC 10.10): figures, losses, states and explanations of one shift, part, lot or order, and what there is of each.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ExplainCount, ExplainInterval } from "../analytics-sql/queries/explain/explain.ts";
import { figuresFrom } from "../analytics-sql/testing/explained.ts";
import { FIGURES, type Figure } from "../domain/figures.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";
import { dayAfter, MONDAY } from "./testing/side-by-side.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const id of ["mill", "lathe"]) await machine(id);
  await server.settled();
  // Rolls up both at once.
  await get(`/api/v1/oee?${WINDOW}`);
});
afterAll(() => discard(server));

const at = (time: string): string => `${MONDAY}T${time}:00Z`;
/** A day and a bit: one whole day, and a piece of the next. */
const WINDOW = `from=${MONDAY}T00:00:00Z&to=${dayAfter(1)}T02:00:00Z`;

/** Early 06–14, late 14–22. Part A in lot L1 of order O-7 until 10:00, part B in L2 until 16:00, then A in L3. */
async function machine(id: string): Promise<void> {
  const ok = async (method: string, path: string, body: object) =>
    expect([path, (await server.call(method, path, body)).status < 300]).toEqual([path, true]);
  const base = `/api/v1/machines/${id}`;
  await ok("POST", "/api/v1/machines", { id, name: id });
  await ok("PUT", `${base}/calendar`, {
    timezone: "UTC",
    shifts: [
      { name: "early", days: ["mon"], start: "06:00", end: "14:00" },
      { name: "late", days: ["mon"], start: "14:00", end: "22:00" },
    ],
  });
  await ok("PUT", `${base}/cycle-times`, [{ valid_from: at("00:00"), ideal_cycle_s: 60 }]);
  await ok("POST", `${base}/lots`, { lot: "L1", part: "A", order: "O-7", from: at("06:00") });
  await ok("POST", `${base}/lots`, { lot: "L2", part: "B", from: at("10:00") });
  await ok("POST", `${base}/lots`, { lot: "L3", part: "A", from: at("16:00") });
  const observations = [
    ["execution", "06:00", "ACTIVE"],
    ["part_count", "06:00", 0],
    ["execution", "09:00", "FEED_HOLD"],
    ["execution", "09:30", "ACTIVE"],
    ["part_count", "09:59", 100],
    ["execution", "13:00", "INTERRUPTED"],
    ["part_count", "13:30", 250],
    ["execution", "15:00", "ACTIVE"],
    ["part_count", "15:30", 270],
    ["part_count", "18:00", 370],
    ["execution", "22:00", "READY"],
    ["part_count", "23:00", 377],
  ].map(([signal, time, value]) => ({ signal, ts: at(String(time)), value }));
  await ok("POST", `/internal/machines/${id}/data`, { observations });
  await ok("POST", `${base}/rejects`, { ts: at("09:59"), count: 10 });
}

type Row = { key: string } & Record<Figure, number | null>;
type Report = { total: Row | null; rows: Row[] };
async function get<T = Report>(path: string): Promise<T> {
  const { status, body } = await server.call<T>("GET", path);
  expect([path, status]).toEqual([path, 200]);
  return body;
}
const total = async (filter: string, base = "/api/v1/machines/mill"): Promise<Row> =>
  (await get(`${base}/oee?${WINDOW}&${filter}`)).total as Row;

test("a filter leaves the time and the parts that carry the value", async () => {
  expect(await total("shift=early")).toMatchObject({
    scheduled_time_s: 8 * 3_600,
    run_time_s: 6.5 * 3_600,
    total_count: 250,
    reject_count: 10,
    oee: 240 / 480,
  });
  expect(await total("part=A")).toMatchObject({ scheduled_time_s: 10 * 3_600, total_count: 207 });
  expect(await total("part=A&shift=early")).toMatchObject({ run_time_s: 3.5 * 3_600, oee: 90 / 240 });
  expect(await total("lot=L2")).toMatchObject({ scheduled_time_s: 6 * 3_600, total_count: 170 });
  expect(await total("order=O-7")).toMatchObject({ run_time_s: 3.5 * 3_600, total_count: 100 });
  expect(await total("lot=L2", "/api/v1")).toMatchObject({ scheduled_time_s: 12 * 3_600, total_count: 340 });
  expect(await total("lot=L2&machine=lathe", "/api/v1")).toMatchObject({ total_count: 170 });
});

test("an empty value is where there is none; one that never was leaves nothing, and no ratio", async () => {
  expect(await total("shift=")).toMatchObject({
    scheduled_time_s: 0,
    calendar_time_s: 10 * 3_600,
    total_count: 7,
  });
  expect(await total("lot=")).toMatchObject({ calendar_time_s: 6 * 3_600, total_count: 0 });
  expect(await total("order=&shift=early")).toMatchObject({ total_count: 150 });
  const { total: none, rows } = await get(`/api/v1/oee?${WINDOW}&by=shift&lot=never`);
  expect(rows).toEqual([]);
  expect(none).toMatchObject({
    calendar_time_s: 0,
    total_count: 0,
    oee: null,
    availability: null,
    coverage: null,
  });
  expect(none).toMatchObject({ from: `${MONDAY}T00:00:00.000000Z`, flags: [] });
});

test("invariant 5: by every cut the filtered rows add up to the filtered total", async () => {
  // Each cut by two filters, each filter in half of the cuts: the others are held against the oracle in `queries/figures`.
  for (const [i, by] of [
    "hour",
    "shift",
    "day",
    "week",
    "month",
    "machine",
    "group",
    "plant",
    "part",
    "lot",
    "order",
  ].entries())
    for (const filter of ["shift=early", "part=A", "lot=L2", "order="].filter((_, j) => i % 2 === j % 2)) {
      const { total, rows } = await get(`/api/v1/oee?${WINDOW}&by=${by}&${filter}`);
      for (const sum of ["calendar_time_s", "run_time_s", "total_count", "reject_count"] as const) {
        const all = rows.reduce((before, row) => before + Number(row[sum]), 0);
        // The row outside of shifts is left out where nothing was made in it.
        if (by === "shift" && sum === "calendar_time_s") continue;
        expect([by, filter, sum, all]).toEqual([by, filter, sum, total?.[sum] as number]);
      }
    }
});

test("losses and states of a filter: what it leaves of them, holes where it leaves nothing", async () => {
  const losses = async (filter: string) =>
    (
      await get<{ rows: { state: string; seconds: number }[] }>(
        `/api/v1/machines/mill/losses?${WINDOW}&${filter}`,
      )
    ).rows.map(({ state, seconds }) => [state, seconds]);
  expect(await losses("part=A")).toEqual([["STOPPED", 1_800]]);
  expect(await losses("shift=late&sort=count")).toEqual([["STOPPED", 3_600]]);
  expect(await losses("lot=L2")).toEqual([["STOPPED", 7_200]]);
  const { rows } = await get<{ rows: { state: string; from: string; to: string }[] }>(
    `/api/v1/machines/mill/states?${WINDOW}&part=A&shift=early`,
  );
  const iso = (time: string) => at(time).replace("Z", ".000000Z");
  expect(rows.map(({ state, from, to }) => [state, from, to])).toEqual([
    ["RUNNING", iso("06:00"), iso("09:00")],
    ["STOPPED", iso("09:00"), iso("09:30")],
    ["RUNNING", iso("09:30"), iso("10:00")],
  ]);
});

test("invariant 5: an explanation of a filtered figure adds up, and its links keep the filter", async () => {
  type Explained = {
    value: number | null;
    intervals: ExplainInterval[];
    counts: ExplainCount[];
    links: { oee: string };
    machines: { value: number | null; links: { explain: string } }[];
  };
  for (const filter of ["shift=early", "part=A", "lot=", "order=O-7&shift=early"]) {
    const row = await total(filter);
    const found = await get<Explained>(`/api/v1/machines/mill/explain?figure=oee&${WINDOW}&${filter}`);
    const again = figuresFrom(found, true);
    for (const figure of FIGURES)
      expect([filter, figure, again[figure]]).toEqual([filter, figure, row[figure]]);
    expect((await get(found.links.oee)).total).toEqual(row);
    const plant = await get<Explained>(`/api/v1/explain?figure=availability&${WINDOW}&${filter}`);
    expect(plant.value).toBe((await total(filter, "/api/v1")).availability);
    for (const { value, links } of plant.machines)
      expect((await get<Explained>(links.explain)).value).toBe(value);
  }
});

test("what there is to filter by, the latest first; it is in the API's description", async () => {
  expect(await get<object>(`/api/v1/filters?${WINDOW}`)).toEqual({
    shifts: ["", "late", "early"],
    parts: ["A", "B", ""],
    lots: ["L3", "L2", "L1", ""],
    orders: ["", "O-7"],
    truncated: false,
  });
  const hour = `from=${at("10:00")}&to=${at("11:00")}&machine=mill`;
  expect(await get<object>(`/api/v1/filters?${hour}`)).toEqual({
    shifts: ["early"],
    parts: ["B"],
    lots: ["L2"],
    orders: [""],
    truncated: false,
  });
  type Described = { paths: Record<string, { get: { parameters: { name: string }[] } }> };
  const { paths } = await get<Described>("/openapi.json");
  for (const path of [
    "oee",
    "losses",
    "machines/{id}/oee",
    "machines/{id}/states",
    "machines/{id}/explain",
  ]) {
    const names = paths[`/api/v1/${path}`]?.get.parameters.map(({ name }) => name);
    expect([path, names]).toEqual([path, expect.arrayContaining(["shift", "part", "lot", "order"])]);
  }
});
