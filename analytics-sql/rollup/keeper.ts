// Keeps the roll-up of all machines up to now in the background, and goes back into their past step by step.

import { type BackgroundLoop, backgroundLoop } from "../../domain/lib/background-loop.ts";
import type { Trouble } from "../../ingest/trouble.ts";
import type { Roller } from "./roller.ts";

const DAY_US = 86_400_000_000;
/** How often today is rolled up. */
const EVERY_MS = 10_000;
/** Each rests so many times as long as it took: what arrives and who asks go first, and on a busy machine it does not pile up. */
const REST = { today: 20, past: 5 };
/** However long it waited for those who ask: analysts' views show what it made. */
const REST_MAX_MS = 60_000;
/** How much of the past is rolled up in one step, days of machines: screens wait for it no longer than for their own. */
const PAST_MACHINE_DAYS = 500;

type Step = (tenant: string, own: string[], now_us: number) => Promise<void>;

/**
 * Starts at once and goes on until `stop`. The past has a rhythm of its own: its rest, after a long step, must not keep
 * screens waiting for what is new.
 * @param machines the ids of each tenant's machines
 * @param troubles are told of what fails; each ends by itself
 */
export function keepRolled(
  roller: Pick<Roller, "roll" | "past">,
  machines: () => Map<string, string[]>,
  troubles: { today: Trouble; past: Trouble },
): BackgroundLoop {
  const rolling = (trouble: Trouble, rest: number, step: Step): BackgroundLoop =>
    backgroundLoop(async (running) => {
      const began_ms = performance.now();
      let whole = true;
      for (const [tenant, own] of machines()) {
        if (!running()) break;
        await step(tenant, own, Date.now() * 1_000).catch((error: unknown) => {
          whole = false;
          trouble.failed(error);
        });
      }
      if (whole) trouble.over();
      if (!whole) return EVERY_MS;
      return Math.min(REST_MAX_MS, Math.max(EVERY_MS, rest * (performance.now() - began_ms)));
    });
  const today = rolling(troubles.today, REST.today, async (tenant, own, now_us) => {
    const from_us = now_us - (now_us % DAY_US);
    await roller.roll({ tenant, machines: own, from_us, to_us: now_us, as_of_us: now_us });
  });
  const past = rolling(troubles.past, REST.past, async (tenant, own, now_us) => {
    const behind = await roller.past(tenant, own);
    if (!behind) return;
    const { until_us: to_us } = behind;
    const from_us = to_us - Math.ceil(PAST_MACHINE_DAYS / behind.machines.length) * DAY_US;
    await roller.roll({ tenant, machines: behind.machines, from_us, to_us, as_of_us: now_us });
  });
  return {
    async stop() {
      await Promise.all([today.stop(), past.stop()]);
    },
  };
}
