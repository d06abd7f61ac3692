// Turns a machine's segments into observations: each signal when it changes, samples on a grid while it cuts.
import type { SeriesValue, Value } from "../value.ts";
import { type Cnc, itemId, type Signal } from "./machines.ts";
import { hash, noise } from "./random.ts";
import type { Segment, Told } from "./segment.ts";
import type { ToolChange } from "./tools.ts";

/** One observation, or asset, on its way to the agent; without either the whole device turns UNAVAILABLE. */
export type Telling = {
  ts_us: number;
  uuid: string;
  item?: { id: string; value: Value };
  tool?: ToolChange;
};

/** The load of a cut's first two seconds, in one observation. */
const PROFILE_US = 2_000_000;
const PROFILE_RATE_HZ = 10;

/** Follows one machine through time. */
export class Teller {
  readonly #cnc: Cnc;
  readonly #segments: Iterator<Segment>;
  readonly #noise_seed: number;
  /** The signals that its device model has. */
  readonly #known: readonly Signal[];
  /** The machine's signals now, and what of them the agent was told. */
  readonly #signals: Told = {};
  readonly #told: Told = {};
  readonly #rack = new Map<string, ToolChange>();
  #introduced = false;
  #segment: Segment;
  #started = false;
  #told_to_us: number;

  /** @param from_us the first instant told; what went before only leaves its values */
  constructor(cnc: Cnc, known: readonly Signal[], segments: Iterator<Segment>, from_us: number) {
    this.#cnc = cnc;
    this.#known = known;
    this.#segments = segments;
    this.#noise_seed = hash(cnc.uuid);
    this.#told_to_us = from_us;
    this.#segment = this.#next();
    while (this.#segment.to_us <= from_us) {
      Object.assign(this.#signals, this.#segment.tell);
      this.#changeTools();
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
    const out = this.#rackTold(ts_us);
    for (const signal of this.#known) delete this.#told[signal];
    if (this.#started && !this.#segment.lost)
      for (const signal of this.#known) this.#tell(out, ts_us, signal, this.#signals[signal]);
    return out;
  }

  #begin(out: Telling[]): void {
    const ts_us = Math.max(this.#segment.from_us, this.#told_to_us);
    this.#started = true;
    if (!this.#introduced) out.push(...this.#rackTold(ts_us));
    this.#introduced = true;
    for (const tool of this.#changeTools()) out.push({ ts_us, uuid: this.#cnc.uuid, tool });
    Object.assign(this.#signals, this.#segment.tell);
    if (this.#segment.lost) {
      out.push({ ts_us, uuid: this.#cnc.uuid });
      for (const signal of this.#known) delete this.#told[signal];
      return;
    }
    for (const signal of this.#known) this.#tell(out, ts_us, signal, this.#signals[signal]);
  }

  #rackTold(ts_us: number): Telling[] {
    return [...this.#rack.values()].map((tool) => ({ ts_us, uuid: this.#cnc.uuid, tool }));
  }

  #changeTools(): ToolChange[] {
    const { tools = [] } = this.#segment;
    for (const tool of tools)
      if ("put" in tool) this.#rack.set(tool.put.asset_id, tool);
      else this.#rack.delete(tool.remove);
    return tools;
  }

  #tell(out: Telling[], ts_us: number, signal: Signal, told: Told[Signal]): void {
    if (told === undefined || this.#told[signal] === told) return;
    this.#told[signal] = told;
    for (const value of Array.isArray(told) ? told : [told])
      out.push({ ts_us, uuid: this.#cnc.uuid, item: { id: itemId(this.#cnc, signal), value } });
  }

  /** Speed, feed and load swing about their programmed values: a function of time alone. */
  #sample(out: Telling[], until_us: number, step_us: number): void {
    const { cut, from_us } = this.#segment;
    if (!cut) return;
    const profile_us = from_us + PROFILE_US;
    if (profile_us > this.#told_to_us && profile_us <= until_us)
      this.#tell(out, profile_us, "load_profile", this.#profile(profile_us, cut.load_percent));
    let ts_us = (Math.floor(this.#told_to_us / step_us) + 1) * step_us;
    for (; ts_us < until_us; ts_us += step_us) {
      const tick = Math.floor(ts_us / 1e5);
      const swing = swingAt(ts_us);
      const rpm = cut.rpm * (1 + 0.004 * noise(this.#noise_seed, tick));
      const feed = cut.feed_mm_s * (0.85 + 0.12 * swing + 0.03 * noise(this.#noise_seed, tick + 1));
      this.#tell(out, ts_us, "speed", Math.round(rpm));
      this.#tell(out, ts_us, "feed", Math.round(feed * 100) / 100);
      this.#tell(out, ts_us, "load", this.#load(ts_us, cut.load_percent));
    }
  }

  /** Percent, to a tenth. */
  #load(ts_us: number, mean_percent: number): number {
    const tick = Math.floor(ts_us / 1e5);
    const load = mean_percent * (0.9 + 0.15 * swingAt(ts_us) + 0.08 * noise(this.#noise_seed, tick + 2));
    return Math.round(load * 10) / 10;
  }

  #profile(end_us: number, mean_percent: number): SeriesValue {
    const step_us = 1e6 / PROFILE_RATE_HZ;
    const samples = Array.from({ length: PROFILE_US / step_us }, (_, i) =>
      this.#load(end_us - PROFILE_US + (i + 1) * step_us, mean_percent),
    );
    return { samples, sample_rate_hz: PROFILE_RATE_HZ };
  }
}

const swingAt = (ts_us: number): number => Math.sin(ts_us / 1.7e6);
