// A stretch of a machine's day: what it tells at its start, and what it truly is meanwhile.
import type { State } from "../../../../domain/state-rules.ts";
import type { ConditionValue, Value } from "../value.ts";
import type { Signal } from "./machines.ts";
import type { ToolChange } from "./tools.ts";

/** A condition may have several codes at once; they are told together. */
export type Told = Partial<Record<Signal, Value | ConditionValue[]>>;

export type Segment = {
  from_us: number;
  to_us: number;
  state: State;
  /** Signals with a new value from the start on. */
  tell: Told;
  /** The adapter is lost: everything is UNAVAILABLE. */
  lost?: true;
  /** A part was finished at the start. */
  part?: { part_number: string; bad: boolean };
  /** What became of its tools at the start. */
  tools?: ToolChange[];
  /** Speed, feed and load to sample meanwhile. */
  cut?: { rpm: number; feed_mm_s: number; load_percent: number };
};

/** What a machine truly did in a stretch of time. */
export type Truth = {
  intervals: { state: State; from_us: number; to_us: number }[];
  /** Parts finished, bad ones among them. */
  parts: number;
  bad: number;
  /** Each of them. */
  made: { ts_us: number; part_number: string; bad: boolean }[];
  /** The counters, whenever they were set. */
  counters: { ts_us: number; parts: number; bad: number }[];
};

/** A counter's number, told alone or with the reason why it starts again. */
export const countOf = (told: Told[Signal]): number =>
  Number(typeof told === "object" && "reset" in told && "value" in told ? told.value : told);

/** Sums segments up over [from_us, to_us), neighbours of one state in one interval. */
export function truthOf(segments: Iterable<Segment>, from_us: number, to_us: number): Truth {
  const truth: Truth = { intervals: [], parts: 0, bad: 0, made: [], counters: [] };
  for (const segment of segments) {
    if (segment.from_us >= to_us) break;
    if (segment.part && segment.from_us >= from_us) {
      truth.parts++;
      if (segment.part.bad) truth.bad++;
      truth.made.push({ ts_us: segment.from_us, ...segment.part });
    }
    const start_us = Math.max(segment.from_us, from_us);
    const { part_count, bad_count } = segment.tell;
    if (part_count !== undefined) {
      if (segment.to_us <= from_us) truth.counters = [];
      truth.counters.push({ ts_us: start_us, parts: countOf(part_count), bad: countOf(bad_count) });
    }
    const end_us = Math.min(segment.to_us, to_us);
    const last = truth.intervals.at(-1);
    if (end_us <= start_us) continue;
    if (last?.state === segment.state) last.to_us = end_us;
    else truth.intervals.push({ state: segment.state, from_us: start_us, to_us: end_us });
  }
  return truth;
}
