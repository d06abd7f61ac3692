// Which data item becomes which signal: the table of types and subtypes, and the names of everything else.
import { MAX_NAME_LENGTH } from "../../event.ts";
import { CANONICAL_SIGNALS, type CanonicalSignal, conditionSignal, PATH_SIGNALS } from "../../signals.ts";
import type { DataItem } from "./document.ts";
import { CONDITION, SAMPLE } from "./items.ts";

export type MappedSignal = {
  signal: string;
  /** Values that read as a number become one; a program called "1234" stays a word. */
  numeric: boolean;
  /** What its observations are: one value, a condition's transition, entries of a set, a series of values. */
  kind: "value" | "condition" | "set" | "series";
  /** Of a series, unless its observations say otherwise; NaN where it is not told. */
  sample_rate_hz: number;
};

type Match = { type: string; sub_types: string[] };

/** For each canonical signal the data items that mean it, best first; among equals the first in the document is it. */
const TABLE: Record<CanonicalSignal, Match[]> = {
  availability: [{ type: "AVAILABILITY", sub_types: [""] }],
  execution: [{ type: "EXECUTION", sub_types: [""] }],
  controller_mode: [{ type: "CONTROLLER_MODE", sub_types: [""] }],
  functional_mode: [{ type: "FUNCTIONAL_MODE", sub_types: [""] }],
  emergency_stop: [{ type: "EMERGENCY_STOP", sub_types: [""] }],
  program: [
    { type: "PROGRAM", sub_types: [""] },
    { type: "PROGRAM", sub_types: ["MAIN"] },
    { type: "PROGRAM", sub_types: ["ACTIVE"] },
  ],
  part_number: [
    { type: "PART_NUMBER", sub_types: [""] },
    { type: "PART_KIND_ID", sub_types: ["PART_NUMBER"] },
    { type: "PART_ID", sub_types: [""] },
  ],
  lot: [
    { type: "LOT_ID", sub_types: [""] },
    { type: "BATCH_ID", sub_types: [""] },
    { type: "PART_GROUP_ID", sub_types: ["LOT", "BATCH"] },
  ],
  part_count: [{ type: "PART_COUNT", sub_types: ["ALL", ""] }],
  part_count_good: [{ type: "PART_COUNT", sub_types: ["GOOD"] }],
  part_count_bad: [{ type: "PART_COUNT", sub_types: ["BAD"] }],
  part_pulse: [],
  part_pulse_good: [],
  part_pulse_bad: [],
  // A discrete count says "one more" with every 1.
  part_event: [{ type: "PART_COUNT", sub_types: ["ALL", ""] }],
  part_event_good: [{ type: "PART_COUNT", sub_types: ["GOOD"] }],
  part_event_bad: [{ type: "PART_COUNT", sub_types: ["BAD"] }],
  spindle_speed: [
    { type: "SPINDLE_SPEED", sub_types: ["ACTUAL"] },
    { type: "ROTARY_VELOCITY", sub_types: ["ACTUAL"] },
    { type: "SPINDLE_SPEED", sub_types: [""] },
    { type: "ROTARY_VELOCITY", sub_types: [""] },
  ],
  feedrate: [
    { type: "PATH_FEEDRATE", sub_types: ["ACTUAL"] },
    { type: "PATH_FEEDRATE", sub_types: [""] },
  ],
  feedrate_override: [
    { type: "PATH_FEEDRATE_OVERRIDE", sub_types: ["", "PROGRAMMED"] },
    // Before 1.3 the override was a subtype of the feedrate.
    { type: "PATH_FEEDRATE", sub_types: ["OVERRIDE"] },
  ],
};

/** Events that are numbers although EVENT items are words (besides …_COUNT and …_OVERRIDE). */
const NUMERIC_EVENTS = new Set(["LINE", "LINE_NUMBER", "PROGRAM_NEST_LEVEL"]);

/**
 * Names a device's data items.
 * Canonical meanings first; a further path's execution becomes `execution:<id>`; a condition `condition:<id>`;
 * anything else keeps its name, or its id where it has no name of its own.
 * @returns the signal by data item id
 */
export function mapDataItems(items: DataItem[]): Map<string, MappedSignal> {
  const mapped = new Map<string, MappedSignal>();
  const taken = new Set<string>(CANONICAL_SIGNALS);
  const put = (item: DataItem, signal: string): void => {
    taken.add(signal);
    mapped.set(item.id, {
      signal: signal.slice(0, MAX_NAME_LENGTH),
      numeric: isNumeric(item),
      kind: kindOf(item),
      sample_rate_hz: item.sample_rate_hz,
    });
  };
  for (const canonical of CANONICAL_SIGNALS) {
    const [chosen, ...further] = candidates(canonical, items);
    if (chosen) put(chosen, canonical);
    if (PATH_SIGNALS.includes(canonical)) for (const item of further) put(item, `${canonical}:${item.id}`);
  }
  for (const item of items) {
    if (mapped.has(item.id)) continue;
    if (item.category === "CONDITION") put(item, conditionSignal(item.id));
    else put(item, item.name && !taken.has(item.name) ? item.name : item.id);
  }
  return mapped;
}

/** A data item the probe does not know: schema changes reach the stream first. */
export function mapUnknown(data_item_id: string, category: number): MappedSignal {
  const condition = category === CONDITION;
  const signal = condition ? conditionSignal(data_item_id) : data_item_id;
  return {
    signal: signal.slice(0, MAX_NAME_LENGTH),
    numeric: category === SAMPLE,
    kind: condition ? "condition" : "value",
    sample_rate_hz: Number.NaN,
  };
}

function kindOf({ category, representation }: DataItem): MappedSignal["kind"] {
  if (category === "CONDITION") return "condition";
  if (representation === "DATA_SET" || representation === "TABLE") return "set";
  return representation === "TIME_SERIES" ? "series" : "value";
}

function candidates(canonical: CanonicalSignal, items: DataItem[]): DataItem[] {
  return TABLE[canonical].flatMap(({ type, sub_types }) =>
    items.filter(
      (item) =>
        item.type === type &&
        sub_types.includes(item.sub_type) &&
        item.category !== "CONDITION" &&
        kindOf(item) === "value" &&
        (item.representation === "DISCRETE" && type === "PART_COUNT") ===
          canonical.startsWith("part_event") &&
        // A bar feeder's or an adapter's availability is not the machine's.
        (canonical !== "availability" || item.of_device),
    ),
  );
}

function isNumeric({ category, type }: DataItem): boolean {
  if (category === "SAMPLE") return true;
  return type.endsWith("_COUNT") || type.endsWith("_OVERRIDE") || NUMERIC_EVENTS.has(type);
}
