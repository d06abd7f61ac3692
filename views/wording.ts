// Short sentences made of a machine's live values; the server's pages and the browser use the same.
import type { LiveMachine } from "../ingest/live/live.ts";
import { activeConditions } from "./facts.ts";
import { age, clockOrDay } from "./format.ts";
import type { Shell } from "./model.ts";
import { text } from "./text.ts";

/** What is wrong, in a few words; "" where nothing is. */
export function note(live: LiveMachine): string {
  const active = activeConditions(live);
  const faults = active.filter(({ level }) => level === "FAULT").length;
  if (faults > 0) return text.wall.faults(faults);
  if (live.state === "UNKNOWN") return text.source[live.source];
  return active.length > 0 ? text.wall.warnings(active.length) : "";
}

export const sinceText = (
  live: LiveMachine,
  { now_ms, timezone }: Pick<Shell, "now_ms" | "timezone">,
): string => (live.since_us > 0 ? text.wall.since(clockOrDay(live.since_us / 1000, now_ms, timezone)) : "");

/** What is to be said of a row of figures: the flag's own name where it has no words yet. */
export const flagText = (flag: string): string => textOf(text.flags, flag);

/** Why a state was so: a gap's cause in words, or the signal's own word. */
export const causeText = (cause: string): string =>
  textOf({ ...text.gapCauses, ...text.report.causes }, cause);

const textOf = (words: Readonly<Record<string, string>>, name: string): string =>
  words[name] ?? name.replaceAll("_", " ");

export const heardText = (heard_ms: number, now_ms: number): string =>
  heard_ms > 0 ? text.wall.dataAge(age(now_ms - heard_ms)) : text.wall.noData;
