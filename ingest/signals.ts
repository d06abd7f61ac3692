// The canonical signals: the one place in TypeScript that knows them.
import { isStateSignal } from "../domain/state.ts";

/**
 * Signals with a meaning of their own; anything else keeps the data item's name. A `part_count` rises with every part, a
 * `part_pulse` is a level that is not 0 once for each part, a `part_event` tells how many parts there are more.
 */
export const CANONICAL_SIGNALS = [
  "availability",
  "execution",
  "controller_mode",
  "functional_mode",
  "emergency_stop",
  "program",
  "part_number",
  "lot",
  "part_count",
  "part_count_good",
  "part_count_bad",
  "part_pulse",
  "part_pulse_good",
  "part_pulse_bad",
  "part_event",
  "part_event_good",
  "part_event_bad",
  "spindle_speed",
  "feedrate",
  "feedrate_override",
] as const;
export type CanonicalSignal = (typeof CANONICAL_SIGNALS)[number];

const CANONICAL = new Set<string>(CANONICAL_SIGNALS);

/** Do the figures or the screens hang on this signal: does it make up the state, or is it canonical? */
export const hasMeaning = (signal: string): boolean => CANONICAL.has(signal) || isStateSignal(signal);

/** Signals that may come once for each path: those of further paths keep the meaning in their name, `execution:<id>`. */
export const PATH_SIGNALS: readonly CanonicalSignal[] = [
  "availability",
  "execution",
  "controller_mode",
  "functional_mode",
  "emergency_stop",
];

/**
 * Is this a number of parts that people counted? It is a `part_event` whose sequence is the time it was entered, in ms since
 * 1970: no source counts so far. It is no value of the machine, and not shown as one.
 */
export const isByHand = (signal: string, seq: number): boolean => signal === "part_event" && seq >= 1e12;

export const UNAVAILABLE = "UNAVAILABLE";

/** `condition:<dataItemId>` carries NORMAL | WARNING | FAULT | UNAVAILABLE. */
export const conditionSignal = (data_item_id: string): string => `condition:${data_item_id}`;

/** `alarms:<dataItemId>` carries the active warnings and faults of that condition, as a JSON array. */
export const conditionAlarms = (data_item_id: string): string => `alarms:${data_item_id}`;
