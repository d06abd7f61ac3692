// Lost contact as gaps: opened when a source falls silent, closed when it is heard again (invariant 4).
import type { Sink } from "./source.ts";

/** Keeps the `unreachable` gaps of one machine; those left open by an earlier run are taken over. */
export class ContactGaps {
  readonly #sink: Sink;
  readonly #machine_id: string;
  readonly #open = new Set<number>();

  constructor(sink: Sink, machine_id: string) {
    this.#sink = sink;
    this.#machine_id = machine_id;
  }

  /** Takes over what an earlier run left open. */
  async restore(): Promise<void> {
    for (const { from_us, cause } of await this.#sink.openGaps(this.#machine_id)) {
      if (cause === "unreachable") this.#open.add(from_us);
    }
  }

  /** When contact was lost, µs; undefined while there is contact. */
  get open_since_us(): number | undefined {
    return this.#open.size > 0 ? Math.min(...this.#open) : undefined;
  }

  /** Contact is lost; nothing is known since `from_us`. Repeated calls change nothing. */
  async open(from_us: number, detail: string): Promise<void> {
    if (this.#open.size > 0) return;
    await this.#sink.gap(this.#machine_id, { from_us, to_us: 0, cause: "unreachable", detail });
    this.#open.add(from_us);
  }

  /**
   * Contact is back, and nothing is known until `to_us`.
   * Without `to_us` the source kept the time in between, and handed it over: the gaps close empty.
   */
  async close(to_us?: number): Promise<void> {
    for (const from_us of this.#open) {
      const end_us = Math.max(from_us, to_us ?? from_us);
      const detail = to_us === undefined ? "resumed without loss" : "contact is back";
      await this.#sink.gap(this.#machine_id, { from_us, to_us: end_us, cause: "unreachable", detail });
      this.#open.delete(from_us);
    }
  }
}
