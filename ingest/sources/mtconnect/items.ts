// Observations of one device as columns: what the readers fill in and the translator turns into batches.
import { MAX_NAME_LENGTH, MAX_WORD_LENGTH } from "../../event.ts";
import { cut } from "../text.ts";
import { MAX_NUMBER_BYTES, MAX_VALUES } from "./bounds.ts";

export type Level = "NORMAL" | "WARNING" | "FAULT" | "UNAVAILABLE";
export type Category = "SAMPLE" | "EVENT" | "CONDITION";

/** An entry of a DATA_SET, or a row of a TABLE with its cells; null is a removed one. */
export type Entry = { key: string; value: string | null | Entry[] };

/** What few observations have besides a value. */
export type Detail = {
  condition?: { level: Level; native_code: string; native_severity: string; qualifier: string; text: string };
  /** Of a DATA_SET or TABLE that has any. */
  entries?: Entry[];
  /** The set was emptied, or the counter begins anew, with this observation. */
  reset_triggered?: string;
  /** Of a TIME_SERIES: values a second; NaN where only the data item tells. */
  sample_rate_hz?: number;
};

/** What a condition says, its texts cut. */
export const conditionOf = (
  level: Level = "UNAVAILABLE",
  { native_code, native_severity, qualifier, text }: Omit<NonNullable<Detail["condition"]>, "level">,
): NonNullable<Detail["condition"]> => ({
  level,
  native_code: cut(native_code, MAX_NAME_LENGTH),
  native_severity: cut(native_severity, MAX_NAME_LENGTH),
  qualifier: cut(qualifier, MAX_NAME_LENGTH),
  text: cut(text),
});

/** An entry of a set, or a row of a table; its key and its text cut. */
export const entryOf = (key: string, value: Entry["value"]): Entry => ({
  key: cut(key, MAX_NAME_LENGTH),
  value: typeof value === "string" ? value.slice(0, MAX_WORD_LENGTH).toWellFormed() : value,
});

const CATEGORIES: readonly Category[] = ["SAMPLE", "EVENT", "CONDITION"];
export const SAMPLE = 0;
export const EVENT = 1;
export const CONDITION = 2;

const CONDITION_VALUES = 10;
const FIRST_CAPACITY_ROWS = 64;
/** Sequences spread wider than this many times their number are sorted by comparison. */
const MAX_SPREAD = 8;

/**
 * One row an observation, in document order; {@link order} gives the sequence order.
 * Data item ids and words are interned: `id[i]` indexes `ids` from 0, `word[i]` indexes `words` from 1, 0 is none.
 * A SAMPLE that reads as a number is in `num`, NaN is none; every other value is a word. Conditions have neither.
 */
export class StreamItems {
  readonly ids: string[] = [];
  readonly words: string[] = [];
  id = new Int32Array(FIRST_CAPACITY_ROWS);
  word = new Int32Array(FIRST_CAPACITY_ROWS);
  category = new Uint8Array(FIRST_CAPACITY_ROWS);
  /** NaN where it is no integer. */
  sequence = new Float64Array(FIRST_CAPACITY_ROWS);
  /** µs since 1970; NaN where it is no time. */
  ts_us = new Float64Array(FIRST_CAPACITY_ROWS);
  num = new Float64Array(FIRST_CAPACITY_ROWS);
  readonly details = new Map<number, Detail>();
  length = 0;

  /** Appends one row. Indexes are those of `ids` and `words`. */
  push(id: number, category: number, sequence: number, ts_us: number, num: number, word: number): void {
    const i = this.length;
    if (i === this.id.length) this.#grow();
    this.id[i] = id;
    this.category[i] = category;
    this.sequence[i] = sequence;
    this.ts_us[i] = ts_us;
    this.num[i] = num;
    this.word[i] = word;
    this.length = i + 1;
  }

  /** Row numbers in sequence order; rows without a sequence come last. What came first stays first among equals. */
  order(): Int32Array {
    const order = new Int32Array(this.length);
    let sorted = true;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.length; i++) {
      const sequence = this.sequence[i] as number;
      // A comparison with NaN is false: such a row is never taken for sorted.
      if (!(sequence >= highest)) sorted = false;
      if (sequence < lowest) lowest = sequence;
      if (sequence > highest) highest = sequence;
      order[i] = i;
    }
    if (sorted || highest < lowest) return order;
    const spread = highest - lowest + 1;
    return spread <= MAX_SPREAD * this.length ? this.#place(order, lowest, spread) : this.#sort(order);
  }

  /** An agent's sequences are dense: each row has its place, and rows of one place keep their order. */
  #place(order: Int32Array, lowest: number, spread: number): Int32Array {
    const first = new Int32Array(spread + 1).fill(-1);
    const next = new Int32Array(this.length);
    for (let i = this.length - 1; i >= 0; i--) {
      const sequence = this.sequence[i] as number;
      const place = Number.isNaN(sequence) ? spread : sequence - lowest;
      next[i] = first[place] as number;
      first[place] = i;
    }
    let n = 0;
    for (let place = 0; place <= spread; place++) {
      for (let i = first[place] as number; i >= 0; i = next[i] as number) order[n++] = i;
    }
    return order;
  }

  #sort(order: Int32Array): Int32Array {
    const key = (i: number): number => {
      const sequence = this.sequence[i] as number;
      return Number.isNaN(sequence) ? Number.MAX_VALUE : sequence;
    };
    return order.sort((a, b) => key(a) - key(b) || a - b);
  }

  /** The same columns, as they come from another thread: typed arrays and strings, without a method. */
  static from(columns: StreamColumns): StreamItems {
    return Object.assign(new StreamItems(), columns);
  }

  /**
   * How many values it tells: of a set its entries, of a time series each of its numbers, of a condition ten, since each
   * tells all alarms that are in force.
   * @throws Error over the bound, as soon as it is known
   */
  values(): number {
    let values = this.length;
    for (const { entries, condition } of this.details.values())
      values += (entries ? sizeOf(entries) : 0) + (condition ? CONDITION_VALUES : 0);
    const numbers: number[] = [];
    for (let i = 0; i < this.length && values <= MAX_VALUES; i++) {
      const word = this.word[i] as number;
      // Events are words, whatever is in them.
      if (word > 0 && this.category[i] === SAMPLE)
        values += numbers[word] ??= blanksIn(this.words[word - 1] as string);
    }
    if (values > MAX_VALUES) throw new Error(`more than ${MAX_VALUES} values`);
    return values;
  }

  #grow(): void {
    const capacity = this.length * 2;
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(made: T, old: T): T => {
      made.set(old);
      return made;
    };
    this.id = grown(new Int32Array(capacity), this.id);
    this.word = grown(new Int32Array(capacity), this.word);
    this.category = grown(new Uint8Array(capacity), this.category);
    this.sequence = grown(new Float64Array(capacity), this.sequence);
    this.ts_us = grown(new Float64Array(capacity), this.ts_us);
    this.num = grown(new Float64Array(capacity), this.num);
  }
}

/** What {@link StreamItems} is made of. */
export type StreamColumns = Pick<
  StreamItems,
  "ids" | "words" | "id" | "word" | "category" | "sequence" | "ts_us" | "num" | "details" | "length"
>;

const sizeOf = (entries: Entry[]): number =>
  entries.reduce((sum, { value }) => sum + (Array.isArray(value) ? sizeOf(value) : 1), 0);

function blanksIn(text: string): number {
  let blanks = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) <= 0x20) blanks += 1;
  return blanks;
}

/** One observation as an object: for what is looked at, never on the hot path. */
export type StreamItem = Detail & {
  data_item_id: string;
  category: Category;
  sequence: number;
  ts_us: number;
  /** The number or the word; undefined of a condition. */
  value: number | string | undefined;
};

/** The observations in sequence order. */
export function* streamItems(items: StreamItems): Generator<StreamItem> {
  for (const i of items.order()) {
    const num = items.num[i] as number;
    yield {
      data_item_id: items.ids[items.id[i] as number] as string,
      category: CATEGORIES[items.category[i] as number] as Category,
      sequence: items.sequence[i] as number,
      ts_us: items.ts_us[i] as number,
      value: Number.isNaN(num) ? items.words[(items.word[i] as number) - 1] : num,
      ...items.details.get(i),
    };
  }
}

/** Each digit has but one place in it: what is no number is told in one pass, however long it is. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** A decimal number as MTConnect writes it; NaN for anything else: no hexadecimal, no Infinity. */
export const toNumber = (text: string): number =>
  text.length <= MAX_NUMBER_BYTES && NUMBER.test(text) ? Number(text) : Number.NaN;
