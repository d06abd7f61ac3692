// A stretch of a machine's day: what it tells at its start, and what it truly is meanwhile.
import type { State } from "../../../signals.ts";
import type { Value } from "../value.ts";
import type { Signal } from "./machines.ts";

export type Told = Partial<Record<Signal, Value>>;

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
      truth.counters.push({ ts_us: start_us, parts: Number(part_count), bad: Number(bad_count) });
    }
    const end_us = Math.min(segment.to_us, to_us);
    const last = truth.intervals.at(-1);
    if (end_us <= start_us) continue;
    if (last?.state === segment.state) last.to_us = end_us;
    else truth.intervals.push({ state: segment.state, from_us: start_us, to_us: end_us });
  }
  return truth;
}
