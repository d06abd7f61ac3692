// Memory under a steady load: flat once warm, and below its bound.
import { clock_ms, cpu_s, rss_bytes } from "../lib/process.ts";
import { expectRows, telemetry, withProduct } from "../lib/product.ts";
import { atMost, type Bench, round } from "../lib/report.ts";
import { slope } from "../lib/stats.ts";

const OBSERVATIONS_PER_S = 20_000;
const SAMPLE_MS = 1_000;
/** Caches and the engine's pools fill in the first part of the run. */
const WARM_AFTER = 0.4;

export const memory: Bench = {
  name: "memory",
  async run({ sizes, report, progress }) {
    const series = telemetry();
    const batches_per_s = OBSERVATIONS_PER_S / series.rows;
    const batches = batches_per_s * sizes.memory_s;
    progress(`${OBSERVATIONS_PER_S} observations/s for ${sizes.memory_s} s`);
    await withProduct(series.machines, async (product) => {
      const { pid } = product.server;
      const started_mb = rss_bytes(pid) / 1e6;
      const [began_ms, before_s] = [clock_ms(), cpu_s(pid)];
      const samples: { x: number; y: number }[] = [];
      const timer = setInterval(
        () => samples.push({ x: (clock_ms() - began_ms) / 60_000, y: rss_bytes(pid) / 1e6 }),
        SAMPLE_MS,
      );
      const job = { format: "columns", series, first: 0, batches, connections: 16, batches_per_s } as const;
      const load = await product.load(job).finally(() => clearInterval(timer));
      const cores = (cpu_s(pid) - before_s) / ((clock_ms() - began_ms) / 1_000);
      const ended_mb = rss_bytes(pid) / 1e6;
      await product.settled_ms();
      await expectRows(product, load.rows);
      const warm = samples.slice(Math.floor(samples.length * WARM_AFTER));
      const peak_mb = round(Math.max(started_mb, ...samples.map(({ y }) => y)));
      report({
        name: "memory.rss",
        value: peak_mb,
        unit: "MB",
        ...atMost(1_200, peak_mb),
        start_mb: round(started_mb),
        warm_mb: round(warm[0]?.y ?? Number.NaN),
        end_mb: round(ended_mb),
        slope_mb_per_min: round(slope(warm)),
        seconds: sizes.memory_s,
        cores: round(cores),
        ack_p50_ms: round(load.p50_ms),
        ack_p99_ms: round(load.p99_ms),
        note: `the highest of the run at ${OBSERVATIONS_PER_S} observations/s; the slope is that of its last ${100 - WARM_AFTER * 100} %`,
      });
    });
  },
};
