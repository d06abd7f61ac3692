// What the load generator is asked for, and what it tells.
import type { FormatName } from "./formats.ts";
import type { Series } from "./observations.ts";
import { runProcess } from "./process.ts";

export type LoadJob = {
  origin: string;
  /** Our API key; peers want none. */
  key?: string;
  format: FormatName;
  series: Series;
  /** Number of the first batch; those before it belong to an earlier job. */
  first: number;
  batches: number;
  connections: number;
  /** Without it as fast as answers come. */
  batches_per_s?: number;
};

export type Load = {
  requests: number;
  rows: number;
  /** Sent, heads included. */
  bytes: number;
  /** When the first request left and the last answer came, ms since 1970. */
  started_ms: number;
  ended_ms: number;
  failed: number;
  failure: string;
  /** Time from a request, or from when it was due, to its answer. */
  p50_ms: number;
  p99_ms: number;
};

/**
 * Sends the job's batches from a process of its own.
 * @throws where a single one was refused: a figure with losses is none
 */
export async function sendLoad(job: LoadJob): Promise<Load> {
  const load = await runProcess<LoadJob, Load>("load.process.ts", job);
  if (load.failed > 0) throw new Error(`${load.failed} of ${load.requests} refused: ${load.failure}`);
  return load;
}

export const acked_per_s = ({ rows, started_ms, ended_ms }: Load): number =>
  rows / ((ended_ms - started_ms) / 1_000);
