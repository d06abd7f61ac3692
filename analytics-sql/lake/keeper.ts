// Keeps the lake up to date in the background: every hour, and sooner again after a failure.
import type { Failing, Trouble } from "../../ingest/trouble.ts";
import { repeat } from "../repeat.ts";
import type { LakeWriter } from "./writer.ts";

const EVERY_MS = 3_600_000;
const RETRY_MIN_MS = 30_000;

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
  let [last_success_ms, retry_ms] = [0, RETRY_MIN_MS];

  const repeating = repeat(async (running) => {
    try {
      if (!(await state.caughtUp())) return RETRY_MIN_MS;
      await writer.run(Date.now(), () => !running(), await state.retention_ms());
      [last_success_ms, retry_ms] = [Date.now(), RETRY_MIN_MS];
      trouble.over();
      return EVERY_MS;
    } catch (error) {
      trouble.failed(error);
      retry_ms = Math.min(EVERY_MS, 2 * retry_ms);
      return retry_ms;
    }
  });
  const status = () => ({ ...writer.status(), last_success_ms, error: trouble.failing?.error ?? null });
  return { ...repeating, status, failing: () => trouble.failing };
}
