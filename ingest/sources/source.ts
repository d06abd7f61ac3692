// What a collector is given and what it hands on: the border between protocols and the pipeline.
import type { ColumnsBuilder } from "../columns.ts";
import type { AssetData, GapCause, Observation } from "../event.ts";

/** Where a collector stood with an agent; it commits in the transaction of the batch it covers. */
export type Checkpoint = {
  agent: string;
  /** The agent's; of a module where its clock last went far ahead, as JSON, or "". */
  instance_id: string;
  next_sequence: number;
  /** Up to when the agent is known to have been heard, µs: where a gap starts if it cannot be resumed. */
  known_us?: number;
};

/** One batch of one machine's observations on its way to the outbox. */
export type Batch = {
  machine_id: string;
  columns: ColumnsBuilder;
  /** Deterministic name of the batch (`agent:instanceId:first-last`): the same batch again is dropped (invariant 2). */
  dedupe_key: string;
};

/** An asset of one machine; the same key again is dropped (invariant 2). */
export type AssetRecord = { machine_id: string; asset: AssetData["asset"]; dedupe_key: string };

/**
 * The way into the pipeline for collectors.
 * Every call resolves once the data is durable (invariant 1) and waits while the outbox is full (invariant 7):
 * a collector that awaits it stops reading and goes on later by sequence.
 */
export type Sink = {
  /** Commits the batches and the checkpoint in one transaction. Either may be empty. */
  append(batches: Batch[], checkpoint?: Checkpoint): Promise<void>;
  /** The last committed checkpoint of an agent, if any. */
  checkpoint(agent: string): Promise<Checkpoint | undefined>;
  /** Records assets in one transaction. */
  assets(records: AssetRecord[]): Promise<void>;
  /** Records time known to be missing; `to_us` 0 opens it, the same key with an end closes it (invariant 4). */
  gap(
    machine_id: string,
    gap: { from_us: number; to_us: number; cause: GapCause; detail: string },
  ): Promise<void>;
  /** Gaps still open, so that a collector can close them after a restart. */
  openGaps(machine_id: string): Promise<{ from_us: number; cause: GapCause }[]>;
};

/** How a collector is doing, for /readyz, /metrics and the screens. */
export type SourceStatus = {
  state: "connecting" | "streaming" | "polling" | "unreachable" | "stopped";
  /** Since when, ms since 1970. */
  since_ms: number;
  /** When something last arrived (heartbeats too), ms since 1970; 0 is never. */
  heard_ms: number;
  error: string;
};

/** A running collector. */
export type Collector = {
  /** How it is doing, or how one of its machines is, where they fare differently. */
  status(machine_id?: string): SourceStatus;
  /** Stops reading, waits for what is on its way to the sink. */
  stop(): Promise<void>;
};

export type { Observation };
