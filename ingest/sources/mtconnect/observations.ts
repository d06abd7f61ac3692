// From an agent's observations to batches: one machine's mapping, what it follows, and the floor of what it already has.
import { ColumnsBuilder } from "../../columns.ts";
import { MAX_NAME_LENGTH, MAX_WORD_LENGTH } from "../../event.ts";
import { conditionAlarms, hasMeaning, UNAVAILABLE } from "../../signals.ts";
import { isPossible } from "../../time.ts";
import type { Batch } from "../source.ts";
import { MAX_TEXT_BYTES } from "./bounds.ts";
import { Conditions } from "./conditions.ts";
import { DataSets } from "./data-sets.ts";
import { type Device, type DeviceStream, itemsOf } from "./document.ts";
import { type Detail, type StreamItems, toNumber } from "./items.ts";
import { type MappedSignal, mapDataItems, mapUnknown } from "./mapping.ts";

/** A stretch of time in which something the figures are made of could not be read; it ends at 0 while it goes on. */
export type Torn = { from_us: number; to_us: number };

/** Where a machine stood when its agent was read before, µs; 0 is not known. */
export type Before = {
  /** All until then is known. */
  known_us: number;
  /** Since then something that matters could not be read, and a gap says so. */
  torn_us: number;
};

/** Turns what an agent says of one device into batches of one machine. */
export class Translator {
  readonly machine_id: string;
  readonly device: Device;
  /** Observations without a sequence, or whose time is unreadable or none an event may carry: left out. */
  dropped_rows = 0;
  /** Everything below is durable already. */
  floor = 0;
  readonly #signals: Map<string, MappedSignal>;
  readonly #conditions = new Conditions();
  readonly #sets = new DataSets();
  /** The time of the last observation that was read. */
  #read_us: number;
  /** From when on one that matters could not be read, and whether that was told; undefined while all can be. */
  #tearing: { from_us: number; is_told: boolean } | undefined;
  #torn: Torn[] = [];

  constructor(machine_id: string, device: Device, { known_us, torn_us }: Before = NOTHING_BEFORE) {
    this.machine_id = machine_id;
    this.device = device;
    this.#read_us = known_us;
    if (torn_us > 0) this.#tearing = { from_us: torn_us, is_told: true };
    this.#signals = mapDataItems(device.data_items);
  }

  /** Conditions and data sets are told as changes: to resume, what held before must be known. */
  get follows_changes(): boolean {
    return this.#signals.values().some(({ kind }) => kind === "condition" || kind === "set");
  }

  /** Forgets what is in force: a `/current` document that lists all of it follows. */
  forget(): void {
    this.#conditions.clear();
    this.#sets.clear();
  }

  /** Takes what is in force from a `/current` document, without giving anything out. */
  prime(streams: DeviceStream[]): void {
    this.forget();
    const items = itemsOf(this.device, streams);
    if (!items) return;
    const mapped = this.#mapped(items);
    const words = new Words(items.words);
    for (const i of items.order()) {
      const signal = mapped[items.id[i] as number] as MappedSignal;
      if (signal.kind === "condition" || signal.kind === "set") this.#tell(items, i, signal, words);
    }
  }

  /**
   * What could not be read since the last call, where it leaves the figures in doubt (invariant 4). One that goes on is
   * given once without its end: whatever happens until then, it was told.
   */
  takeTorn(): Torn[] {
    const torn = this.#torn;
    this.#torn = [];
    const now = this.#tearing;
    if (now && !now.is_told && now.from_us > 0) {
      torn.push({ from_us: now.from_us, to_us: 0 });
      now.is_told = true;
    }
    return torn;
  }

  /**
   * The batches of a document's observations from the floor up; those under it are followed, but not given out.
   * @param key names the batch for ever (invariant 2); a further batch of the same document gets a number
   * @param below only observations with a lower sequence are looked at
   * @param now_us one far ahead of it has an impossible time; by our clock without it
   */
  batches(
    streams: DeviceStream[],
    key: string,
    { below = Number.POSITIVE_INFINITY, now_us = Date.now() * 1_000 } = {},
  ): Batch[] {
    const items = itemsOf(this.device, streams);
    if (!items) return [];
    const mapped = this.#mapped(items);
    const words = new Words(items.words);
    const batches = new Batches(this.machine_id, key);
    for (const i of items.order()) {
      const sequence = items.sequence[i] as number;
      if (sequence >= below) continue;
      const signal = mapped[items.id[i] as number] as MappedSignal;
      const usual = signal.kind === "value" && !items.details.has(i);
      const told = usual ? undefined : this.#tell(items, i, signal, words);
      if (sequence < this.floor) continue;
      const ts_us = items.ts_us[i] as number;
      if (!isPossible(ts_us, now_us) || Number.isNaN(sequence)) {
        this.#drop(signal);
        continue;
      }
      if (this.#tearing) this.#mend(this.#tearing, ts_us);
      this.#read_us = ts_us;
      if (told) for (const [name, value, at_us] of told) batches.add(name, at_us, sequence, value);
      else batches.add(signal.signal, ts_us, sequence, words.valueAt(items, i, signal.numeric));
    }
    return batches.made();
  }

  /** What an observation tells that is more than one value: name, value and time of each. */
  #tell(items: StreamItems, i: number, signal: MappedSignal, words: Words): Told[] {
    const id = items.ids[items.id[i] as number] as string;
    const detail = items.details.get(i) ?? {};
    const ts_us = items.ts_us[i] as number;
    if (detail.condition) {
      const { worst, alarms } = this.#conditions.apply(id, detail.condition);
      const told: Told[] = [[signal.signal, worst, ts_us]];
      if (alarms !== undefined) told.push([conditionAlarms(id), alarms, ts_us]);
      return told;
    }
    const whole = signal.kind === "series" || detail.sample_rate_hz !== undefined;
    const value = words.valueAt(items, i, signal.numeric, whole ? MAX_TEXT_BYTES : MAX_WORD_LENGTH);
    if (detail.entries || signal.kind === "set") {
      const entries = value === UNAVAILABLE ? UNAVAILABLE : (detail.entries ?? []);
      const changes = this.#sets.apply(id, entries, detail.reset_triggered !== undefined);
      return [...changes].map(([path, changed]) => [pathOf(signal.signal, path), changed, ts_us]);
    }
    if (whole) return series(signal, detail, value, ts_us);
    return [[signal.signal, value, ts_us]];
  }

  #drop({ signal }: MappedSignal): void {
    this.dropped_rows += 1;
    if (hasMeaning(signal)) this.#tearing ??= { from_us: this.#read_us, is_told: false };
  }

  /** From the last time that was read to this one nobody knows. */
  #mend({ from_us, is_told }: { from_us: number; is_told: boolean }, ts_us: number): void {
    this.#tearing = undefined;
    if (is_told || (from_us > 0 && from_us < ts_us))
      this.#torn.push({ from_us, to_us: Math.max(from_us, ts_us) });
  }

  #mapped({ ids, id, category, length }: StreamItems): MappedSignal[] {
    const categories = new Uint8Array(ids.length);
    for (let i = 0; i < length; i++) categories[id[i] as number] = category[i] as number;
    return ids.map((name, n) => this.#signals.get(name) ?? mapUnknown(name, categories[n] as number));
  }
}

const NOTHING_BEFORE: Before = { known_us: 0, torn_us: 0 };

type Told = [signal: string, value: number | string | null, ts_us: number];

const pathOf = (signal: string, path: string): string =>
  (path === "" ? signal : `${signal}.${path}`).slice(0, MAX_NAME_LENGTH);

/**
 * The values of a TIME_SERIES, one by one: the observation's time is the last value's, the others lie before it by
 * the sample rate (MTConnect Part 2, "TimeSeries"). Without a rate their times are unknown: then it stays one word.
 */
function series(
  { signal, sample_rate_hz }: MappedSignal,
  detail: Detail,
  value: Told[1],
  ts_us: number,
): Told[] {
  const rate_hz = detail.sample_rate_hz || sample_rate_hz;
  const values = typeof value === "string" ? value.split(/\s+/).map(toNumber) : [];
  // One that was cut has lost its last values, by whose time the others are placed.
  const is_cut = typeof value === "string" && value.length >= MAX_TEXT_BYTES;
  if (is_cut || !(rate_hz > 0) || values.length < 2 || values.some(Number.isNaN))
    return [[signal, typeof value === "string" ? value.slice(0, MAX_WORD_LENGTH) : value, ts_us]];
  return values.map((v, n) => [signal, v, ts_us - Math.round(((values.length - 1 - n) * 1e6) / rate_hz)]);
}

/** The words of a document, each looked at once. */
class Words {
  readonly #words: string[];
  /** By word: what it is as a number, NaN where it is none; undefined until somebody asks. */
  readonly #numbers: number[] = [];

  constructor(words: string[]) {
    this.#words = words;
  }

  /** A row's value: a number where the data item carries numbers and the text is one, else the word, cut to its bound. */
  valueAt(items: StreamItems, i: number, numeric: boolean, max_length = MAX_WORD_LENGTH): number | string {
    const word = items.word[i] as number;
    if (word === 0) return items.num[i] as number;
    const text = this.#words[word - 1] as string;
    if (numeric) {
      const number = (this.#numbers[word] ??= toNumber(text));
      if (!Number.isNaN(number)) return number;
    }
    return text.length > max_length ? text.slice(0, max_length) : text;
  }
}

/** Collects rows into batches of at most what an event may hold. */
class Batches {
  readonly #machine_id: string;
  readonly #key: string;
  readonly #made: Batch[] = [];
  #columns = new ColumnsBuilder();

  constructor(machine_id: string, key: string) {
    this.#machine_id = machine_id;
    this.#key = key;
  }

  add(signal: string, ts_us: number, sequence: number, value: number | string | null): void {
    if (this.#columns.full) this.#turn();
    this.#columns.add(signal, ts_us, sequence, value);
  }

  made(): Batch[] {
    this.#turn();
    return this.#made;
  }

  #turn(): void {
    const dedupe_key = this.#made.length === 0 ? this.#key : `${this.#key}/${this.#made.length}`;
    if (this.#columns.rows > 0)
      this.#made.push({ machine_id: this.#machine_id, columns: this.#columns, dedupe_key });
    this.#columns = new ColumnsBuilder();
  }
}
