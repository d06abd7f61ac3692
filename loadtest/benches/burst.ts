// A burst of columns: how fast observations become durable while analytics may lag behind.
import { acked_per_s, type Load } from "../lib/load.ts";
import { expectRows, telemetry, withProduct } from "../lib/product.ts";
import { atLeast, atMost, type Bench, round } from "../lib/report.ts";
import { median, spread } from "../lib/stats.ts";

export const burst: Bench = {
  name: "burst",
  async run({ sizes, report, progress }) {
    const series = telemetry();
    const loads: Load[] = [];
    await withProduct(series.machines, async (product) => {
      let first = 0;
      const send = async (batches: number): Promise<Load> => {
        const load = await product.load({ format: "columns", series, first, batches, connections: 16 });
        first += batches;
        await product.settled_ms();
        return load;
      };
      await send(sizes.warmup_batches);
      for (let i = 1; i <= sizes.rounds; i++) {
        progress(`round ${i} of ${sizes.rounds}`);
        loads.push(await send(sizes.burst_batches));
      }
      await expectRows(product, first * series.rows);
    });
    const acked = spread(loads.map(acked_per_s));
    report({
      name: "burst.columns",
      ...acked,
      unit: "observations/s",
      ...atLeast(1_000_000, acked.value),
      note: "fsynced before the answer; batches of 500, 16 connections",
    });
    const p99 = spread(loads.map(({ p99_ms }) => p99_ms));
    report({
      name: "burst.ack_p99",
      ...p99,
      unit: "ms",
      ...atMost(50, p99.value),
      ack_p50_ms: round(median(loads.map(({ p50_ms }) => p50_ms))),
    });
  },
};
