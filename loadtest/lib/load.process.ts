// The load generator, a process of its own: makes the requests beforehand, sends them, tells how it went.

import { quantile } from "../../server/testing/quantile.ts";
import { Connection } from "./connection.ts";
import { FORMATS } from "./formats.ts";
import type { Load, LoadJob } from "./load.ts";
import { batchAt } from "./observations.ts";
import { clock_ms, jobOf } from "./process.ts";

const job = jobOf<LoadJob>();
const encoder = new TextEncoder();

function request(n: number): Uint8Array {
  const { path, type, body } = FORMATS[job.format];
  const batch = batchAt(job.series, n);
  const content = encoder.encode(body(batch));
  const head = encoder.encode(
    `POST ${path(batch.machine)} HTTP/1.1\r\nHost: ${new URL(job.origin).host}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: ${content.length}\r\n` +
      `${job.key === undefined ? "" : `X-API-Key: ${job.key}\r\n`}\r\n`,
  );
  const bytes = new Uint8Array(head.length + content.length);
  bytes.set(head);
  bytes.set(content, head.length);
  return bytes;
}

const paced = job.batches_per_s !== undefined;
const every_ms = 1_000 / (job.batches_per_s ?? 1);
// At a given pace there is time to make each request when it is due; at full speed there is not.
const made = paced ? [] : Array.from({ length: job.batches }, (_, i) => request(job.first + i));

const latencies_ms: number[] = [];
let next = 0;
let bytes = 0;
let failed = 0;
let failure = "";

async function run(connection: Connection, started_ms: number): Promise<void> {
  while (next < job.batches) {
    const i = next++;
    const body = made[i] ?? request(job.first + i);
    let due_ms = clock_ms();
    if (paced) {
      // Late because the server was slow is the server's latency, not the generator's rest.
      due_ms = started_ms + i * every_ms;
      const early_ms = due_ms - clock_ms();
      if (early_ms > 0) await Bun.sleep(early_ms);
    }
    const { status, text } = await connection.send(body);
    latencies_ms.push(clock_ms() - due_ms);
    bytes += body.length;
    if (status < 200 || status > 299) {
      failed += 1;
      failure ||= `${status} ${text}`;
    }
  }
}

const connections = await Promise.all(
  Array.from({ length: Math.min(job.connections, job.batches) }, () => Connection.open(job.origin)),
);
const started_ms = clock_ms();
await Promise.all(connections.map((connection) => run(connection, started_ms)));
const ended_ms = clock_ms();
for (const connection of connections) connection.close();

console.log(
  JSON.stringify({
    requests: job.batches,
    rows: job.batches * job.series.rows,
    bytes,
    started_ms,
    ended_ms,
    failed,
    failure,
    p50_ms: quantile(latencies_ms, 0.5),
    p99_ms: quantile(latencies_ms, 0.99),
  } satisfies Load),
);
process.exit(0);
