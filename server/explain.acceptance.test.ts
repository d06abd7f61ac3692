// Explanations over HTTP (SPEC 10.13): they add up to the figure of the very OEE row, and lead down to the raw observations.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ExplainCount, ExplainInterval } from "../analytics-sql/queries/explain/explain.ts";
import { figuresFrom } from "../analytics-sql/testing/explained.ts";
import { FIGURES, type Figure, FORMULAS } from "../domain/figures.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";
import { MONDAY } from "./testing/side-by-side.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await machine("mill");
  await machine("lathe");
  await machine("bare", { ideal: false });
  await server.settled();
  // Rolls up all three at once.
  await get(`/api/v1/oee?${WINDOW}`);
});
afterAll(() => discard(server));

const WINDOW = `from=${MONDAY}T05:00:00Z&to=${MONDAY}T15:00:00Z`;
const at = (time: string): string => `${MONDAY}T${time}:00Z`;

/** 05:00–15:00, shift 06:00–14:00: a minor stop, a failure with a reason, a setup with a reject, a reset, a gap in the end. */
const SEEN: [signal: string, time: string, value: string | number][] = [
  ["availability", "05:30", "AVAILABLE"],
  ["execution", "05:30", "ACTIVE"],
  ["condition:servo", "05:30", "NORMAL"],
  ["program", "05:30", "O1"],
  ["part_count", "05:30", 0],
  ["part_count_bad", "05:30", 0],
  ["part_count", "07:59", 118],
  ["execution", "08:00", "FEED_HOLD"],
  ["execution", "08:02", "ACTIVE"],
  ["part_count", "09:59", 200],
  ["execution", "10:00", "INTERRUPTED"],
  ["condition:servo", "10:00", "FAULT"],
  ["condition:servo", "10:30", "NORMAL"],
  ["functional_mode", "10:30", "SETUP"],
  ["part_count", "10:45", 205],
  ["part_count_bad", "10:45", 5],
  ["functional_mode", "11:00", "PRODUCTION"],
  ["execution", "11:00", "ACTIVE"],
  ["program", "11:00", "O2"],
  ["part_count", "12:59", 3],
  ["availability", "13:30", "UNAVAILABLE"],
];

async function machine(id: string, { ideal = true } = {}): Promise<void> {
  const ok = async (method: string, path: string, body: object) =>
    expect((await server.call(method, path, body)).status).toBeLessThan(300);
  const base = `/api/v1/machines/${id}`;
  await ok("POST", "/api/v1/machines", { id, name: id });
  await ok("PUT", `${base}/calendar`, {
    timezone: "UTC",
    shifts: [
      {
        name: "early",
        days: ["mon"],
        start: "06:00",
        end: "14:00",
        breaks: [{ start: "09:00", end: "09:15" }],
      },
    ],
  });
  if (ideal) await ok("PUT", `${base}/cycle-times`, [{ valid_from: at("00:00"), ideal_cycle_s: 58.3 }]);
  await ok("PUT", `${base}/policy`, { minor_stop_s: 300, reasons: { lunch: "excluded" } });
  const observations = SEEN.map(([signal, time, value]) => ({ signal, ts: at(time), value }));
  await ok("POST", `/internal/machines/${id}/data`, { observations });
  await ok("POST", `${base}/downtime`, { from: at("10:00"), to: at("10:10"), reason: "tool" });
  await ok("POST", `${base}/downtime`, { from: at("10:10"), to: at("10:20"), reason: "lunch" });
  await ok("POST", `${base}/rejects`, { ts: at("07:00"), count: 2 });
}

type Row = { key: string; from: string; to: string } & Record<Figure, number | null>;
type Explained = {
  value: number | null;
  formula: { text: string; source: string; terms: { name: string; value: number | null; unit: string }[] };
  policy: object | null;
  calendars: { timezone: string }[];
  intervals: ExplainInterval[];
  counts: ExplainCount[];
  truncated: boolean;
  next_cursor: string | null;
  gaps: object[];
  links: { oee: string; states: string; observations: { signal: string; href: string }[] };
  machines: { machine_id: string; value: number | null; share: number | null; links: { explain: string } }[];
};
const get = async <T = Explained>(path: string): Promise<T> => {
  const { status, body } = await server.call<T>("GET", path);
  expect([path, status]).toEqual([path, 200]);
  return body;
};
const rowsOf = async (path: string): Promise<Row[]> => (await get<{ rows: Row[] }>(path)).rows;

// One row of each cut and machine: all rows of generated machines are explained in `queries/figures`.
const CUTS = ["total", "shift", "hour", "day", "week", "month", "machine", "plant", "part", "lot", "order"];
for (const by of CUTS)
  test(`invariant 5: by ${by}, every figure is the OEE row's and follows from what is listed`, async () => {
    for (const id of ["mill", "bare"]) {
      const base = `/api/v1/machines/${id}`;
      const rows = await rowsOf(`${base}/oee?${WINDOW}&by=${by}`);
      // Of hours the one with a failure, and one outside of the shift.
      const row = rows[id === "mill" ? rows.length >> 1 : 0];
      if (!row) throw new Error(`by ${by} there is no row`);
      const key = encodeURIComponent(row.key);
      const found = await get(`${base}/explain?figure=oee&${WINDOW}&by=${by}&key=${key}`);
      const again = figuresFrom(found, id === "mill");
      for (const figure of FIGURES)
        expect([by, row.key, figure, again[figure]]).toEqual([by, row.key, figure, row[figure]]);
      expect(found.value).toBe(row.oee);
      expect(found.truncated).toBe(false);
    }
  });

test("invariant 5: each figure has its formula, its terms and the value of the OEE row", async () => {
  const [row] = await rowsOf(`/api/v1/machines/mill/oee?${WINDOW}`);
  for (const figure of FIGURES.filter((_, i) => i % 3 === 0)) {
    const found = await get(`/api/v1/machines/mill/explain?figure=${figure}&${WINDOW}`);
    expect([figure, found.value]).toEqual([figure, row?.[figure] ?? null]);
    expect(found.formula.terms.length).toBe(FORMULAS[figure].terms.length);
    expect(found.formula.text).not.toBe("");
  }
  const { formula } = await get(`/api/v1/machines/mill/explain?figure=availability&${WINDOW}`);
  expect(formula).toMatchObject({
    text: "run time ÷ planned time",
    source: "ISO 22400-2",
    terms: [
      { name: "run time", value: (118 + 60 + 105 - 60 + 150) * 60, unit: "s" },
      { name: "planned time", value: (480 - 15 - 10) * 60, unit: "s" },
    ],
  });
});

test("intervals say what they count as, counts at which ideal cycle; policy and calendar are in force", async () => {
  const found = await get(`/api/v1/machines/mill/explain?figure=oee&${WINDOW}`);
  const span = (from: string) => {
    const { counts_as, state, reason, seconds, shift } = found.intervals.find(
      (one) => one.from === at(from).replace("Z", ".000000Z"),
    ) as ExplainInterval;
    return [counts_as, state, reason, seconds, shift];
  };
  expect(span("05:00")).toEqual(["not_scheduled", "UNKNOWN", "", 1_800, ""]);
  expect(span("06:00")).toEqual(["run", "RUNNING", "", 7_200, `${MONDAY} early`]);
  expect(span("08:00")).toEqual(["minor", "STOPPED", "", 120, `${MONDAY} early`]);
  expect(span("09:00")).toEqual(["not_scheduled", "RUNNING", "", 900, `${MONDAY} early`]);
  expect(span("10:00")).toEqual(["breakdown", "DOWN", "tool", 600, `${MONDAY} early`]);
  expect(span("10:10")).toEqual(["excluded", "DOWN", "lunch", 600, `${MONDAY} early`]);
  expect(span("10:30")).toEqual(["setup", "SETUP", "", 1_800, `${MONDAY} early`]);
  expect(span("13:30")).toEqual(["unknown", "UNKNOWN", "", 1_800, `${MONDAY} early`]);
  expect(found.counts).toContainEqual({
    ts: at("10:45").replace("Z", ".000000Z"),
    total: 5,
    reject: 5,
    part: "O1",
    lot: "",
    order: "",
    state: "SETUP",
    ideal_cycle_s: 58.3,
    spike: false,
    reset: false,
  });
  expect(found.counts.at(-1)).toMatchObject({ total: 3, part: "O2", reset: true });
  expect(found.policy).toMatchObject({ unknown: "loss", reasons: { lunch: "excluded" }, minor_stop_s: 300 });
  expect(found.calendars).toMatchObject([{ timezone: "UTC" }]);
});

test("the links lead to the row and to the raw observations", async () => {
  const found = await get(`/api/v1/machines/mill/explain?figure=oee&${WINDOW}`);
  expect((await rowsOf(found.links.oee))[0]?.oee).toBe(found.value as number);
  const { href } = found.links.observations.find(({ signal }) => signal === "execution") ?? { href: "" };
  const { rows } = await get<{ rows: { value: string }[] }>(href);
  expect(rows.map(({ value }) => value)).toEqual(["ACTIVE", "FEED_HOLD", "ACTIVE", "INTERRUPTED", "ACTIVE"]);
});

test("invariant 7: a page is cut at one instant for both lists, and the pages together are the whole", async () => {
  const path = `/api/v1/machines/mill/explain?figure=oee&${WINDOW}`;
  const whole = await get(path);
  const pages: Explained[] = [];
  for (let cursor = ""; ; ) {
    const page = await get(`${path}&limit=2${cursor}`);
    pages.push(page);
    expect(page.intervals.length).toBeLessThanOrEqual(2);
    expect(page.counts.length).toBeLessThanOrEqual(2);
    expect(page.truncated).toBe(page.next_cursor !== null);
    if (page.next_cursor === null) break;
    cursor = `&cursor=${page.next_cursor}`;
  }
  expect(pages.length).toBeGreaterThan(5);
  expect(pages.flatMap(({ intervals }) => intervals)).toEqual(whole.intervals);
  expect(pages.flatMap(({ counts }) => counts)).toEqual(whole.counts);
});

test("over machines: the sums first, then each machine's part with the value its own row has", async () => {
  for (const figure of ["oee", "availability", "mttr_s", "reject_count"] as const) {
    const query = `${WINDOW}&machine=mill,lathe`;
    const found = await get(`/api/v1/explain?figure=${figure}&${query}`);
    expect(found.value).toBe((await rowsOf(`/api/v1/oee?${query}`))[0]?.[figure] ?? null);
    expect(found.machines.map(({ share }) => share)).toEqual([0.5, 0.5]);
    for (const { value, links } of found.machines) expect((await get(links.explain)).value).toBe(value);
  }
  const shift = encodeURIComponent(`${MONDAY} early`);
  const found = await get(`/api/v1/explain?figure=oee&${WINDOW}&by=shift&key=${shift}`);
  const [row] = (await rowsOf(`/api/v1/oee?${WINDOW}&by=shift`)).filter(
    ({ key }) => key === `${MONDAY} early`,
  );
  expect(found.value).toBe(row?.oee ?? null);
  for (const { value, links } of found.machines) expect((await get(links.explain)).value).toBe(value);
});

test("a state is told by its rule and the values in force, and a reason by who gave it", async () => {
  const state = (time: string) =>
    get<{
      state: string;
      rule: number;
      rule_text: string;
      reason: string;
      reason_from: string;
      values: object[];
    }>(`/api/v1/machines/mill/explain/state?at=${at(time)}`);
  expect(await state("10:05")).toMatchObject({
    state: "DOWN",
    rule: 4,
    rule_text: "a fault condition while execution is not ACTIVE: DOWN",
    reason: "tool",
    reason_from: "operator",
    values: [
      { signal: "availability", value: "AVAILABLE" },
      { signal: "condition:servo", value: "FAULT", ts: at("10:00").replace("Z", ".000000Z"), seq: 0 },
      { signal: "execution", value: "INTERRUPTED" },
    ],
  });
  expect(await state("07:00")).toMatchObject({ state: "RUNNING", rule: 3, reason_from: "" });
  expect(await state("10:40")).toMatchObject({ state: "SETUP", rule: 5 });
  expect(await state("13:45")).toMatchObject({ state: "UNKNOWN", rule: 1, cause: "unavailable" });
  expect(await state("05:10")).toMatchObject({ state: "UNKNOWN", rule: 0, cause: "no_data", values: [] });
});

test("the intervals as CSV", async () => {
  const { body, headers } = await server.call<string>(
    "GET",
    `/api/v1/machines/mill/explain?figure=oee&${WINDOW}&format=csv`,
  );
  expect(headers.get("content-type")).toContain("text/csv");
  expect(body.split("\n")[0]).toBe(
    "from,to,seconds,state,reason,cause,shift,scheduled,excluded,loss,counts_as,failures,stops",
  );
});

test("what cannot be explained is refused with its path", async () => {
  const refused = async (path: string) => {
    const { status, body } = await server.call<{ errors?: { path: string }[] }>("GET", path);
    return [status, body.errors?.[0]?.path];
  };
  const base = "/api/v1/machines/mill/explain";
  expect(await refused(`${base}?figure=luck&${WINDOW}`)).toEqual([422, "/figure"]);
  expect(await refused(`${base}?${WINDOW}`)).toEqual([422, "/figure"]);
  expect(await refused(`${base}?figure=oee&${WINDOW}&by=shift`)).toEqual([422, "/key"]);
  expect(await refused(`${base}?figure=oee&${WINDOW}&by=shift&key=late`)).toEqual([422, "/key"]);
  for (const key of [
    "day&key=2026-02-30",
    "week&key=2026-W99",
    "hour&key=noon",
    "machine&key=lathe",
    "part&key=O9",
  ])
    expect([key, ...(await refused(`${base}?figure=oee&${WINDOW}&by=${key}`))]).toEqual([key, 422, "/key"]);
  expect(await refused(`${base}?figure=oee&${WINDOW}&cursor=x`)).toEqual([422, "/cursor"]);
  expect(await refused(`${base}/state?at=noon`)).toEqual([422, "/at"]);
  expect(await refused(`/api/v1/explain?figure=luck`)).toEqual([422, "/figure"]);
  expect(await refused("/api/v1/machines/none/explain?figure=oee")).toEqual([404, undefined]);
});
