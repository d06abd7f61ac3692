// Raw insert, in a process of its own: the engine and its schema alone, fed with the events the product would make.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import { encodeData, encodeEvent, type Stretch } from "../../ingest/event.ts";
import { joined } from "../../ingest/testing/stretch.ts";
import { batchAt, type Series } from "./observations.ts";
import { clock_ms, jobOf } from "./process.ts";

export type RawInsertJob = { series: Series; warmup_batches: number; batches: number };
export type RawInsert = { rows: number; seconds: number };

/** One insert takes what the relay would give it. */
const INSERT_BYTES = 8 * 1024 * 1024;
const ANY_ULID = "01K00000000000000000000000";

const { series, warmup_batches, batches } = jobOf<RawInsertJob>();

function event(n: number): Uint8Array {
  const { machine, columns } = batchAt(series, n);
  const header = {
    id: ANY_ULID,
    type: "mtc.observations.v1",
    tenant_id: "default",
    machine_id: machine,
    time_ms: Date.now(),
  } as const;
  return Buffer.concat([encodeEvent(header, encodeData(columns)), Buffer.from("\n")]);
}

function inserts(first: number, count: number): Stretch[] {
  const made: Stretch[] = [];
  let events: Uint8Array[] = [];
  let bytes = 0;
  for (let n = first; n < first + count; n++) {
    const next = event(n);
    events.push(next);
    bytes += next.length;
    if (bytes < INSERT_BYTES && n + 1 < first + count) continue;
    made.push(joined(events));
    [events, bytes] = [[], 0];
  }
  return made;
}

const path = mkdtempSync(`${tmpdir()}/mtc-bench-raw-`);
const engine = await openEmbedded({ path, rawRetentionDays: 36_500 });
for (const stretch of inserts(0, warmup_batches)) await engine.insertEvents(stretch);
const made = inserts(warmup_batches, batches);
const started_ms = clock_ms();
for (const stretch of made) await engine.insertEvents(stretch);
const seconds = (clock_ms() - started_ms) / 1_000;

const wanted = (warmup_batches + batches) * series.rows;
const [counted] = await engine.query<{ rows: number }>(
  "SELECT count() AS rows FROM mtc.observations FINAL",
  {},
);
await engine.close();
rmSync(path, { recursive: true, force: true });
if (counted?.rows !== wanted) throw new Error(`${counted?.rows} rows where ${wanted} went in`);
console.log(JSON.stringify({ rows: batches * series.rows, seconds } satisfies RawInsert));
process.exit(0);
