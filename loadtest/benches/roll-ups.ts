// How what it costs to ask for days grows, from a day to a year and from ten machines to a thousand.
import { runProcess } from "../lib/process.ts";
import { atMost, type Bench, round } from "../lib/report.ts";
import type { RollUps, RollUpsJob } from "../lib/roll-ups.process.ts";

/** For a thousand machines, a year, by day. */
const LIMIT_MS = 1_000;

export const rollUps: Bench = {
  name: "roll-ups",
  async run({ sizes, report, progress }) {
    const { rolled_machines: machines, rolled_days: days, queries: times } = sizes;
    progress(`${machines} machines × ${days} days`);
    const upTo = (all: number, steps: number[]) => [...new Set([...steps.filter((n) => n < all), all])];
    const asked = [
      ...upTo(days, [1, 30]).map((back) => ({ machines, days: back })),
      ...upTo(machines, [10, 100])
        .slice(0, -1)
        .map((of) => ({ machines: of, days })),
    ];
    const job: RollUpsJob = { machines, days, times, asked };
    for (const found of await runProcess<RollUpsJob, RollUps>("roll-ups.process.ts", job)) {
      const value = round(found.p50_ms);
      const largest = found.machines === machines && found.days === days;
      report({
        name: `roll-ups.by_day.${found.machines}x${found.days}`,
        value,
        unit: "ms",
        ...(largest ? atMost(LIMIT_MS, value) : {}),
        p95_ms: round(found.p95_ms),
        read_rows: found.read_rows,
        times,
        note: `${found.machines} machines × ${found.days} days, by day`,
      });
    }
  },
};
