// Sustained HTTP ingest, columns and rows, against the engine alone and the peers, all in one run.
import type { FormatName } from "../lib/formats.ts";
import { acked_per_s, type Load, sendLoad } from "../lib/load.ts";
import { batchAt } from "../lib/observations.ts";
import { clock_ms, cpu_s, runProcess } from "../lib/process.ts";
import { expectRows, telemetry, withProduct } from "../lib/product.ts";
import type { RawInsert, RawInsertJob } from "../lib/raw-insert.process.ts";
import { atLeast, type Bench, type Context, ratioAtLeast, round } from "../lib/report.ts";
import { median, spread } from "../lib/stats.ts";
import { debianProgram } from "../peers/debian.ts";
import { influxdb } from "../peers/influxdb.ts";
import { type Peer, withPeer } from "../peers/peer.ts";
import { victoriaMetrics } from "../peers/victoria-metrics.ts";

const CONNECTIONS = 16;

type Measured = { load: Load; acked: number; queryable: number; cpu_s: number };
type Found = { peer: Peer; path: string };

export const ingest: Bench = {
  name: "ingest",
  async run(context) {
    const { sizes, report, progress } = context;
    const peers = await findPeers(context);
    const columns: Measured[] = [];
    const rows: Measured[] = [];
    const raw: number[] = [];
    const theirs = new Map<Peer, number[]>(peers.map(({ peer }) => [peer, []]));
    // Round by round, each with a fresh process on an empty disk: whatever else the machine does meets all of them.
    for (let i = 1; i <= sizes.rounds; i++) {
      progress(`round ${i} of ${sizes.rounds}`);
      columns.push(await measure("columns", sizes.warmup_batches, sizes.columns_batches));
      raw.push(await measureRaw(sizes.warmup_batches, sizes.columns_batches));
      for (const { peer, path } of peers) {
        const rate = await measurePeer(peer, path, sizes.warmup_batches, sizes.columns_batches);
        theirs.get(peer)?.push(rate);
      }
      rows.push(await measure("rows", sizes.warmup_batches, sizes.rows_batches));
    }
    /** Round by round: what slowed one slowed the other. */
    const against = (rates: number[]): number =>
      median(rates.map((rate, i) => (columns[i]?.queryable ?? Number.NaN) / rate));
    reportOurs(report, "ingest.columns", columns, 500_000);
    reportOurs(report, "ingest.rows", rows, 100_000);
    report({
      name: "ingest.raw",
      ...spread(raw),
      unit: "observations/s",
      ...ratioAtLeast(0.7, against(raw)),
      note: "the same events put into chDB by the same schema, 8 MiB an insert, one after the other, nothing else running; ratio: columns queryable to this",
    });
    for (const [peer, rates] of theirs) {
      const ratio = against(rates);
      report({
        name: `ingest.peer.${peer.name}`,
        ...spread(rates),
        unit: "observations/s",
        ...(peer === influxdb ? ratioAtLeast(1.3, ratio) : { ratio: round(ratio) }),
        note: `${peer.note}; ratio: columns queryable to this`,
      });
    }
  },
};

function reportOurs(report: Context["report"], name: string, measured: Measured[], limit: number): void {
  const queryable = spread(measured.map((one) => one.queryable));
  report({
    name,
    ...queryable,
    unit: "observations/s",
    ...atLeast(limit, queryable.value),
    acked_per_s: round(median(measured.map(({ acked }) => acked))),
    ack_p50_ms: round(median(measured.map(({ load }) => load.p50_ms))),
    ack_p99_ms: round(median(measured.map(({ load }) => load.p99_ms))),
    server_cpu_us_per_observation: round(
      median(measured.map(({ load, cpu_s }) => (cpu_s * 1e6) / load.rows)),
    ),
    bytes_per_observation: round((measured[0]?.load.bytes ?? 0) / (measured[0]?.load.rows ?? 1)),
    note: "fsynced before the answer, all queryable at the end and counted; batches of 500, 16 connections",
  });
}

async function measure(format: FormatName, warmup: number, batches: number): Promise<Measured> {
  const series = telemetry();
  return withProduct(series.machines, async (product) => {
    const job = { format, series, connections: CONNECTIONS };
    await product.load({ ...job, first: 0, batches: warmup });
    await product.settled_ms();
    const before_s = cpu_s(product.server.pid);
    const load = await product.load({ ...job, first: warmup, batches });
    const seconds = ((await product.settled_ms()) - load.started_ms) / 1_000;
    const used_s = cpu_s(product.server.pid) - before_s;
    await expectRows(product, (warmup + batches) * series.rows);
    return { load, acked: acked_per_s(load), queryable: load.rows / seconds, cpu_s: used_s };
  });
}

async function measureRaw(warmup_batches: number, batches: number): Promise<number> {
  const job = { series: telemetry(), warmup_batches, batches };
  const { rows, seconds } = await runProcess<RawInsertJob, RawInsert>("raw-insert.process.ts", job);
  return rows / seconds;
}

async function measurePeer(peer: Peer, path: string, warmup: number, batches: number): Promise<number> {
  const series = telemetry();
  return withPeer(peer, path, async (origin) => {
    const job = { origin, format: peer.format, series, connections: CONNECTIONS };
    await sendLoad({ ...job, first: 0, batches: warmup });
    const load = await sendLoad({ ...job, first: warmup, batches });
    const ended_ms = peer.settle ? await peer.settle(origin).then(clock_ms) : load.ended_ms;
    const wanted = kept(peer, warmup + batches);
    const counted = await peer.count(origin);
    if (counted !== wanted) throw new Error(`${peer.name} has ${counted} observations of ${wanted}`);
    return load.rows / ((ended_ms - load.started_ms) / 1_000);
  });
}

/** How many of the first `batches` batches' observations a peer can keep. */
function kept({ keeps_words }: Peer, batches: number): number {
  const series = telemetry();
  if (keeps_words) return batches * series.rows;
  let numbers = 0;
  for (let n = 0; n < batches; n++) {
    for (const value of batchAt(series, n).columns.num ?? []) if (value !== null) numbers += 1;
  }
  return numbers;
}

async function findPeers({ sizes, progress }: Context): Promise<Found[]> {
  const found: Found[] = [];
  for (const peer of [influxdb, victoriaMetrics]) {
    const program = await debianProgram(peer.package, peer.binary, sizes.fetch_peers);
    if ("path" in program) found.push({ peer, path: program.path });
    else progress(`skipped: ${peer.name} (${program.missing})`);
  }
  return found;
}
