// What a machine costs: CPU and memory of the product as the plant grows, each machine behind an agent of its own.
import type { Insert, InsertJob } from "../lib/insert.process.ts";
import { newest_us } from "../lib/live.ts";
import { clock_ms, cpu_s, eventLoopCpu_s, rss_bytes, runProcess } from "../lib/process.ts";
import { type Bench, type Context, round } from "../lib/report.ts";
import { withPlant } from "../lib/watched.ts";

/** As a usual agent tells: ten values a second. */
const OBSERVATIONS_PER_S = 10;
/** What such a machine says while the relay waits for company. */
const INSERT_ROWS = 16;
/** Later than this the product does not keep up, and the cost is no cost. */
const MAX_BEHIND_S = 5;

export const cost: Bench = {
  name: "cost",
  async run(context) {
    const { sizes, report, progress } = context;
    progress(`${sizes.inserts} inserts of ${INSERT_ROWS} observations`);
    const job = { rows: INSERT_ROWS, inserts: sizes.inserts };
    const { cpu_ms, p50_ms } = await runProcess<InsertJob, Insert>("insert.process.ts", job);
    report({
      name: `cost.insert.${INSERT_ROWS}`,
      value: round(cpu_ms),
      unit: "CPU ms",
      p50_ms: round(p50_ms),
      note: "one insert into chDB with all that it sets off, merges too, nothing else running",
    });
    let smallest: { machines: number; rss_mb: number } | undefined;
    for (const machines of sizes.cost_machines) {
      const rss_mb = await costOf(machines, context);
      smallest ??= { machines, rss_mb };
      const added = machines - smallest.machines;
      report({
        name: `cost.memory.${machines}`,
        value: round(rss_mb),
        unit: "MB",
        machines,
        ...(added > 0 ? { mb_per_added_machine: round((rss_mb - smallest.rss_mb) / added) } : {}),
      });
    }
  },
};

/** Reports what so many machines cost. @returns the product's memory at the end, MB */
async function costOf(machines: number, { sizes, report, progress }: Context): Promise<number> {
  progress(`${machines} machines`);
  const plant = { machines, machines_per_agent: 1, per_s: OBSERVATIONS_PER_S };
  return withPlant(plant, async ({ server }) => {
    const { pid } = server;
    await Bun.sleep(sizes.settle_s * 1_000);
    const [before_s, loop_before_s, began_ms] = [cpu_s(pid), eventLoopCpu_s(pid), clock_ms()];
    await Bun.sleep(sizes.cost_s * 1_000);
    const [used_s, loop_s] = [cpu_s(pid) - before_s, eventLoopCpu_s(pid) - loop_before_s];
    const seconds = (clock_ms() - began_ms) / 1_000;
    const behind_s = (clock_ms() - (await newest_us(server)) / 1_000) / 1_000;
    report({
      name: `cost.cpu.${machines}`,
      value: round((60 * used_s) / seconds / machines),
      unit: "CPU s per machine-minute",
      machines,
      cores: round(used_s / seconds),
      event_loop_cores: round(loop_s / seconds),
      behind_s: round(behind_s),
      ...(behind_s > MAX_BEHIND_S ? { ok: false } : {}),
      note: `${OBSERVATIONS_PER_S} observations a second each, an agent each, all agents in a process of their own`,
    });
    return rss_bytes(pid) / 1e6;
  });
}
