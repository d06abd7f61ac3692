// Keeps the roll-up of all machines up to now in the background, and goes back into their past step by step.
import { type Repeating, repeat } from "../repeat.ts";
import type { Roller } from "./roller.ts";

const DAY_US = 86_400_000_000;
/** How often, and how much of the time at the most: what arrives and who asks go first. */
const EVERY_MS = 10_000;
const REST = 5;
/** How much of the past is rolled up in one step. */
const STEP_US = 30 * DAY_US;

/**
 * Starts at once and goes on until `stop`.
 * @param machines the ids of each tenant's machines
 */
export function keepRolled(
  roller: Roller,
  machines: () => Map<string, string[]>,
  log: (message: string) => void,
): Repeating {
  const rollUp = async (running: () => boolean): Promise<void> => {
    for (const [tenant, own] of machines()) {
      const now_us = Date.now() * 1_000;
      const upto = { tenant, to_us: now_us, as_of_us: now_us };
      await roller.exact({ ...upto, machines: own, from_us: now_us - (now_us % DAY_US) });
      const past = running() ? await roller.past(tenant, own) : undefined;
      if (past) await roller.exact({ ...upto, machines: past.machines, from_us: past.until_us - STEP_US });
    }
  };
  return repeat(async (running) => {
    const began_ms = performance.now();
    await rollUp(running).catch((error: Error) => log(`roll-up: ${error.message}`));
    return Math.max(EVERY_MS, REST * (performance.now() - began_ms));
  });
}
