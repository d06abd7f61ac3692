// Positions that were given and may never be filled: a writer died, or is slow, between the two.
import { isDuplicate } from "./committer.ts";
import type { Collections, CounterDoc, EventDoc } from "./documents.ts";

/** Whose the events are that fill holes. No tenant has this name. */
export const NOBODY = "";

/** The entry of a writer that was idle may begin far back: then it is waited for, and not the half of the log filled. */
const FILL_POSITIONS = 100_000;
/** A writer that says nothing for so long has died: it gives a group up sooner, and the server its transactions. */
const DEAD_MS = 5 * 60_000;
/** How long filling may wait for another's transaction. */
const FILL_MAX_MS = 1_000;

type Open = NonNullable<CounterDoc["open"]>;
/** An entry as it was first seen: whatever it covers lies in (after, last]. */
type Seen = Open[string] & { last: number; since_ms: number };

/**
 * Nobody can tell a dead writer from a slow one, and nobody has to. Its positions that are empty after a while are filled
 * with events that say nothing. A position is one event's: should the writer wake up, its insert fails, and it gives its events
 * new positions at the end of the log, as after any clash, so nothing slips in behind a cursor (invariants 1 and 2). Where
 * its transaction holds the position still, filling it fails, and is tried again later.
 */
export class Holes {
  readonly #collections: Pick<Collections, "outbox" | "counters">;
  readonly #patience_ms: number;
  #seen = new Map<string, Seen>();

  /** @param patience_ms how long a group may be on its way before its positions are filled */
  constructor(collections: Pick<Collections, "outbox" | "counters">, patience_ms: number) {
    this.#collections = collections;
    this.#patience_ms = patience_ms;
  }

  /** @returns after which positions something may still come from the writers in `open`; @param last the newest position */
  async after(open: Open, last: number): Promise<number[]> {
    const now_ms = performance.now();
    const seen = new Map<string, Seen>();
    for (const [name, entry] of Object.entries(open)) {
      const before = this.#seen.get(name);
      // Timed by whoever looks, by no clock of another host.
      seen.set(name, before?.at_ms === entry.at_ms ? before : { ...entry, last, since_ms: now_ms });
    }
    this.#seen = seen;
    const after: number[] = [];
    for (const [name, entry] of seen) if (!(await this.#settle(name, entry))) after.push(entry.after);
    return after;
  }

  /** @returns whether nothing can come of it any more */
  async #settle(name: string, { after, at_ms, last, since_ms }: Seen): Promise<boolean> {
    if (performance.now() - since_ms < this.#patience_ms) return false;
    if (last - after > FILL_POSITIONS && Date.now() - at_ms < DEAD_MS) return false;
    try {
      if (last - after <= FILL_POSITIONS) {
        await this.#fill(await this.#empty(after, last));
        if ((await this.#empty(after, last)).length > 0) return false;
      }
      const entry = `open.${name}`;
      await this.#collections.counters.updateOne(
        { _id: "log", [`${entry}.at_ms`]: at_ms },
        { $unset: { [entry]: "" } },
      );
      return true;
    } catch {
      // Held by a transaction, or the server is away: it is open as before.
      return false;
    }
  }

  async #empty(after: number, last: number): Promise<number[]> {
    const docs = await this.#collections.outbox
      .find({ _id: { $gt: after, $lte: last } }, { projection: { _id: 1 } })
      .toArray();
    const there = new Set(docs.map(({ _id }) => _id));
    return Array.from({ length: last - after }, (_, i) => after + 1 + i).filter((one) => !there.has(one));
  }

  async #fill(positions: number[]): Promise<void> {
    if (positions.length === 0) return;
    try {
      await this.#collections.outbox.insertMany(positions.map(nothing), {
        ordered: false,
        maxTimeMS: FILL_MAX_MS,
      });
    } catch (error) {
      // The writer was faster after all, or another process that fills.
      if (!isDuplicate(error)) throw error;
    }
  }
}

/** Set aside, so that nobody reads or delivers it; purged with the observations of its time. */
const nothing = (position: number): EventDoc => ({
  _id: position,
  id: "",
  tenant_id: NOBODY,
  machine_id: "",
  type: "mtc.observations.v1",
  time_ms: Date.now(),
  rows: 0,
  size_bytes: 0,
  bytes: new Uint8Array(0),
  once: `nothing\n${position}`,
  slot: 0,
  aside: { error: "its writer never came back", time_ms: Date.now() },
});
