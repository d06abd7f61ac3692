// What of an agent's time is missing, machine by machine, and whose fault it is (invariant 4).
import type { GapCause } from "../../event.ts";
import { ContactGaps } from "../contact.ts";
import type { Sink } from "../source.ts";
import { type AgentHeader, type StreamsDocument, span_us } from "./document.ts";
import type { Torn } from "./observations.ts";

export type Loss = { from_us: number; to_us: number; cause: GapCause; detail: string };

/** A header's creationTime is cut to the second: closer than this, the clocks agree and ours is finer. */
const SAME_CLOCK_US = 2_000_000;

export class Losses {
  readonly #sink: Sink;
  readonly #contacts = new Map<string, ContactGaps>();
  /** Since when something of a machine cannot be read. */
  readonly #torn = new Map<string, number>();
  /** When we last had all that the agent had, and how long our own store has kept us waiting since. */
  #abreast_ms = performance.now();
  #held_back_ms = 0;

  constructor(sink: Sink, machine_ids: string[]) {
    this.#sink = sink;
    for (const machine_id of machine_ids) this.#contacts.set(machine_id, new ContactGaps(sink, machine_id));
  }

  /** Takes over what an earlier run left open. */
  async restore(): Promise<void> {
    for (const [machine_id, contact] of this.#contacts) {
      await contact.restore();
      for (const { from_us, cause } of await this.#sink.openGaps(machine_id))
        if (cause === "torn_record") this.#torn.set(machine_id, from_us);
    }
  }

  /** Since when there is no contact, µs; undefined while there is. */
  contactLostSince_us(machine_id: string): number | undefined {
    return this.#contacts.get(machine_id)?.open_since_us;
  }

  /** Of the machine nothing is known since then; 0 is that nothing was known before. */
  async contactLost(machine_id: string, since_us: number, detail: string): Promise<void> {
    if (since_us > 0) await this.#contacts.get(machine_id)?.open(since_us, detail);
  }

  /** The agent kept the time in between, or has nothing of it before `to_us`. */
  async contactBack(machine_id: string, to_us?: number): Promise<void> {
    await this.#contacts.get(machine_id)?.close(to_us);
  }

  /** However short, it is not empty: an empty gap says that nothing was lost. */
  async record(machine_ids: string[], loss: Loss): Promise<void> {
    const to_us = Math.max(loss.from_us + 1, loss.to_us);
    for (const machine_id of machine_ids) await this.#sink.gap(machine_id, { ...loss, to_us });
  }

  /** What came with an impossible time or sequence is as good as missing. */
  async recordTorn(machine_id: string, stretches: Torn[]): Promise<void> {
    const detail = "an observation with an impossible time or sequence";
    for (const torn of stretches) {
      await this.#sink.gap(machine_id, { ...torn, cause: "torn_record", detail });
      if (torn.to_us === 0) this.#torn.set(machine_id, torn.from_us);
      else if (this.#torn.get(machine_id) === torn.from_us) this.#torn.delete(machine_id);
    }
  }

  /** Since when something of the machine cannot be read, µs; 0 where all can be. */
  tornSince_us(machine_id: string): number {
    return this.#torn.get(machine_id) ?? 0;
  }

  /** We have all that the agent has. */
  abreast(): void {
    this.#abreast_ms = performance.now();
    this.#held_back_ms = 0;
  }

  /** So long it was not the agent, but our own store that kept us from reading. */
  heldBack(waited_ms: number): void {
    this.#held_back_ms += waited_ms;
  }

  /** The agent dropped what we had not read: it may hold too little, or we took too long to keep what we read. */
  overrunCause(): GapCause {
    const behind_ms = performance.now() - this.#abreast_ms;
    return this.#held_back_ms > behind_ms / 2 ? "overload" : "sequence_gap";
  }
}

/** The time of the oldest that the document tells, in the agent's clock; it tells nothing: now. */
export const oldest_us = (document: StreamsDocument): number =>
  span_us(document)?.oldest_us || agentNow_us(document.header);

/** Now, in the clock that stamps this agent's observations. */
export const agentNow_us = (header: AgentHeader): number => Date.now() * 1_000 + clockAhead_us(header);

/**
 * Until when a document knows its agent that ends with the newest the agent has, in the clock that stamps observations:
 * until it was made, as its header says in whole seconds, or until its newest observation. How late it came to be read
 * here, on a busy machine or by a slow line, says nothing: what the agent was told meanwhile is not in it (invariant 4).
 */
export function madeAt_us(document: StreamsDocument): number {
  const now_us = agentNow_us(document.header);
  const { creation_us } = document.header;
  if (Number.isNaN(creation_us)) return now_us;
  return Math.min(now_us, Math.max(creation_us, span_us(document)?.latest_us ?? 0));
}

/** How far the agent's clock is ahead of ours, µs, as a header that has just come says; 0 where they agree. */
export function clockAhead_us({ creation_us }: AgentHeader): number {
  const ahead_us = creation_us - Date.now() * 1_000;
  return Math.abs(ahead_us) > SAME_CLOCK_US ? ahead_us : 0;
}
