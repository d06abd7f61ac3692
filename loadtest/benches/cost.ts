// What a machine costs: CPU and memory of the product as the plant grows.
import { newest_us } from "../lib/live.ts";
import { clock_ms, cpu_s, rss_bytes } from "../lib/process.ts";
import { type Bench, round } from "../lib/report.ts";
import { withPlant } from "../lib/watched.ts";

/** As a usual agent tells: ten values a second. */
const OBSERVATIONS_PER_S = 10;
/** Later than this the product does not keep up, and the cost is no cost. */
const MAX_BEHIND_S = 5;

export const cost: Bench = {
  name: "cost",
  async run({ sizes, report, progress }) {
    let smallest: { machines: number; rss_mb: number } | undefined;
    for (const machines of sizes.cost_machines) {
      progress(`${machines} machines`);
      await withPlant({ machines, per_s: OBSERVATIONS_PER_S }, async ({ server }) => {
        await Bun.sleep(sizes.settle_s * 1_000);
        const [before_s, began_ms] = [cpu_s(server.pid), clock_ms()];
        await Bun.sleep(sizes.cost_s * 1_000);
        const used_s = cpu_s(server.pid) - before_s;
        const minutes = (clock_ms() - began_ms) / 60_000;
        const behind_s = (clock_ms() - (await newest_us(server)) / 1_000) / 1_000;
        report({
          name: `cost.cpu.${machines}`,
          value: round(used_s / minutes / machines),
          unit: "CPU s per machine-minute",
          machines,
          cores: round(used_s / 60 / minutes),
          behind_s: round(behind_s),
          ...(behind_s > MAX_BEHIND_S ? { ok: false } : {}),
          note: `${OBSERVATIONS_PER_S} observations a second each, 100 machines an agent`,
        });
        const rss_mb = rss_bytes(server.pid) / 1e6;
        smallest ??= { machines, rss_mb };
        const added = machines - smallest.machines;
        report({
          name: `cost.memory.${machines}`,
          value: round(rss_mb),
          unit: "MB",
          machines,
          ...(added > 0 ? { mb_per_added_machine: round((rss_mb - smallest.rss_mb) / added) } : {}),
        });
      });
    }
  },
};
