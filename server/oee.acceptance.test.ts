// Published OEE cases through HTTP (SPEC 10.4): events in, numbers out.
import { expect } from "bun:test";
import { dayAfter, MONDAY, serverSideBySide } from "./testing/side-by-side.ts";

type Row = Record<
  | "availability"
  | "performance"
  | "quality"
  | "oee"
  | "coverage"
  | "planned_time_s"
  | "run_time_s"
  | "total_count"
  | "good_count"
  | "reject_count"
  | "scheduled_time_s",
  number
>;
type Report = {
  policy: { unknown: string; reasons: Record<string, string> };
  rows: (Row & { key: string; flags: string[] })[];
};

const at = (time: string, day = MONDAY): string => `${day}T${time}:00Z`;
const WINDOW = `from=${at("00:00")}&to=${at("00:00", dayAfter(1))}`;

const { scenario, call } = serverSideBySide(`/api/v1/oee?${WINDOW}`);

/** Shift 06:00–14:00 UTC with two breaks of 30 minutes. */
const calendar = (breaks: { start: string; end: string }[]) => ({
  timezone: "UTC",
  shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00", breaks }],
});
const BREAKS = [
  { start: "09:00", end: "09:30" },
  { start: "12:00", end: "12:30" },
];

async function machine(id: string, ideal_cycle_s: number, breaks: typeof BREAKS): Promise<void> {
  const base = `/api/v1/machines/${id}`;
  expect((await call("POST", "/api/v1/machines", { id, name: id })).status).toBe(201);
  expect((await call("PUT", `${base}/calendar`, calendar(breaks))).status).toBe(200);
  const times = [{ valid_from: at("00:00"), ideal_cycle_s }];
  expect((await call("PUT", `${base}/cycle-times`, times)).status).toBe(200);
}

type Observation = [signal: string, time: string, value: string | number];
async function observe(id: string, rows: Observation[]): Promise<void> {
  const observations = rows.map(([signal, time, value]) => ({ signal, ts: at(time), value }));
  expect((await call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
}

async function report(id: string, by = "total"): Promise<Report> {
  return (await call<Report>("GET", `/api/v1/machines/${id}/oee?${WINDOW}&by=${by}`)).body;
}

/** Runs 06:00–14:00 but for a stop of 47 minutes; stands in the breaks. */
const day: Observation[] = [
  ["execution", "05:55", "READY"],
  ["part_count", "05:55", 1000],
  ["execution", "06:00", "ACTIVE"],
  ["execution", "09:00", "READY"],
  ["execution", "09:30", "ACTIVE"],
  ["execution", "10:00", "STOPPED"],
  ["execution", "10:47", "ACTIVE"],
  ["execution", "12:00", "READY"],
  ["execution", "12:30", "ACTIVE"],
  ["part_count", "13:59", 20_271],
  ["execution", "14:00", "READY"],
];

scenario("480 min, 60 min breaks, 47 min stop, 19,271 parts at 1 s, 423 rejects", async () => {
  await machine("case-1", 1, BREAKS);
  await observe("case-1", day);
  const rejects = { ts: at("13:00"), count: 423, reason: "scratched" };
  expect((await call("POST", "/api/v1/machines/case-1/rejects", rejects)).status).toBe(201);
  const { policy, rows } = await report("case-1");
  expect(rows).toHaveLength(1);
  const [row] = rows;
  expect(row).toMatchObject({
    scheduled_time_s: 25_200,
    planned_time_s: 25_200,
    run_time_s: 22_380,
    total_count: 19_271,
    good_count: 18_848,
    reject_count: 423,
    coverage: 1,
  });
  expect(row?.availability).toBeCloseTo(22_380 / 25_200, 12);
  expect(row?.performance).toBeCloseTo(19_271 / 22_380, 12);
  expect(row?.quality).toBeCloseTo(18_848 / 19_271, 12);
  expect(row?.oee).toBeCloseTo(18_848 / 25_200, 12);
  const published = [row?.availability, row?.performance, row?.quality, row?.oee].map((ratio) =>
    ratio?.toFixed(6),
  );
  expect(published).toEqual(["0.888095", "0.861081", "0.978050", "0.747937"]);
  expect(policy).toMatchObject({ unknown: "loss", reasons: {} });
});

scenario("the same with breaks counted as loss: A is 373 of 480", async () => {
  await machine("case-2", 1, []);
  await observe("case-2", day);
  const [row] = (await report("case-2")).rows;
  expect(row?.availability).toBeCloseTo(373 / 480, 12);
});

scenario("420 of 480 min, 400 parts at 1 min, 380 good: 0.791667, not the published 79.1 %", async () => {
  await machine("case-3", 60, []);
  await observe("case-3", [
    ["execution", "06:00", "ACTIVE"],
    ["part_count", "06:00", 0],
    ["part_count_bad", "06:00", 0],
    ["execution", "13:00", "STOPPED"],
    ["part_count", "12:59", 400],
    ["part_count_bad", "12:59", 20],
  ]);
  const [row] = (await report("case-3")).rows;
  expect(row).toMatchObject({ availability: 0.875, good_count: 380, quality: 0.95 });
  expect(row?.oee).toBeCloseTo(380 / 480, 12);
});

scenario("planned maintenance: loss and excluded give two figures, and the report says which", async () => {
  await machine("case-4", 1, BREAKS);
  await observe("case-4", day);
  const downtime = { from: at("10:00"), to: at("10:47"), reason: "maintenance" };
  expect((await call("POST", "/api/v1/machines/case-4/downtime", downtime)).status).toBe(201);
  const loss = await report("case-4");
  expect(loss.rows[0]).toMatchObject({ planned_time_s: 25_200, availability: 22_380 / 25_200 });
  const policy = { unknown: "loss", reasons: { maintenance: "excluded" } };
  expect((await call("PUT", "/api/v1/machines/case-4/policy", policy)).status).toBe(200);
  const excluded = await report("case-4");
  expect(excluded.policy).toMatchObject(policy);
  expect(excluded.rows[0]).toMatchObject({ planned_time_s: 22_380, run_time_s: 22_380, availability: 1 });
  const { body } = await call<{ rows: { state: string; reason: string }[] }>(
    "GET",
    `/api/v1/machines/case-4/states?${WINDOW}`,
  );
  expect(body.rows.find(({ reason }) => reason === "maintenance")).toMatchObject({
    state: "STOPPED",
    seconds: 2_820,
  });
});

scenario("invariant 5: hours and shifts add up to the total, and CSV says the same", async () => {
  const [total] = (await report("case-1")).rows;
  for (const by of ["hour", "shift", "day"]) {
    const { rows } = await report("case-1", by);
    for (const column of ["scheduled_time_s", "run_time_s", "total_count", "reject_count"] as const) {
      expect(rows.reduce((sum, row) => sum + row[column], 0)).toBeCloseTo(total?.[column] ?? Number.NaN, 6);
    }
  }
  const { body } = await call<string>("GET", `/api/v1/machines/case-1/oee?${WINDOW}&by=total&format=csv`);
  const [header = "", line = ""] = body.trim().split("\n");
  const cells = Object.fromEntries(header.split(",").map((name, i) => [name, line.split(",")[i]]));
  expect(Number(cells.oee)).toBe(total?.oee ?? Number.NaN);
});

scenario("invariant 5: over machines sums come first", async () => {
  const { body } = await call<Report>("GET", `/api/v1/oee?${WINDOW}&by=machine`);
  const { body: all } = await call<Report>("GET", `/api/v1/oee?${WINDOW}`);
  const sum = (column: keyof Row) => body.rows.reduce((total, row) => total + row[column], 0);
  expect(all.rows[0]?.availability).toBeCloseTo(sum("run_time_s") / sum("planned_time_s"), 12);
  expect(all.rows[0]?.quality).toBeCloseTo(sum("good_count") / sum("total_count"), 12);
});

scenario("invariant 3: a late observation corrects the past", async () => {
  const [before] = (await report("case-2")).rows;
  expect(before?.availability).toBeCloseTo(373 / 480, 12);
  await observe("case-2", [["execution", "10:20", "ACTIVE"]]);
  const [row] = (await report("case-2")).rows;
  expect(row?.availability).toBeCloseTo(400 / 480, 12);
});
