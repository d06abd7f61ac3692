// A year of rolled-up days, in a process of its own: filled as the roller fills them, and asked as the API asks.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { oee } from "../../analytics-sql/queries/oee.ts";
import { quantile } from "../../server/testing/quantile.ts";
import { clock_ms, jobOf } from "./process.ts";

export type RollUpsJob = {
  machines: number;
  days: number;
  times: number;
  asked: { machines: number; days: number }[];
};
export type RollUps = { machines: number; days: number; p50_ms: number; p95_ms: number; read_rows: number }[];

const DAY_US = 86_400_000_000;
const END_US = Date.parse("2026-11-01T00:00:00Z") * 1_000;
/** Of a day: every half hour another state, a part made, one of three shifts and of two parts. */
const PIECES = 48;
/** Days that one insert takes, as the roller's do. */
const MACHINE_DAYS = 10_000;

const { machines, days, times, asked } = jobOf<RollUpsJob>();
const path = mkdtempSync(`${tmpdir()}/mtc-bench-roll-ups-`);
const engine = await openEmbedded({ path, rawRetentionDays: 36_500 });
const ids = Array.from({ length: machines }, (_, n) => `machine-${n}`);

async function fill(first: number, count: number): Promise<void> {
  await engine.run(
    `INSERT INTO mtc.machine_days
     SELECT
       'bench', {ids:Array(String)}[1 + number % {machines:UInt32}] AS machine_id,
       toDate32(fromUnixTimestamp64Micro({end_us:Int64} - {day_us:Int64} * (1 + intDiv(number, {machines:UInt32})), 'UTC')) AS day,
       1 AS version,
       arrayMap(i -> {day_us:Int64} * toInt64(toInt32(day)) + 1800000000 * toInt64(i), range({pieces:UInt32})) AS from_us,
       arrayMap(t -> t + 1800000000, from_us) AS to_us,
       arrayMap(i -> CAST(1 + cityHash64(number, i) % 6, 'Enum8(\\'UNKNOWN\\' = 1, \\'DOWN\\' = 2, \\'RUNNING\\' = 3, \\'SETUP\\' = 4, \\'STOPPED\\' = 5, \\'IDLE\\' = 6)'), range({pieces:UInt32})),
       arrayMap(i -> '', range({pieces:UInt32})),
       arrayMap(i -> if(i % 16 = 0, 'tool', ''), range({pieces:UInt32})),
       arrayMap(i -> toUInt32(24 * toInt32(day) + intDiv(i, 2)), range({pieces:UInt32})),
       arrayMap(i -> toInt8(0), range({pieces:UInt32})),
       arrayMap(i -> toUInt16(toInt32(day) + 1), range({pieces:UInt32})),
       arrayMap(i -> ['early', 'late', 'night'][1 + intDiv(i, 16)], range({pieces:UInt32})),
       arrayMap(i -> true, range({pieces:UInt32})),
       arrayMap(i -> ['A', 'B'][1 + intDiv(i, 24)], range({pieces:UInt32})),
       arrayMap(i -> '', range({pieces:UInt32})),
       arrayMap(i -> '', range({pieces:UInt32})),
       arrayMap(i -> false, range({pieces:UInt32})),
       arrayMap(i -> toUInt8(1), range({pieces:UInt32})),
       arrayMap(i -> toInt64(1), range({pieces:UInt32})),
       arrayMap(i -> toInt64(0), range({pieces:UInt32})),
       arrayMap(i -> toUInt16(0), range({pieces:UInt32})),
       arrayMap(i -> toUInt16(0), range({pieces:UInt32})),
       arrayMap(i -> toInt64(1000000000), range({pieces:UInt32}))
     FROM numbers({first:UInt64}, {count:UInt64})`,
    { ids, machines, pieces: PIECES, day_us: DAY_US, end_us: END_US, first, count },
  );
}

/** The engine's own estimate of the rows that a query reads. */
async function readRows(ask: (engine: Engine) => Promise<unknown>): Promise<number> {
  let rows = 0;
  const estimating: Engine = {
    ...engine,
    async query<Row>(sql: string, params: Record<string, unknown>) {
      const tables = await engine.query<{ rows: number }>(`EXPLAIN ESTIMATE ${sql}`, params);
      rows += tables.reduce((sum, table) => sum + Number(table.rows), 0);
      return engine.query<Row>(sql, params);
    },
  };
  await ask(estimating);
  return rows;
}

for (let at = 0; at < machines * days; at += MACHINE_DAYS) {
  await fill(at, Math.min(MACHINE_DAYS, machines * days - at));
}
// Days that were rolled up long ago lie merged.
for (const table of ["machine_days", "machine_hour_sums", "machine_day_sums", "machine_day_totals"]) {
  await engine.run(`OPTIMIZE TABLE mtc.${table} FINAL`, {});
}
const found: RollUps = [];
for (const { machines: of, days: back } of asked) {
  const window = {
    tenant: "bench",
    machines: ids.slice(0, of),
    from_us: END_US - back * DAY_US,
    to_us: END_US,
    as_of_us: END_US,
    by: "day" as const,
  };
  const read_rows = await readRows((asking) => oee(asking, window));
  const times_ms: number[] = [];
  for (let i = 0; i < times; i++) {
    const began_ms = clock_ms();
    const { rows } = await oee(engine, window);
    times_ms.push(clock_ms() - began_ms);
    if (rows.length !== back) throw new Error(`${rows.length} rows where there are ${back} days`);
  }
  found.push({
    machines: of,
    days: back,
    p50_ms: quantile(times_ms, 0.5),
    p95_ms: quantile(times_ms, 0.95),
    read_rows,
  });
}
await engine.close();
rmSync(path, { recursive: true, force: true });
console.log(JSON.stringify(found));
process.exit(0);
