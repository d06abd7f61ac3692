// The shapes of the live stream (`/api/v1/stream`): a snapshot on connect, then deltas.
import type { State } from "../signals.ts";
import type { SourceStatus } from "../sources/source.ts";

/** A signal's latest value in event time. */
export type LiveValue = { ts_us: number; value: number | string | null };

/** What is known of one machine now. */
export type LiveMachine = {
  machine_id: string;
  state: State;
  /** Event time of the last change of state, µs; 0 where there was none. */
  since_us: number;
  /** When MTC last heard of the machine's source (heartbeats too), ms; 0 is never. */
  heard_ms: number;
  source: SourceStatus["state"];
  signals: Record<string, LiveValue>;
};

/** SSE `event: snapshot`. */
export type LiveSnapshot = { now_ms: number; machines: LiveMachine[] };

/** SSE `event: delta`: only what changed, at most ten a second for each machine. */
export type LiveDelta = { machine_id: string } & Partial<Omit<LiveMachine, "machine_id">>;

/** SSE `event: heartbeat`, every 5 s, so that a page knows its connection is alive. */
export type LiveHeartbeat = { now_ms: number };
