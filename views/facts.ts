// What the screens read off a machine's live values; the server's pages and the browser use the same.

import type { State } from "../domain/state-rules.ts";
import type { LiveMachine } from "../ingest/live/live.ts";

/** What needs a hand comes first. */
export const BY_NEED: readonly State[] = ["DOWN", "STOPPED", "SETUP", "UNKNOWN", "IDLE", "RUNNING"];

/** Data older than this is marked late, then old (ms). */
export const LATE_MS = 15_000;
export const OLD_MS = 60_000;

export type Freshness = "fresh" | "late" | "old";

export function freshness(age_ms: number): Freshness {
  return age_ms > OLD_MS ? "old" : age_ms > LATE_MS ? "late" : "fresh";
}

/** Sorts by what needs a hand, then by name, so that a machine keeps its place among its like. */
export function byNeed(a: { state: State; name: string }, b: { state: State; name: string }): number {
  return (
    BY_NEED.indexOf(a.state) - BY_NEED.indexOf(b.state) ||
    a.name.localeCompare(b.name, "en", { numeric: true })
  );
}

/** A signal's word, "" where there is none or it is UNAVAILABLE. */
export function word(live: LiveMachine, signal: string): string {
  const value = live.signals[signal]?.value;
  return value === undefined || value === null || value === "UNAVAILABLE" ? "" : String(value);
}

/** The part being made: its number, or else the program's name. */
export const partOf = (live: LiveMachine): string => word(live, "part_number") || word(live, "program");

/** An alarm in force: its level, its native code ("" where it has none), its text or else the condition's id, since when. */
export type ActiveCondition = { level: "FAULT" | "WARNING"; code: string; what: string; ts_us: number };

/** Conditions at FAULT or WARNING, faults first; of one with several native codes each. */
export function activeConditions(live: LiveMachine): ActiveCondition[] {
  const active: ActiveCondition[] = [];
  for (const [signal, { value, ts_us }] of Object.entries(live.signals)) {
    if (!signal.startsWith("condition:") || (value !== "FAULT" && value !== "WARNING")) continue;
    const id = signal.slice("condition:".length);
    const alarms = alarmsOf(live.signals[`alarms:${id}`]?.value);
    if (alarms.length === 0) active.push({ level: value, code: "", what: id, ts_us });
    for (const { level, code, text } of alarms)
      active.push({ level, code, what: text || (code ? "" : id), ts_us });
  }
  return active.sort(
    (a, b) => a.level.localeCompare(b.level) || a.code.localeCompare(b.code) || a.what.localeCompare(b.what),
  );
}

type Alarm = { level: "FAULT" | "WARNING"; code: string; text: string };

/** `alarms:<id>` is a list in JSON; any machine may send a signal of that name, so nothing is taken for granted. */
function alarmsOf(value: unknown): Alarm[] {
  try {
    const list: unknown = JSON.parse(String(value));
    return Array.isArray(list) ? list.filter(isAlarm) : [];
  } catch {
    return [];
  }
}

function isAlarm(value: unknown): value is Alarm {
  const { level, code, text } = Object(value) as Partial<Record<keyof Alarm, unknown>>;
  return (level === "FAULT" || level === "WARNING") && typeof code === "string" && typeof text === "string";
}

/** At most this many charts on a machine's page at a time: what fits a screen. */
export const MAX_TRENDS = 4;

/** What an operator looks at first; further spindles' and axes' names are the machine's own. */
const CHARTS_FIRST = [/^spindle_speed$/, /^feedrate$/, /load$/i, /^feedrate_override$/, /override|ovr/i];
const NO_CHART = /^(part_|lot$|program$|condition:|alarms:)/;

/** The numeric signals, those that operators look at first in front, then others by name. */
export function chartSignals(live: LiveMachine): string[] {
  const rank = (signal: string) => {
    const place = CHARTS_FIRST.findIndex((pattern) => pattern.test(signal));
    return place < 0 ? CHARTS_FIRST.length : place;
  };
  return Object.keys(live.signals)
    .filter((signal) => typeof live.signals[signal]?.value === "number" || rank(signal) < CHARTS_FIRST.length)
    .filter((signal) => !NO_CHART.test(signal))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true }));
}

/** The charts that are there until an operator chooses: of each kind one, then what else there is. */
export function firstTrends(signals: readonly string[]): string[] {
  const ofEach = CHARTS_FIRST.flatMap((pattern) => signals.find((signal) => pattern.test(signal)) ?? []);
  return [...new Set([...ofEach, ...signals])].slice(0, MAX_TRENDS);
}
