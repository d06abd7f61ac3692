// One observation a request: what group commit is worth.
import type { Load } from "../lib/load.ts";
import { expectRows, telemetry, withProduct } from "../lib/product.ts";
import { atLeast, type Bench, round } from "../lib/report.ts";
import { median, spread } from "../lib/stats.ts";

const CONNECTIONS = 64;

export const single: Bench = {
  name: "single",
  async run({ sizes, report, progress }) {
    const series = telemetry(1);
    const loads: Load[] = [];
    await withProduct(series.machines, async (product) => {
      let first = 0;
      const send = async (batches: number): Promise<Load> => {
        const load = await product.load({ format: "rows", series, first, batches, connections: CONNECTIONS });
        first += batches;
        await product.settled_ms();
        return load;
      };
      await send(Math.ceil(sizes.singles / 4));
      for (let i = 1; i <= sizes.rounds; i++) {
        progress(`round ${i} of ${sizes.rounds}`);
        loads.push(await send(sizes.singles));
      }
      await expectRows(product, first);
    });
    const rate = spread(loads.map((load) => load.requests / ((load.ended_ms - load.started_ms) / 1_000)));
    report({
      name: "single.requests",
      ...rate,
      unit: "requests/s",
      ...atLeast(8_000, rate.value),
      ack_p50_ms: round(median(loads.map(({ p50_ms }) => p50_ms))),
      ack_p99_ms: round(median(loads.map(({ p99_ms }) => p99_ms))),
      note: `one observation a request, fsynced before the answer, ${CONNECTIONS} connections`,
    });
  },
};
