// The press behind its ADAM-6050: inputs and counters as its day has them, and what of them was read.
import type { Observation } from "../../../event.ts";
import type { ModbusPoint } from "../../modbus/map.ts";
import { type Adam6050, startAdam6050 } from "../adam6050.ts";
import type { Log } from "../truth.ts";
import { PRESS } from "./machines.ts";
import { pressLife } from "./press-day.ts";
import type { Segment, Told } from "./segment.ts";

/** DI 0 runs, DI 1 faults, counter 0 counts strokes, counter 1 bad ones. */
export const PRESS_MAP: ModbusPoint[] = [
  { signal: "execution", kind: "di", address: 0, type: "bit", words: ["READY", "ACTIVE"] },
  { signal: "condition:fault", kind: "di", address: 1, type: "bit", words: ["NORMAL", "FAULT"] },
  { signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" },
  { signal: "part_count_bad", kind: "holding", address: 2, type: "uint32", word_order: "low-first" },
];

/** The signals by their values in a segment, as the map above names them. */
const signalsOf = (told: Told): Record<string, number | string> => ({
  availability: "AVAILABLE",
  execution: told.execution === "ACTIVE" ? "ACTIVE" : "READY",
  "condition:fault": told.system === "FAULT" ? "FAULT" : "NORMAL",
  part_count: Number(told.part_count),
  part_count_bad: Number(told.bad_count),
});

/** What a master would have noted of the press from then to then. */
export function* pressPast(seed: string, from_us: number, to_us: number): Generator<Observation> {
  const told: Told = {};
  const noted = new Map<string, number | string>();
  for (const segment of pressLife(seed, from_us)) {
    if (segment.from_us >= to_us) return;
    Object.assign(told, segment.tell);
    if (segment.to_us <= from_us) continue;
    const ts_us = Math.max(segment.from_us, from_us);
    for (const [signal, value] of Object.entries(signalsOf(told))) {
      if (noted.get(signal) === value) continue;
      noted.set(signal, value);
      yield { signal, ts_us, seq: 0, value };
    }
  }
}

/** A module keeps no past: who did not read it for longer than this cannot say what its wires did. */
const BLIND_US = 5_000_000;
const wall_us = (): number => Date.now() * 1000;

/** A state as it was read: since when, and when the wires left it. */
type Seen = { state: Segment["state"]; from_us: number; to_us?: number };
type Counts = { parts: number; bad: number };
/** What a read found; `unread` parts had not been shown before. */
type Read = Counts & { what: "bits" | "registers"; at_us: number; state: Segment["state"]; unread: number };

export class Press {
  readonly adam: Adam6050;
  readonly #segments: Iterator<Segment>;
  readonly #log: Log;
  readonly #signals: Told = {};
  #segment: Segment | undefined;
  #seen: Seen | undefined;
  #read_us = 0;
  /** Parts of the day when the module's counters last stood at 0. */
  #zero: Counts = { parts: 0, bad: 0 };
  /** Parts made that no read has shown yet. */
  #unread: { part_number: string; bad: boolean }[] = [];
  /** The counters as they were read last. */
  #counters: Counts | undefined;
  #disturbed = false;
  #pending: Read | undefined;
  /** Answers travel on a line of their own: `delivered` tells when they have left it. */
  deferred = false;

  private constructor(adam: Adam6050, segments: Iterator<Segment>, log: Log) {
    this.adam = adam;
    this.#segments = segments;
    this.#log = log;
  }

  static async start(
    at: { host: string; port: number },
    { seed, from_us, log }: { seed: string; from_us: number; log: Log },
  ): Promise<Press> {
    let press: Press | undefined;
    const adam = await startAdam6050({ ...at, onRead: (what) => press?.read(what) });
    press = new Press(adam, pressLife(seed, from_us), log);
    press.advance(from_us);
    press.#unread = [];
    return press;
  }

  /** Lives on until `to_us` of the plant's time. */
  advance(to_us: number): void {
    while (!this.#segment || this.#segment.to_us <= to_us) {
      this.#segment = this.#segments.next().value as Segment;
      Object.assign(this.#signals, this.#segment.tell);
      if (this.#segment.part) this.#unread.push(this.#segment.part);
      if (this.#dayCounts().parts === 0) this.#zero = { parts: 0, bad: 0 };
    }
    if (this.#seen && this.#seen.state !== this.#segment.state) this.#seen.to_us ??= wall_us();
    this.adam.setInput(0, this.#signals.execution === "ACTIVE");
    this.adam.setInput(1, this.#signals.system === "FAULT");
    this.#setCounters();
  }

  /** The module comes back to life: what it had counted and nobody had read is gone. */
  powerOn(): void {
    const bad = this.#unread.filter((part) => part.bad).length;
    const lost = { parts: this.#unread.length, bad };
    this.#log({ kind: "lost_parts", machine: PRESS.uuid, at_us: wall_us(), ...lost });
    this.#unread = [];
    this.#pending = undefined;
    this.#zero = this.#dayCounts();
    this.#setCounters();
  }

  /** Its line is, or was, out of order. */
  disturbed(): void {
    this.#disturbed = true;
  }

  /** Somebody reads the module, now; on a line that may fail the answer has yet to arrive. */
  read(what: Read["what"]): void {
    const state = this.#segment?.state ?? "UNKNOWN";
    this.#pending = { what, at_us: wall_us(), state, ...this.#shown(), unread: this.#unread.length };
    if (!this.deferred) this.delivered();
  }

  /** The answer to the last read has left for its reader. */
  delivered(): void {
    const read = this.#pending;
    this.#pending = undefined;
    if (read?.what === "bits") this.#wiresRead(read, wall_us());
    else if (read) this.#countersRead(read, wall_us());
  }

  /** The state that was read last is told to its end, or until now. */
  end(now_us = wall_us()): void {
    if (!this.#seen) return;
    const { state, from_us, to_us = now_us } = this.#seen;
    this.#log({ kind: "state", machine: PRESS.uuid, state, from_us, to_us });
  }

  /** A reader takes what it reads for true at some time between its question and the answer. */
  #wiresRead({ at_us, state }: Read, now_us: number): void {
    this.#noticePause(now_us);
    this.#read_us = at_us;
    if (state === this.#seen?.state && this.#seen.to_us === undefined) return;
    this.end(now_us);
    this.#seen = { state, from_us: now_us };
    if (this.#segment?.state !== state) this.#seen.to_us = now_us;
  }

  #noticePause(now_us: number): void {
    const [from_us, pause_us] = [this.#read_us, now_us - this.#read_us];
    if (from_us > 0 && (this.#disturbed || pause_us > BLIND_US)) {
      const lost = { from_us, from_at_most_us: from_us, to_us: now_us, short: pause_us <= BLIND_US };
      const why = this.#disturbed ? "line" : "not read";
      this.#log({ kind: "lost", machines: [PRESS.uuid], ...lost, why });
    }
    this.#disturbed = false;
  }

  #countersRead({ parts, bad, unread }: Read, ts_us: number): void {
    const machine = PRESS.uuid;
    for (const part of this.#unread.splice(0, unread)) this.#log({ kind: "part", machine, ts_us, ...part });
    if (parts === this.#counters?.parts && bad === this.#counters.bad) return;
    this.#counters = { parts, bad };
    this.#log({ kind: "counter", machine, ts_us, parts, bad });
  }

  /** What the module's counters say. */
  #shown(): Counts {
    const { parts, bad } = this.#dayCounts();
    return { parts: parts - this.#zero.parts, bad: bad - this.#zero.bad };
  }

  #setCounters(): void {
    const { parts, bad } = this.#shown();
    this.adam.setCounter(0, parts);
    this.adam.setCounter(1, bad);
  }

  #dayCounts(): Counts {
    return { parts: Number(this.#signals.part_count), bad: Number(this.#signals.bad_count) };
  }
}
