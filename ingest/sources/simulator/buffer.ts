// The agent's ring of observations, addressed by sequence, and the latest value of every data item.

export type Level = "Normal" | "Warning" | "Fault" | "Unavailable";

/** Of a DATA_SET the entries, of a TABLE the rows with their cells, by key; null is an entry that was removed. */
export type Entries = Record<string, string | number | Record<string, string | number> | null>;

/** One observation as the agent keeps it. */
export type Stored = {
  /** Index of the data item in the agent's table. */
  item: number;
  sequence: number;
  /** As the adapter gave it (text), or µs since 1970. */
  timestamp: string | number;
  /** The value, escaped for XML; of a condition the text. */
  text: string;
  /** Of conditions only. */
  level?: Level;
  native_code?: string;
  /** Further attributes, ready for XML: nativeCode, nativeSeverity, qualifier, resetTriggered, sampleCount … */
  attributes?: string;
  /** Of a set: in the ring what changed, among the latest all there is. */
  entries?: Entries;
  /** Of ASSET_CHANGED and ASSET_REMOVED. */
  asset_type?: string;
};

/** The last `size` observations. Sequences start at 1 and never have holes, so a sequence is its own index. */
export class Ring {
  readonly size: number;
  readonly latest: Checkpoint;
  next_sequence = 1;
  readonly #slots: Stored[] = [];
  readonly #evicted: Checkpoint;

  constructor(size: number, items: number) {
    this.size = size;
    this.latest = new Checkpoint(items);
    this.#evicted = new Checkpoint(items);
  }

  get first_sequence(): number {
    return Math.max(1, this.next_sequence - this.size);
  }

  /** Stores an observation under the next sequence; the oldest one falls out of a full ring. */
  add(observation: Omit<Stored, "sequence">): void {
    const stored: Stored = { ...observation, sequence: this.next_sequence++ };
    const slot = (stored.sequence - 1) % this.size;
    const old = this.#slots[slot];
    if (old) this.#evicted.apply(old);
    this.#slots[slot] = stored;
    this.latest.apply(stored);
  }

  /** The observation of a sequence still in the ring. */
  get(sequence: number): Stored | undefined {
    return sequence < this.first_sequence ? undefined : this.#slots[(sequence - 1) % this.size];
  }

  /** The state of every item when `sequence` was the last: what fell out of the ring, then the ring's part. */
  at(sequence: number): Checkpoint {
    const state = this.#evicted.copy();
    for (let s = this.first_sequence; s <= sequence; s++) {
      const observation = this.get(s);
      if (observation) state.apply(observation);
    }
    return state;
  }
}

/** The latest observation of each item; of a condition, every active one. */
export class Checkpoint {
  readonly #latest: Stored[][];

  constructor(items: number) {
    this.#latest = Array.from({ length: items }, () => []);
  }

  of(item: number): Stored[] {
    return this.#latest[item] ?? [];
  }

  copy(): Checkpoint {
    const copy = new Checkpoint(0);
    for (const active of this.#latest) copy.#latest.push([...active]);
    return copy;
  }

  /** MTConnect's rule for conditions: a code adds or replaces itself; Normal clears its code, without a code all. */
  apply(observation: Stored): void {
    const { item, level, native_code = "" } = observation;
    if (observation.entries) {
      const before = this.of(item)[0]?.entries;
      this.#latest[item] = [{ ...observation, entries: merged(before, observation) }];
      return;
    }
    const replaces_all = !level || level === "Unavailable" || (level === "Normal" && native_code === "");
    if (replaces_all) {
      this.#latest[item] = [observation];
      return;
    }
    const active = this.of(item).filter(
      (other) => (other.level === "Fault" || other.level === "Warning") && other.native_code !== native_code,
    );
    if (level !== "Normal") active.push(observation);
    this.#latest[item] = active.length > 0 ? active : [observation];
  }
}

/** A set after a change; what resets it, or makes it unavailable, leaves nothing of what went before. */
function merged(before: Entries = {}, { entries = {}, attributes = "", text }: Stored): Entries {
  const anew = attributes.includes("resetTriggered") || text !== "";
  const all = Object.entries({ ...(anew ? {} : before), ...entries });
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

/** What of these entries is new to an agent that has those: agents do not repeat themselves. */
export function changed(before: Entries = {}, entries: Entries): Entries {
  const new_ones = Object.entries(entries).filter(
    ([key, value]) => JSON.stringify(before[key] ?? null) !== JSON.stringify(value),
  );
  return Object.fromEntries(new_ones);
}
