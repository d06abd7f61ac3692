// One small insert after the other into chDB, in a process of its own: what each of them costs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import { encodeData, encodeEvent } from "../../ingest/event.ts";
import { joined } from "../../ingest/testing/stretch.ts";
import { quantile } from "../../server/testing/quantile.ts";
import { batchAt, type Series } from "./observations.ts";
import { clock_ms, cpu_s, jobOf } from "./process.ts";

export type InsertJob = { rows: number; inserts: number };
/** CPU of one, of the whole process, and how long it took. */
export type Insert = { cpu_ms: number; p50_ms: number };

const WARM_UP_INSERTS = 5;
const ANY_ULID = "01K00000000000000000000000";

const { rows, inserts } = jobOf<InsertJob>();
const base_us = (Date.now() - 3_600_000) * 1_000;
const series: Series = { kind: "production", machines: 1, rows, base_us };

function event(n: number): Uint8Array {
  const { machine, columns } = batchAt(series, n);
  const header = { id: ANY_ULID, tenant_id: "default", machine_id: machine, time_ms: Date.now() };
  return encodeEvent({ ...header, type: "mtc.observations.v1" }, encodeData(columns));
}

const path = mkdtempSync(`${tmpdir()}/mtc-bench-insert-`);
const engine = await openEmbedded({ path, rawRetentionDays: 36_500 });
for (let n = 0; n < WARM_UP_INSERTS; n++) await engine.insertEvents(joined([event(n)]));
const took_ms: number[] = [];
const before_s = cpu_s(process.pid);
for (let n = WARM_UP_INSERTS; n < WARM_UP_INSERTS + inserts; n++) {
  const stretch = joined([event(n)]);
  const began_ms = clock_ms();
  await engine.insertEvents(stretch);
  took_ms.push(clock_ms() - began_ms);
}
const cpu_ms = (1_000 * (cpu_s(process.pid) - before_s)) / inserts;
await engine.close();
rmSync(path, { recursive: true, force: true });
console.log(JSON.stringify({ cpu_ms, p50_ms: quantile(took_ms, 0.5) } satisfies Insert));
process.exit(0);
