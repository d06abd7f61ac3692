// The live hub: the latest value of every signal and the state of every machine, and who watches them.
import { isStateSignal, stateOf } from "../../domain/state.ts";
import type { State } from "../../domain/state-rules.ts";
import { sequenceAt, valueAt } from "../columns.ts";
import type { ObservationColumns } from "../event.ts";
import { hasMeaning } from "../signals.ts";
import type { SourceStatus } from "../sources/source.ts";
import { compareValues, valueText } from "../ties.ts";
import type { LiveDelta, LiveMachine, LiveSnapshot, LiveValue } from "./live.ts";
import { type Numbered, RecentDeltas } from "./recent.ts";

/** Deltas of one machine leave at most this often. */
const COALESCE_MS = 100;
/** Signals kept for one machine, and for all; more are not shown live (they are stored all the same). */
const MAX_SIGNALS = 2_000;
const MAX_SIGNALS_ALL = 250_000;
/** So many more have room where the state or the screens hang on them: thousands of table cells must not displace them. */
const MORE_SIGNALS = 1_000;
/** Longer words are shown cut, with an ellipsis. */
const MAX_SHOWN_LENGTH = 500;

/** What was known of a machine before a restart: its latest values, and since when it is in its state. */
export type LastKnown = { values: Record<string, LiveValue>; state: State; since_us: number };

/** Who watches: told of what left in one tick. A reader's is told of the end of it all as well. */
export type Watcher = { tick(deltas: readonly Numbered[]): void; end?(reason: string): void; owner?: string };

/** `words` are what the state rules read. */
type Known = LiveMachine & { tenant_id: string; signal_count: number; words: Map<string, string> };

/** Latest values in event time: a late row never replaces a newer one, whatever comes first (invariant 3). */
export class LiveHub {
  readonly #tenantOf: (machine_id: string) => string | undefined;
  readonly #machines = new Map<string, Known>();
  readonly #changed = new Map<string, { tenant_id: string; delta: LiveDelta; own: boolean }>();
  readonly #watchers = new Set<Watcher>();
  readonly #recent = new RecentDeltas();
  #signals = 0;
  /** While a word of another hub is taken. */
  #merging = false;
  #timer: Timer | undefined;

  /** @param tenantOf whose a machine is; one that is nobody's is not shown: it was deleted while its source still spoke */
  constructor(tenantOf: (machine_id: string) => string | undefined = () => "") {
    this.#tenantOf = tenantOf;
  }

  /** A machine that is there from now on: whoever watches its tenant learns of it at once. */
  add(machine_id: string): void {
    const machine = this.#machine(machine_id);
    if (machine) Object.assign(this.#mark(machine), shown(machine));
  }

  /**
   * Takes a batch that is durable. Of most signals only the batch's newest value is looked at: at a million observations
   * a second this is the loop that counts. Those that make up the state are all followed, in the columns' order.
   */
  apply(machine_id: string, columns: ObservationColumns): void {
    const machine = this.#machine(machine_id);
    if (!machine) return;
    machine.heard_ms = Date.now();
    const { signals, signal, t0, dt } = columns;
    const nameOf = (i: number): string => signals[signal[i] as number] as string;
    const take = (i: number): void => {
      const latest = {
        ts_us: t0 + (dt[i] as number),
        seq: sequenceAt(columns, i),
        value: valueAt(columns, i),
      };
      this.#take(machine, nameOf(i), latest);
    };
    /** Of one signal: does row `i` come behind row `j`, or say the same? */
    const isLater = (i: number, j: number): boolean =>
      ((dt[i] as number) - (dt[j] as number) ||
        sequenceAt(columns, i) - sequenceAt(columns, j) ||
        compareValues(nameOf(i), valueAt(columns, i), valueAt(columns, j))) >= 0;
    const makes_state = signals.map(isStateSignal);
    const newest = new Int32Array(signals.length).fill(-1);
    for (let i = 0; i < signal.length; i++) {
      const s = signal[i] as number;
      if (makes_state[s]) {
        take(i);
        continue;
      }
      const known = newest[s] as number;
      if (known < 0 || isLater(i, known)) newest[s] = i;
    }
    for (const i of newest) if (i >= 0) take(i);
    this.#mark(machine).heard_ms = machine.heard_ms;
  }

  /** What is known from before a restart: the latest values, and since when the state holds. */
  seed(machine_id: string, { values, state, since_us }: LastKnown): void {
    const machine = this.#machine(machine_id);
    if (!machine) return;
    for (const [name, latest] of Object.entries(values)) this.#take(machine, name, latest);
    // The order in which the values were taken says nothing of when the state began; the timeline does.
    if (machine.state === state) machine.since_us = since_us;
  }

  /** How the machine's source is doing; `gap` while its time counts as missing. */
  source(machine_id: string, state: SourceStatus["state"], heard_ms: number): void {
    const machine = this.#machine(machine_id);
    if (!machine) return;
    const changed = machine.source !== state;
    if (!changed && heard_ms <= machine.heard_ms) return;
    machine.source = state;
    machine.heard_ms = Math.max(machine.heard_ms, heard_ms);
    this.#mark(machine).heard_ms = machine.heard_ms;
    if (!changed) return;
    this.#mark(machine).source = state;
    this.#restate(machine, state === "unreachable" ? heard_ms * 1_000 : Date.now() * 1_000);
  }

  /** A machine that is no more: whoever saw it is told, before its id can be another tenant's (invariant 10). */
  forget(machine_id: string): void {
    const machine = this.#machine(machine_id);
    if (!machine) return;
    this.#machines.delete(machine_id);
    this.#signals -= machine.signal_count;
    this.#changed.delete(machine_id);
    this.#mark(machine).deleted = true;
    this.#send();
  }

  /** What another hub told its watchers: newer values count here too, and are not told back to it. */
  merge({ machine_id, deleted, signals = {}, state, since_us = 0, source, heard_ms = 0 }: LiveDelta): void {
    const machine = deleted ? undefined : this.#machine(machine_id);
    if (!machine) return;
    this.#merging = true;
    try {
      for (const [name, latest] of Object.entries(signals)) this.#take(machine, name, latest);
      if (source !== undefined && source !== machine.source)
        this.#mark(machine).source = machine.source = source;
      if (heard_ms > machine.heard_ms) this.#mark(machine).heard_ms = machine.heard_ms = heard_ms;
      // It knows the order in which the words came.
      if (state !== undefined && since_us >= machine.since_us) {
        Object.assign(machine, { state, since_us });
        Object.assign(this.#mark(machine), { state, since_us });
      }
    } finally {
      this.#merging = false;
    }
  }

  /** Machines that are nobody's are left out. */
  snapshot(machine_ids: Iterable<string>): LiveSnapshot {
    const machines: LiveMachine[] = [];
    for (const id of machine_ids) {
      const machine = this.#machine(id);
      if (machine) machines.push(shown(machine));
    }
    return { now_ms: Date.now(), machines };
  }

  /** Tells `watcher` of every delta from now on. @returns the way to stop it */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Lets all readers go, with a reason. */
  end(reason: string): void {
    for (const watcher of this.#watchers) watcher.end?.(reason);
  }

  /** How many watch for one key or user. */
  readersOf(owner: string): number {
    let readers = 0;
    for (const watcher of this.#watchers) if (watcher.owner === owner) readers += 1;
    return readers;
  }

  /** How many watch for somebody: what joins this hub to others is none. */
  get readers(): number {
    let readers = 0;
    for (const { end } of this.#watchers) if (end) readers += 1;
    return readers;
  }

  get lastId(): string {
    return this.#recent.lastId;
  }

  /** The deltas after `id`, or undefined where they are no longer all kept: then a snapshot is due. */
  since(id: string): Numbered[] | undefined {
    return this.#recent.since(id);
  }

  #take(machine: Known, name: string, { ts_us, seq = 0, value: whole }: LiveValue): void {
    const known = machine.signals[name];
    const value = typeof whole === "string" ? cut(whole) : whole;
    const later =
      known && (ts_us - known.ts_us || seq - (known.seq ?? 0) || compareValues(name, value, known.value));
    if (later !== undefined && later < 0) return;
    if (!known) {
      const more = hasMeaning(name) ? MORE_SIGNALS : 0;
      if (machine.signal_count >= MAX_SIGNALS + more || this.#signals >= MAX_SIGNALS_ALL + 100 * more) return;
      machine.signal_count += 1;
      this.#signals += 1;
    }
    const latest = { ts_us, ...(seq > 0 && { seq }), value };
    machine.signals[name] = latest;
    const delta = this.#mark(machine);
    delta.signals ??= Object.create(null) as Record<string, LiveValue>;
    delta.signals[name] = latest;
    if (isStateSignal(name)) {
      const text = valueText(name, value);
      if (machine.words.get(name) === text) return;
      machine.words.set(name, text);
      this.#restate(machine, ts_us);
    }
  }

  #restate(machine: Known, ts_us: number): void {
    const state = stateOf(machine.words, machine.source === "unreachable");
    if (state === machine.state) return;
    machine.state = state;
    machine.since_us = Math.max(machine.since_us, ts_us);
    const delta = this.#mark(machine);
    delta.state = state;
    delta.since_us = machine.since_us;
  }

  #machine(machine_id: string): Known | undefined {
    const tenant_id = this.#tenantOf(machine_id);
    if (tenant_id === undefined) return undefined;
    let machine = this.#machines.get(machine_id);
    if (!machine) {
      machine = {
        tenant_id,
        machine_id,
        state: "UNKNOWN",
        since_us: 0,
        heard_ms: 0,
        source: "connecting",
        signals: Object.create(null) as Record<string, LiveValue>,
        signal_count: 0,
        words: new Map(),
      };
      this.#machines.set(machine_id, machine);
    }
    return machine;
  }

  /** The machine's delta that is being gathered; it leaves with the next tick. */
  #mark({ machine_id, tenant_id }: Known): LiveDelta {
    let gathered = this.#changed.get(machine_id);
    if (!gathered) {
      gathered = { tenant_id, delta: { machine_id }, own: false };
      this.#changed.set(machine_id, gathered);
    }
    if (!this.#merging) gathered.own = true;
    this.#timer ??= setTimeout(() => this.#send(), COALESCE_MS);
    return gathered.delta;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const left = [...this.#changed.values()].map(({ tenant_id, delta, own }) => ({
      tenant_id,
      own,
      machine_id: delta.machine_id,
      json: JSON.stringify(delta),
    }));
    this.#changed.clear();
    const tick = this.#recent.add(left);
    for (const watcher of this.#watchers) watcher.tick(tick);
  }
}

function shown({ tenant_id: _, signal_count: __, words: ___, ...machine }: Known): LiveMachine {
  return machine;
}

const cut = (word: string): string =>
  word.length <= MAX_SHOWN_LENGTH ? word : `${word.slice(0, MAX_SHOWN_LENGTH).toWellFormed()}…`;
