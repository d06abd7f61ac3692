// The live hub: the latest value of every signal and the state of every machine, and who watches them.
import type { ObservationColumns } from "../event.ts";
import type { State } from "../signals.ts";
import type { SourceStatus } from "../sources/source.ts";
import type { LiveDelta, LiveMachine, LiveSnapshot, LiveValue } from "./live.ts";
import { isStateSignal, stateOf } from "./state.ts";

/** Deltas of one machine leave at most this often. */
const COALESCE_MS = 100;
/** How many deltas are kept for watchers that come back with Last-Event-ID. */
const RING_DELTAS = 2_048;
/** Signals kept for one machine; more are not shown live (they are stored all the same). */
const MAX_SIGNALS = 2_000;

/** One delta with the id it travels under. */
export type Numbered = { id: string; delta: LiveDelta };
/** What was known of a machine before a restart: its latest values, and since when it is in its state. */
export type LastKnown = { values: Record<string, LiveValue>; state: State; since_us: number };

export type Watcher = (delta: Numbered) => void;

type Known = LiveMachine & { seqs: Map<string, number>; words: Map<string, string> };

/** Latest values in event time: a late row never replaces a newer one (invariant 3). */
export class LiveHub {
  readonly #machines = new Map<string, Known>();
  readonly #changed = new Map<string, LiveDelta>();
  readonly #watchers = new Set<Watcher>();
  readonly #ring: Numbered[] = [];
  readonly #epoch = Date.now().toString(36);
  #n = 0;
  #timer: Timer | undefined;

  /**
   * Takes a batch that is durable. Of most signals only the batch's newest value is looked at: at a million observations
   * a second this is the loop that counts. Those that make up the state are all followed, in the columns' order.
   */
  apply(machine_id: string, columns: ObservationColumns): void {
    const machine = this.#machine(machine_id);
    machine.heard_ms = Date.now();
    const { signals, signal, t0, dt, seq, seq0, num, words, word } = columns;
    const sequence = (i: number): number => seq?.[i] ?? (seq0 === undefined ? 0 : seq0 + i);
    const take = (i: number): void => {
      const w = word?.[i] ?? 0;
      const value = w > 0 ? (words?.[w - 1] ?? null) : (num?.[i] ?? null);
      this.#take(machine, signals[signal[i] as number] as string, t0 + (dt[i] as number), sequence(i), value);
    };
    const makes_state = signals.map(isStateSignal);
    const newest = new Int32Array(signals.length).fill(-1);
    for (let i = 0; i < signal.length; i++) {
      const s = signal[i] as number;
      if (makes_state[s]) {
        take(i);
        continue;
      }
      const known = newest[s] as number;
      const later = known < 0 ? 1 : (dt[i] as number) - (dt[known] as number);
      if (later > 0 || (later === 0 && sequence(i) >= sequence(known))) newest[s] = i;
    }
    for (const i of newest) if (i >= 0) take(i);
    this.#mark(machine_id).heard_ms = machine.heard_ms;
  }

  /** What is known from before a restart: the latest values, and since when the state holds. */
  seed(machine_id: string, { values, state, since_us }: LastKnown): void {
    const machine = this.#machine(machine_id);
    for (const [name, { ts_us, value }] of Object.entries(values)) this.#take(machine, name, ts_us, 0, value);
    // The order in which the values were taken says nothing of when the state began; the timeline does.
    if (machine.state === state) machine.since_us = since_us;
  }

  /** How the machine's source is doing; `gap` while its time counts as missing. */
  source(machine_id: string, state: SourceStatus["state"], heard_ms: number): void {
    const machine = this.#machine(machine_id);
    const changed = machine.source !== state;
    machine.source = state;
    machine.heard_ms = Math.max(machine.heard_ms, heard_ms);
    this.#mark(machine_id).heard_ms = machine.heard_ms;
    if (!changed) return;
    this.#mark(machine_id).source = state;
    this.#restate(machine, state === "unreachable" ? heard_ms * 1_000 : Date.now() * 1_000);
  }

  forget(machine_id: string): void {
    this.#machines.delete(machine_id);
    this.#changed.delete(machine_id);
  }

  snapshot(machine_ids: Iterable<string>): LiveSnapshot {
    const machines: LiveMachine[] = [];
    for (const id of machine_ids) {
      const { seqs: _, words: __, ...machine } = this.#machine(id);
      machines.push(machine);
    }
    return { now_ms: Date.now(), machines };
  }

  /** Calls `watcher` for every delta from now on. @returns the way to stop it */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  get lastId(): string {
    return `${this.#epoch}-${this.#n}`;
  }

  /** The deltas after `id`, or undefined where they are no longer all kept: then a snapshot is due. */
  since(id: string): Numbered[] | undefined {
    const [epoch, n] = id.split("-");
    const after = Number(n);
    if (epoch !== this.#epoch || !Number.isInteger(after) || after > this.#n) return undefined;
    if (after < this.#n - this.#ring.length) return undefined;
    return this.#ring.slice(this.#ring.length - (this.#n - after));
  }

  #take(machine: Known, name: string, ts_us: number, seq: number, value: LiveValue["value"]): void {
    const known = machine.signals[name];
    if (known && (ts_us < known.ts_us || (ts_us === known.ts_us && seq < (machine.seqs.get(name) ?? 0))))
      return;
    if (!known && machine.seqs.size >= MAX_SIGNALS) return;
    const latest = { ts_us, value };
    machine.signals[name] = latest;
    machine.seqs.set(name, seq);
    const delta = this.#mark(machine.machine_id);
    delta.signals ??= Object.create(null) as Record<string, LiveValue>;
    delta.signals[name] = latest;
    if (typeof value === "string" && isStateSignal(name)) {
      machine.words.set(name, value);
      this.#restate(machine, ts_us);
    }
  }

  #restate(machine: Known, ts_us: number): void {
    const state = stateOf(machine.words, machine.source === "unreachable");
    if (state === machine.state) return;
    machine.state = state;
    machine.since_us = Math.max(machine.since_us, ts_us);
    const delta = this.#mark(machine.machine_id);
    delta.state = state;
    delta.since_us = machine.since_us;
  }

  #machine(machine_id: string): Known {
    let machine = this.#machines.get(machine_id);
    if (!machine) {
      machine = {
        machine_id,
        state: "UNKNOWN",
        since_us: 0,
        heard_ms: 0,
        source: "connecting",
        signals: Object.create(null) as Record<string, LiveValue>,
        seqs: new Map(),
        words: new Map(),
      };
      this.#machines.set(machine_id, machine);
    }
    return machine;
  }

  /** The machine's delta that is being gathered; it leaves with the next tick. */
  #mark(machine_id: string): LiveDelta {
    let delta = this.#changed.get(machine_id);
    if (!delta) this.#changed.set(machine_id, (delta = { machine_id }));
    this.#timer ??= setTimeout(() => this.#send(), COALESCE_MS);
    return delta;
  }

  #send(): void {
    this.#timer = undefined;
    for (const delta of this.#changed.values()) {
      this.#n += 1;
      const numbered = { id: this.lastId, delta };
      this.#ring.push(numbered);
      if (this.#ring.length > RING_DELTAS) this.#ring.shift();
      for (const watcher of this.#watchers) watcher(numbered);
    }
    this.#changed.clear();
  }
}
