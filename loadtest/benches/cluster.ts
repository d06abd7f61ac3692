// The program as a cluster on this machine: how many, how soon, who is busy, and what an outage of Kafka costs.
import { readFileSync } from "node:fs";
import { until } from "../../.ci/limits.ts";
import { CLUSTER_OF, type Cluster, lacking, startCluster } from "../../server/testing/cluster.ts";
import { quantile } from "../../server/testing/quantile.ts";
import { TEST_KEY, type TestServer } from "../../server/testing/server.ts";
import { acked_per_s, type Load, type LoadJob, sendLoad } from "../lib/load.ts";
import { machineId } from "../lib/observations.ts";
import { clock_ms } from "../lib/process.ts";
import { createMachines, telemetry } from "../lib/product.ts";
import { type Bench, type Context, round } from "../lib/report.ts";
import { median, spread } from "../lib/stats.ts";

const NOTE = `one api, one relay, one broker; ${CLUSTER_OF}; they and the load share the cores`;
/** While Kafka is away: far below what the store takes, as a plant is. */
const OUTAGE_BATCHES_PER_S = 20;
/** Clock ticks of /proc a second. */
const TICKS_PER_S = 100;

export const cluster: Bench = {
  name: "cluster",
  async run(context) {
    if (lacking.length > 0) return context.progress(`left out: there is no ${lacking.join(", ")}`);
    context.progress(`starting a cluster of ${CLUSTER_OF}`);
    const parts = await startCluster();
    try {
      const api = await parts.start(["api"]);
      const relay = await parts.start(["relay"]);
      await createMachines(api, telemetry().machines, () => ({ kind: "http" }));
      await throughput(context, parts, api, relay);
      await delay(context, api);
      await outage(context, parts, api);
    } finally {
      await parts.stop();
    }
  },
};

/** Batches that were sent before. */
let first = 0;
async function send(api: TestServer, job: Pick<LoadJob, "batches"> & Partial<LoadJob>): Promise<Load> {
  const common = { origin: api.origin, key: TEST_KEY, format: "columns", connections: 16 } as const;
  const load = await sendLoad({ ...common, series: telemetry(), first, ...job });
  first += job.batches;
  return load;
}

async function throughput(
  { sizes, report, progress }: Context,
  { clickhouse }: Cluster,
  api: TestServer,
  relay: TestServer,
): Promise<void> {
  await send(api, { batches: sizes.warmup_batches });
  await api.settled();
  const pids = { api: api.pid, relay: relay.pid, clickhouse: clickhouse.pid };
  const runs: { load: Load; queryable_per_s: number; cores: Record<string, number> }[] = [];
  for (let i = 1; i <= sizes.rounds; i++) {
    progress(`round ${i} of ${sizes.rounds}`);
    const before = cpu_s(pids);
    const load = await send(api, { batches: 2 * sizes.warmup_batches });
    await api.settled();
    const took_s = (clock_ms() - load.started_ms) / 1_000;
    const cores = Object.fromEntries(
      Object.entries(cpu_s(pids)).map(([name, s]) => [`${name}_cores`, (s - (before[name] ?? 0)) / took_s]),
    );
    runs.push({ load, queryable_per_s: load.rows / took_s, cores });
  }
  const unit = "observations/s";
  report({
    name: "cluster.acked",
    ...spread(runs.map(({ load }) => acked_per_s(load))),
    unit,
    ack_p99_ms: round(median(runs.map(({ load }) => load.p99_ms))),
    note: `batches of 500; ${NOTE}`,
  });
  const cores = Object.keys(runs[0]?.cores ?? {}).map((name) => [
    name,
    round(median(runs.map((run) => run.cores[name] ?? 0))),
  ]);
  report({
    name: "cluster.queryable",
    ...spread(runs.map(({ queryable_per_s }) => queryable_per_s)),
    unit,
    ...Object.fromEntries(cores),
    note: `from the first request until all can be queried; ${NOTE}`,
  });
}

/** CPU time so far: of processes by name, and of the whole machine (`all`). */
function cpu_s(pids: Record<string, number>): Record<string, number> {
  const own = Object.entries(pids).map(([name, pid]) => {
    const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return [name, (Number(user) + Number(system)) / TICKS_PER_S] as const;
  });
  const [user = 0, nice = 0, system = 0] = readFileSync("/proc/stat", "utf8")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { ...Object.fromEntries(own), all: (user + nice + system) / TICKS_PER_S };
}

/** One observation from its request until it can be queried over HTTP. */
async function delay({ sizes, report, progress }: Context, api: TestServer): Promise<void> {
  progress("delay");
  const machine = `machines/${machineId(0)}`;
  const times_ms: number[] = [];
  for (let i = 0; i < 10 * sizes.rounds; i++) {
    const ts = new Date(Date.parse("2026-01-05T06:00:00Z") + i * 1_000).toISOString();
    const began_ms = clock_ms();
    await api.call("POST", `/internal/${machine}/data`, {
      observations: [{ signal: "delay", ts, value: i }],
    });
    const path = `/api/v1/${machine}/observations?signal=delay&from=${ts}&to=2026-01-06T00:00:00Z`;
    const isThere = async () => (await api.call<{ rows: unknown[] }>("GET", path)).body.rows.length > 0;
    while (!(await isThere())) await Bun.sleep(10);
    times_ms.push(clock_ms() - began_ms);
  }
  report({
    name: "cluster.delay_p99",
    value: round(quantile(times_ms, 0.99)),
    unit: "ms",
    p50_ms: round(quantile(times_ms, 0.5)),
    note: `one observation from its request until it can be queried; ${NOTE}`,
  });
}

/** The broker is away under load; what waited goes out when it is back. */
async function outage({ sizes, report, progress }: Context, parts: Cluster, api: TestServer): Promise<void> {
  const outage_s = sizes.memory_s;
  progress(`Kafka is away for ${outage_s} s`);
  await parts.brokers.kill(0);
  const batches = OUTAGE_BATCHES_PER_S * outage_s;
  const load = await send(api, { batches, batches_per_s: OUTAGE_BATCHES_PER_S });
  const { body } = await api.call<{ outbox: { events: number; bytes: number } }>("GET", "/readyz");
  await parts.brokers.start(0);
  const began_ms = clock_ms();
  // Longer than any test would wait.
  await until(
    () =>
      api.settled().then(
        () => true,
        () => undefined,
      ),
    1200,
  );
  report({
    name: "cluster.outage_drained",
    value: round((clock_ms() - began_ms) / 1_000),
    unit: "s",
    outage_s,
    rows: load.rows,
    outbox_events: body.outbox.events,
    outbox_bytes: body.outbox.bytes,
    ack_p99_ms: round(load.p99_ms),
    note: `from the broker's start until all that waited can be queried; ${NOTE}`,
  });
}
