// From a change at the agent to its event at a live reader.

import { quantile } from "../../server/testing/quantile.ts";
import { liveEvents } from "../lib/live.ts";
import { clock_ms } from "../lib/process.ts";
import { atMost, type Bench, round } from "../lib/report.ts";
import { withPlant } from "../lib/watched.ts";

const CHANGES_PER_S = 10;

export const delay: Bench = {
  name: "delay",
  async run({ sizes, report, progress }) {
    const { delay_machines: machines, delay_s, settle_s } = sizes;
    progress(`${machines} machines, ${CHANGES_PER_S} changes a second each, ${delay_s} s`);
    const delays_ms = await withPlant(
      { machines, machines_per_agent: machines, per_s: CHANGES_PER_S },
      async ({ server }) => {
        const found: number[] = [];
        const from_ms = clock_ms() + settle_s * 1_000;
        const ended = new AbortController();
        const timer = setTimeout(() => ended.abort(), (settle_s + delay_s) * 1_000);
        for await (const { event, data } of liveEvents(server, ended.signal)) {
          if (event === "snapshot") continue;
          const now_ms = clock_ms();
          for (const { ts_us } of Object.values(data.signals ?? {})) {
            // A first contact tells the past too.
            if (ts_us / 1_000 > from_ms) found.push(now_ms - ts_us / 1_000);
          }
        }
        clearTimeout(timer);
        return found;
      },
    );
    const p99_ms = round(quantile(delays_ms, 0.99));
    report({
      name: "delay.p99",
      value: p99_ms,
      unit: "ms",
      ...atMost(250, p99_ms),
      p50_ms: round(quantile(delays_ms, 0.5)),
      max_ms: round(quantile(delays_ms, 1)),
      changes_seen: delays_ms.length,
      changes_told: machines * CHANGES_PER_S * delay_s,
      note: `timestamp at the agent to its event at an SSE reader; ${machines} machines × ${CHANGES_PER_S} Hz behind one agent`,
    });
  },
};
