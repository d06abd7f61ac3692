// Turns a machine's segments into observations: each signal when it changes, samples on a grid while it cuts.
import type { Value } from "../value.ts";
import { type Cnc, itemId, SIGNALS, type Signal } from "./machines.ts";
import { hash, noise } from "./random.ts";
import type { Segment, Told } from "./segment.ts";

/** One observation on its way to the agent; without an item the whole device turns UNAVAILABLE. */
export type Telling = { ts_us: number; uuid: string; item?: { id: string; value: Value } };

/** Follows one machine through time. */
export class Teller {
  readonly #cnc: Cnc;
  readonly #segments: Iterator<Segment>;
  readonly #noise_seed: number;
  /** The machine's signals now, and what of them the agent was told. */
  readonly #signals: Told = {};
  readonly #told: Told = {};
  #segment: Segment;
  #started = false;
  #told_to_us: number;

  /** @param from_us the first instant told; what went before only leaves its values */
  constructor(cnc: Cnc, segments: Iterator<Segment>, from_us: number) {
    this.#cnc = cnc;
    this.#segments = segments;
    this.#noise_seed = hash(cnc.uuid);
    this.#told_to_us = from_us;
    this.#segment = this.#next();
    while (this.#segment.to_us <= from_us) {
      Object.assign(this.#signals, this.#segment.tell);
      this.#segment = this.#next();
    }
  }

  #next(): Segment {
    const { value, done } = this.#segments.next();
    if (done) throw new Error("a machine's life has no end");
    return value;
  }

  /** Everything from where the last call ended up to `to_us`, samples every `step_us`. */
  advance(to_us: number, step_us: number): Telling[] {
    const out: Telling[] = [];
    while (this.#told_to_us < to_us) {
      if (!this.#started) this.#begin(out);
      const until_us = Math.min(to_us, this.#segment.to_us);
      this.#sample(out, until_us, step_us);
      this.#told_to_us = until_us;
      if (until_us < this.#segment.to_us) break;
      this.#segment = this.#next();
      this.#started = false;
    }
    return out;
  }

  /** All that holds at `ts_us`, for an agent that knows nothing of the machine; call `advance` up to then first. */
  everything(ts_us: number): Telling[] {
    const out: Telling[] = [];
    for (const signal of SIGNALS) delete this.#told[signal];
    if (this.#started && !this.#segment.lost)
      for (const signal of SIGNALS) this.#tell(out, ts_us, signal, this.#signals[signal]);
    return out;
  }

  #begin(out: Telling[]): void {
    const ts_us = Math.max(this.#segment.from_us, this.#told_to_us);
    this.#started = true;
    Object.assign(this.#signals, this.#segment.tell);
    if (this.#segment.lost) {
      out.push({ ts_us, uuid: this.#cnc.uuid });
      for (const signal of SIGNALS) delete this.#told[signal];
      return;
    }
    for (const signal of SIGNALS) this.#tell(out, ts_us, signal, this.#signals[signal]);
  }

  #tell(out: Telling[], ts_us: number, signal: Signal, value: Value | undefined): void {
    if (value === undefined || this.#told[signal] === value) return;
    this.#told[signal] = value;
    out.push({ ts_us, uuid: this.#cnc.uuid, item: { id: itemId(this.#cnc, signal), value } });
  }

  /** Speed, feed and load swing about their programmed values: a function of time alone. */
  #sample(out: Telling[], until_us: number, step_us: number): void {
    const { cut } = this.#segment;
    if (!cut) return;
    let ts_us = (Math.floor(this.#told_to_us / step_us) + 1) * step_us;
    for (; ts_us < until_us; ts_us += step_us) {
      const tick = Math.floor(ts_us / 1e5);
      const swing = Math.sin(ts_us / 1.7e6);
      const rpm = cut.rpm * (1 + 0.004 * noise(this.#noise_seed, tick));
      const feed = cut.feed_mm_s * (0.85 + 0.12 * swing + 0.03 * noise(this.#noise_seed, tick + 1));
      const load = cut.load_percent * (0.9 + 0.15 * swing + 0.08 * noise(this.#noise_seed, tick + 2));
      this.#tell(out, ts_us, "speed", Math.round(rpm));
      this.#tell(out, ts_us, "feed", Math.round(feed * 100) / 100);
      this.#tell(out, ts_us, "load", Math.round(load * 10) / 10);
    }
  }
}
