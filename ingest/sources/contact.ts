// What goes on as gaps: opened when a source falls silent, or its time is in doubt, closed when that is over (invariant 4).
import type { GapCause } from "../event.ts";
import type { Sink } from "./source.ts";

/** How a gap that has a length is closed, in words. */
const OVER = { unreachable: "contact is back", clock_jump: "the clock is sure again" };

/** Keeps the gaps of one machine and cause; those left open by an earlier run are taken over. */
export class ContactGaps {
  readonly #sink: Sink;
  readonly #machine_id: string;
  readonly #cause: keyof typeof OVER & GapCause;
  readonly #open = new Set<number>();

  constructor(sink: Sink, machine_id: string, cause: keyof typeof OVER & GapCause = "unreachable") {
    this.#sink = sink;
    this.#machine_id = machine_id;
    this.#cause = cause;
  }

  /** Takes over what an earlier run left open. */
  async restore(): Promise<void> {
    for (const { from_us, cause } of await this.#sink.openGaps(this.#machine_id)) {
      if (cause === this.#cause) this.#open.add(from_us);
    }
  }

  /** Since when it goes on, µs; undefined while it does not. */
  get open_since_us(): number | undefined {
    return this.#open.size > 0 ? Math.min(...this.#open) : undefined;
  }

  /** It begins: nothing is known since `from_us`. Repeated calls change nothing. */
  async open(from_us: number, detail: string): Promise<void> {
    if (this.#open.size > 0) return;
    await this.#sink.gap(this.#machine_id, { from_us, to_us: 0, cause: this.#cause, detail });
    this.#open.add(from_us);
  }

  /**
   * It is over, and nothing is known until `to_us`.
   * Without `to_us` the source kept the time in between, and handed it over: the gaps close empty.
   */
  async close(to_us?: number): Promise<void> {
    for (const from_us of this.#open) {
      const end_us = Math.max(from_us, to_us ?? from_us);
      const detail = to_us === undefined ? "resumed without loss" : OVER[this.#cause];
      await this.#sink.gap(this.#machine_id, { from_us, to_us: end_us, cause: this.#cause, detail });
      this.#open.delete(from_us);
    }
  }

  /** One that was closed ended sooner than was told: the clock that told it was ahead. */
  async shorten(from_us: number, to_us: number): Promise<void> {
    const end_us = Math.max(from_us, to_us);
    const gap = { from_us, to_us: end_us, cause: this.#cause, detail: OVER.clock_jump };
    await this.#sink.gap(this.#machine_id, gap);
  }
}
