// The shapes of the live stream (`/api/v1/stream`): a snapshot on connect, then deltas. As server-sent events they are
// `event` and `data`; over a WebSocket each is one message, `{"event", "id"?, "data"}`.
import type { State } from "../../domain/state-rules.ts";
import type { SourceStatus } from "../sources/source.ts";

/** A signal's latest value in event time; `seq` is the source's sequence, left out where it gave none. */
export type LiveValue = { ts_us: number; seq?: number; value: number | string | null };

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

/** `event: snapshot`. */
export type LiveSnapshot = { now_ms: number; machines: LiveMachine[] };

/**
 * `event: delta`: only what changed, at most ten a second for each machine. Of a machine that is new it says everything;
 * of one that was deleted only that.
 */
export type LiveDelta = { machine_id: string; deleted?: true } & Partial<Omit<LiveMachine, "machine_id">>;

/** `event: heartbeat`, every 5 s, so that a page knows its connection is alive; a page of another version starts anew. */
export type LiveHeartbeat = { now_ms: number; version: string };

/** `event: dropped`, the last one: why the stream ends. A WebSocket's close carries the reason instead. */
export type LiveDropped = { reason: string };
