// The columns of the roll-up: what each is, what it is made of, and how it is summed. SQL that reads or writes them all is made of it.
import { STATES } from "../../domain/state-rules.ts";
import { literal } from "../engine/literal.ts";

/** A state, numbered from 1. */
export const STATE_TYPE = `Enum8(${STATES.map((state, i) => `${literal(state)} = ${i + 1}`).join(", ")})`;
const NAME = "LowCardinality(String)";

/** A column of a day: an array with an element for each piece or cell. */
type Column = { name: string; type: string };

/**
 * Of the pieces of a day (mtc.machine_days), in the table's order.
 * @property of over the sweep (rollup/roll.sql)
 */
export const PIECE_COLUMNS: readonly (Column & { of: string })[] = [
  { name: "from_us", type: "Int64", of: "from_us" },
  { name: "to_us", type: "Int64", of: "to_us" },
  { name: "state", type: STATE_TYPE, of: "state" },
  { name: "cause", type: NAME, of: "cause" },
  { name: "reason", type: NAME, of: "labels[1]" },
  { name: "local_hour", type: "UInt32", of: "toUInt32(intDiv(hour, 128))" },
  { name: "offset_quarters", type: "Int8", of: "toInt8(hour % 128 - 64)" },
  { name: "shift_day", type: "UInt16", of: "toUInt16(shift_day)" },
  { name: "shift", type: NAME, of: "labels[2]" },
  { name: "scheduled", type: "Bool", of: "scheduled" },
  { name: "part", type: NAME, of: "labels[3]" },
  { name: "lot", type: NAME, of: "labels[4]" },
  { name: "order_id", type: NAME, of: "labels[5]" },
  { name: "minor", type: "Bool", of: "minor" },
  { name: "starts", type: "UInt8", of: "starts" },
  { name: "total", type: "Int64", of: "total" },
  { name: "reject", type: "Int64", of: "reject" },
  { name: "spikes", type: "UInt16", of: "toUInt16(spikes)" },
  { name: "resets", type: "UInt16", of: "toUInt16(resets)" },
  { name: "ideal_us", type: "Int64", of: "ideal_us" },
];

/** "key": what cells are told apart by; else how cells that become one are taken together. */
type Summed = "key" | "min" | "max" | "sum";

/** What was counted, or began, at a piece's first instant belongs to the window that has the instant. */
const ifStarts = (value: string): string => `if(piece_from_us >= {from_us:Int64}, ${value}, 0)`;
const began = (bit: number): string =>
  `bitAnd(piece_starts, ${bit}) != 0 AND piece_from_us >= {from_us:Int64}`;

/**
 * Of the sums of a day's cells (mtc.machine_hour_sums, machine_day_sums, machine_day_totals), in the tables' order.
 * @property of over a piece that a window clips (queries/figures/cells-of-pieces.sql)
 */
export const CELL_COLUMNS: readonly (Column & { summed: Summed; of: string })[] = [
  {
    name: "hour_us",
    type: "Int64",
    summed: "key",
    of: "1000000 * (3600 * toInt64(piece_local_hour) - 900 * piece_offset_quarters)",
  },
  { name: "local_day", type: "UInt16", summed: "key", of: "toUInt16(intDiv(piece_local_hour, 24))" },
  { name: "shift_day", type: "UInt16", summed: "key", of: "piece_shift_day" },
  { name: "shift", type: NAME, summed: "key", of: "piece_shift" },
  { name: "part", type: NAME, summed: "key", of: "piece_part" },
  { name: "lot", type: NAME, summed: "key", of: "piece_lot" },
  { name: "order_id", type: NAME, summed: "key", of: "piece_order_id" },
  { name: "state", type: STATE_TYPE, summed: "key", of: "piece_state" },
  { name: "cause", type: NAME, summed: "key", of: "piece_cause" },
  { name: "reason", type: NAME, summed: "key", of: "piece_reason" },
  { name: "minor", type: "Bool", summed: "key", of: "piece_minor" },
  { name: "from_us", type: "Int64", summed: "min", of: "greatest(piece_from_us, {from_us:Int64})" },
  { name: "to_us", type: "Int64", summed: "max", of: "least(piece_to_us, {end_us:Int64})" },
  { name: "length_us", type: "Int64", summed: "sum", of: "to_us - from_us" },
  { name: "scheduled_us", type: "Int64", summed: "sum", of: "if(piece_scheduled, length_us, 0)" },
  { name: "stretches", type: "UInt32", summed: "sum", of: began(1) },
  { name: "failures", type: "UInt32", summed: "sum", of: began(2) },
  { name: "stops", type: "UInt32", summed: "sum", of: began(4) },
  { name: "total", type: "Int64", summed: "sum", of: ifStarts("piece_total") },
  { name: "reject", type: "Int64", summed: "sum", of: ifStarts("piece_reject") },
  { name: "ideal_total_us", type: "Int64", summed: "sum", of: "total * piece_ideal_us" },
  { name: "ideal_good_us", type: "Int64", summed: "sum", of: "(total - reject) * piece_ideal_us" },
  {
    name: "without_ideal",
    type: "Int64",
    summed: "sum",
    of: "if(piece_ideal_us = 0, toInt64(abs(total) + abs(reject)), 0)",
  },
  { name: "spikes", type: "UInt32", summed: "sum", of: ifStarts("piece_spikes") },
  { name: "resets", type: "UInt32", summed: "sum", of: ifStarts("piece_resets") },
];
