// Data sets and tables: each entry (`<signal>.<key>`) and each cell (`<signal>.<row>.<cell>`) is a signal of its own.
import { UNAVAILABLE } from "../../signals.ts";
import { MAX_FOLLOWED } from "./bounds.ts";
import { type Entry, toNumber } from "./items.ts";

/** What one observation of a set changes, by path under the set's signal; "" is the set itself, null is an end. */
export type Changes = Map<string, number | string | null>;

/** Of a set: the cells of each entry; a plain entry has none. The entry "" is the set's being unavailable. */
type Known = Map<string, string[]>;

/**
 * Follows which entries each set of one device has. Agents tell only what changed, and that a set was emptied, not
 * what was in it (MTConnect Part 1, "Management of Data Set Observations"): the ends of the entries are ours to tell.
 */
export class DataSets {
  readonly #sets = new Map<string, Known>();
  #count = 0;

  /**
   * Takes one observation of a set.
   * @param entries what it tells; `UNAVAILABLE` in their stead empties the set
   * @param emptied the set was reset before these entries came
   */
  apply(data_item_id: string, entries: Entry[] | typeof UNAVAILABLE, emptied: boolean): Changes {
    const known = this.#sets.get(data_item_id) ?? new Map<string, string[]>();
    if (this.#sets.size < MAX_FOLLOWED) this.#sets.set(data_item_id, known);
    const changes: Changes = new Map();
    const unavailable = entries === UNAVAILABLE;
    if (emptied || unavailable) for (const key of [...known.keys()]) this.#end(known, key, changes);
    else if (entries.length > 0) this.#end(known, "", changes);
    if (unavailable) this.#tell(known, { key: "", value: UNAVAILABLE }, changes);
    else for (const entry of entries) this.#tell(known, entry, changes);
    return changes;
  }

  /** Forgets all: a `/current` document that lists every entry follows. */
  clear(): void {
    this.#sets.clear();
    this.#count = 0;
  }

  /** The cells of a row change together: those not told again are gone. */
  #tell(known: Known, { key, value }: Entry, changes: Changes): void {
    this.#end(known, key, changes);
    if (value === null) return;
    const cells = Array.isArray(value) ? value : [];
    for (const cell of cells) changes.set(`${key}.${cell.key}`, valueIn(cell.value));
    if (!Array.isArray(value)) changes.set(key, valueIn(value));
    if (this.#count >= MAX_FOLLOWED) return;
    known.set(
      key,
      cells.map((cell) => cell.key),
    );
    this.#count += Math.max(1, cells.length);
  }

  #end(known: Known, key: string, changes: Changes): void {
    const cells = known.get(key);
    if (!cells) return;
    known.delete(key);
    this.#count -= Math.max(1, cells.length);
    if (cells.length === 0) changes.set(key, null);
    for (const cell of cells) changes.set(`${key}.${cell}`, null);
  }
}

/** Of an entry nobody says whether it is a number or a word: it is what it looks like. */
function valueIn(value: Entry["value"]): number | string | null {
  if (typeof value !== "string") return null;
  const number = toNumber(value);
  return Number.isNaN(number) ? value : number;
}
