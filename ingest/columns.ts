// Builds an event's columns: words and names interned, times as offsets, no object per observation.
import { encodeData, MAX_BATCH_ROWS, type Observation, type ObservationColumns } from "./event.ts";

/** Collects observations of one machine and turns them into the `data` of one event. */
export class ColumnsBuilder {
  readonly #signals = new Map<string, number>();
  readonly #words = new Map<string, number>();
  readonly #signal: number[] = [];
  readonly #ts_us: number[] = [];
  readonly #seq: number[] = [];
  readonly #num: (number | null)[] = [];
  readonly #word: number[] = [];

  get rows(): number {
    return this.#signal.length;
  }

  get full(): boolean {
    return this.rows >= MAX_BATCH_ROWS;
  }

  /** @param seq the source's sequence, 0 where it has none */
  add(signal: string, ts_us: number, seq: number, value: number | string | null): void {
    let index = this.#signals.get(signal);
    if (index === undefined) this.#signals.set(signal, (index = this.#signals.size));
    let word = 0;
    if (typeof value === "string") {
      word = this.#words.get(value) ?? 0;
      if (word === 0) this.#words.set(value, (word = this.#words.size + 1));
    }
    this.#signal.push(index);
    this.#ts_us.push(ts_us);
    this.#seq.push(seq);
    this.#num.push(typeof value === "number" ? value : null);
    this.#word.push(word);
  }

  /** The columns as an event holds them (SPEC 3.3); `t0` is the first observation's time. */
  columns(): ObservationColumns {
    const t0 = this.#ts_us[0] ?? 0;
    const seq0 = this.#seq[0] ?? 0;
    const columns: ObservationColumns = {
      signals: [...this.#signals.keys()],
      signal: this.#signal,
      t0,
      dt: this.#ts_us.map((ts) => ts - t0),
    };
    if (this.#seq.some((seq) => seq !== 0)) {
      if (this.#seq.every((seq, i) => seq === seq0 + i)) columns.seq0 = seq0;
      else columns.seq = this.#seq;
    }
    if (this.#num.some((num) => num !== null)) columns.num = this.#num;
    if (this.#words.size > 0) {
      columns.words = [...this.#words.keys()];
      columns.word = this.#word;
    }
    return columns;
  }

  bytes(): Uint8Array {
    return encodeData(this.columns());
  }
}

/** Reads columns back, one observation at a time, in their order. */
export function* observations(columns: ObservationColumns): Generator<Observation> {
  const { signals, signal, t0, dt, seq, seq0, num, words, word } = columns;
  for (let i = 0; i < signal.length; i++) {
    const w = word?.[i] ?? 0;
    yield {
      signal: signals[signal[i] as number] as string,
      ts_us: t0 + (dt[i] as number),
      seq: seq?.[i] ?? (seq0 === undefined ? 0 : seq0 + i),
      value: num?.[i] ?? (w > 0 ? (words?.[w - 1] ?? null) : null),
    };
  }
}
