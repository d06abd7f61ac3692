// Keeps the lake up to date in the background: every hour, and sooner again after a failure.

import { backgroundLoop } from "../../domain/lib/background-loop.ts";
import { Backoff } from "../../domain/lib/backoff.ts";
import type { Failing, Trouble } from "../../ingest/trouble.ts";
import type { LakeWriter } from "./writer.ts";

const EVERY_MS = 3_600_000;
const RETRY_MS = 30_000;

export type LakeStatus = {
  /** Days of the table that are in the lake. */
  days: number;
  /** Files written since the start. */
  files: number;
  /** 0 before the first. */
  last_success_ms: number;
  /** Why the last run failed. */
  error: string | null;
};

export type LakeKeeper = {
  status(): LakeStatus;
  /** Since when its runs fail, and why. */
  failing(): Failing | undefined;
  stop(): Promise<void>;
};

/**
 * Starts at once and goes on until `stop`. A failure is told and tried again; nothing else waits for the lake.
 * @param state.caughtUp whether the table has what was acknowledged; a day is not written half
 * @param state.retention_ms the time by which a day that the lake has leaves the table
 * @param trouble is told of what fails
 */
export function keepLake(
  writer: LakeWriter,
  state: { caughtUp: () => Promise<boolean>; retention_ms: () => Promise<number> },
  trouble: Trouble,
): LakeKeeper {
  let last_success_ms = 0;
  const backoff = new Backoff({ first_ms: 2 * RETRY_MS, max_ms: EVERY_MS });

  const repeating = backgroundLoop(async (running) => {
    try {
      if (!(await state.caughtUp())) return RETRY_MS;
      await writer.run(Date.now(), () => !running(), await state.retention_ms());
      last_success_ms = Date.now();
      backoff.reset();
      trouble.over();
      return EVERY_MS;
    } catch (error) {
      trouble.failed(error);
      return backoff.next_ms();
    }
  });
  const status = () => ({ ...writer.status(), last_success_ms, error: trouble.failing?.error ?? null });
  return { ...repeating, status, failing: () => trouble.failing };
}
