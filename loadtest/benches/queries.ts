// What is asked of a plant with a month behind it: OEE, states, and the pages.

import { quantile } from "../../server/testing/quantile.ts";
import { machineId, PRODUCTION_ROWS_PER_DAY, type Series } from "../lib/observations.ts";
import { clock_ms } from "../lib/process.ts";
import { expectRows, type Product, withProduct } from "../lib/product.ts";
import { atMost, type Bench, type Context, round } from "../lib/report.ts";
import type { Sizes } from "../lib/sizes.ts";

const ROWS = 500;
const DAY_US = 86_400_000_000;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat"];
const CALENDAR = {
  timezone: "Europe/Berlin",
  shifts: [
    { name: "early", days: DAYS, start: "06:00", end: "14:00", breaks: [{ start: "09:00", end: "09:30" }] },
    { name: "late", days: DAYS, start: "14:00", end: "22:00", breaks: [{ start: "18:00", end: "18:30" }] },
    { name: "night", days: DAYS, start: "22:00", end: "06:00", breaks: [{ start: "02:00", end: "02:30" }] },
  ],
  exceptions: [],
};

export const queries: Bench = {
  name: "queries",
  async run(context) {
    const { plant_machines: machines, plant_days: days } = context.sizes;
    // Until now: pages show the shift that runs.
    const to_us = Math.floor(Date.now() / 60_000) * 60_000_000;
    const series: Series = { kind: "production", machines, rows: ROWS, base_us: to_us - days * DAY_US };
    const batches = Math.floor((days * PRODUCTION_ROWS_PER_DAY) / ROWS) * machines;
    await withProduct(machines, async (product) => {
      context.progress(`${machines} machines × ${days} days: ${batches * ROWS} state and part points`);
      await Promise.all(Array.from({ length: machines }, (_, n) => configure(product, n, series.base_us)));
      await product.load({ format: "columns", series, first: 0, batches, connections: 16 });
      await product.settled_ms();
      await ask(context, product, series.base_us, to_us);
      await expectRows(product, batches * ROWS);
    });
  },
};

const iso = (ts_us: number): string => new Date(ts_us / 1_000).toISOString();
const span = (from_us: number, to_us: number): string => `from=${iso(from_us)}&to=${iso(to_us)}`;

async function configure({ server }: Product, n: number, from_us: number): Promise<void> {
  const machine = `/api/v1/machines/${machineId(n)}`;
  const puts: [string, unknown][] = [
    [`${machine}/calendar`, CALENDAR],
    [`${machine}/cycle-times`, [{ valid_from: iso(from_us), ideal_cycle_s: 100 }]],
  ];
  for (const [path, body] of puts) {
    const { status } = await server.call("PUT", path, body);
    if (status >= 300) throw new Error(`PUT ${path} was answered with ${status}`);
  }
}

async function ask(context: Context, product: Product, from_us: number, to_us: number): Promise<void> {
  const [month, day] = [span(from_us, to_us), span(to_us - DAY_US, to_us)];
  const { plant_machines: machines, plant_days: days } = context.sizes;
  const one = `/api/v1/machines/${machineId(0)}`;
  const plant = `${machines} machines × ${days} days`;
  const asked: [name: string, path: string, limit_ms: number | undefined, note: string][] = [
    ["queries.oee.plant_by_hour", `/api/v1/oee?by=hour&${month}`, 300, plant],
    ["queries.oee.plant_by_machine", `/api/v1/oee?by=machine&${month}`, undefined, plant],
    ["queries.oee.machine_by_hour", `${one}/oee?by=hour&${month}`, 300, `one machine of ${plant}`],
    ["queries.states.machine", `${one}/states?${month}`, undefined, `one machine of ${plant}`],
    ["queries.page.hmi", "/hmi", 150, plant],
    ["queries.page.hmi_machine", "/hmi/{machine}", 150, plant],
    ["queries.page.dashboard", "/dashboard", 150, plant],
    ["queries.page.dashboard_machine", "/dashboard/{machine}", 150, plant],
    ["queries.page.explain", `/dashboard/explain?figure=oee&${day}`, 150, plant],
    ["queries.page.explain_machine", `/dashboard/{machine}/explain?figure=oee&${day}`, 150, plant],
  ];
  for (const [name, path, limit_ms, note] of asked) {
    context.progress(name);
    const times_ms = await timesOf(product, path, context.sizes);
    const [p50_ms, p95_ms] = [quantile(times_ms, 0.5), quantile(times_ms, 0.95)];
    const value = round(name.startsWith("queries.page") ? p95_ms : p50_ms);
    context.report({
      name,
      value,
      unit: "ms",
      ...(limit_ms === undefined ? {} : atMost(limit_ms, value)),
      p50_ms: round(p50_ms),
      p95_ms: round(p95_ms),
      times: times_ms.length,
      note,
    });
  }
}

/**
 * Asks one after the other, from the request to the answer's last byte, until it is enough or takes too long. `{machine}`
 * is another one each time, which nobody looked at yet.
 */
async function timesOf({ server }: Product, path: string, { queries, queries_s }: Sizes): Promise<number[]> {
  let machine = 0;
  const ask = async (): Promise<number> => {
    const page = path.replace("{machine}", machineId(machine++));
    const began_ms = clock_ms();
    const { status } = await server.call("GET", page);
    if (status !== 200) throw new Error(`${path} was answered with ${status}`);
    return clock_ms() - began_ms;
  };
  if (queries > 1) await ask();
  const end_ms = clock_ms() + queries_s * 1_000;
  const found: number[] = [];
  do found.push(await ask());
  while (found.length < queries && clock_ms() < end_ms);
  return found;
}
