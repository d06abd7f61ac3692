// What figures are cut by: SQL of the key of each row, over the cells, and of its name, over the sums.

/**
 * A row is all cells of one `k` and `k2`.
 * @property key the row's name
 * @property rows which rows there are; left out: all
 */
type Cut = { k: string; k2: string; key: string; rows?: string };

/** Days of the plant's clock, UTC without calendar. Time in a shift belongs to the day the shift starts, all other time to the day the clock shows. */
const DAY = "if(shift_day IN (0, 65535), local_day, shift_day - 1)";
const NONE = { k: "toInt64(0)", k2: "''" };
/** By what was made; '' where none is known. */
const made = (k2: string): Cut => ({ ...NONE, k2, key: "k2" });

export const CUTS = {
  total: { ...NONE, key: "''" },
  // Named by the instant they start.
  hour: {
    k: "hour_us",
    k2: "''",
    key: "formatDateTime(fromUnixTimestamp64Micro(k, 'UTC'), '%Y-%m-%dT%H:%i:%SZ')",
  },
  // Each occurrence; the row '' is time without calendar, and time outside of all shifts, this only where something was
  // counted in it.
  shift: {
    k: "toInt64(if(shift_day = 65535, 0, shift_day))",
    k2: "shift",
    key: "if(k = 0, '', concat(toString(toDate32(k - 1)), ' ', k2))",
    rows: "is_total OR k != 0 OR scheduled_us > 0 OR total_count != 0 OR reject_count != 0",
  },
  day: { k: `toInt64(${DAY})`, k2: "''", key: "toString(toDate32(k))" },
  // ISO weeks, Monday to Sunday.
  week: { k: `toInt64(toMonday(toDate32(${DAY})))`, k2: "''", key: "formatDateTime(toDate32(k), '%G-W%V')" },
  month: {
    k: `toInt64(toStartOfMonth(toDate32(${DAY})))`,
    k2: "''",
    key: "formatDateTime(toDate32(k), '%Y-%m')",
  },
  machine: { k: "toInt64(m)", k2: "''", key: "{machines:Array(String)}[k]" },
  // '' for machines in none.
  group: { ...NONE, k2: "{groups:Array(String)}[m]", key: "k2" },
  plant: { ...NONE, key: "{tenant:String}" },
  part: made("part"),
  lot: made("lot"),
  order: made("order_id"),
} as const satisfies Record<string, Cut>;

export type OeeCut = keyof typeof CUTS;
export const OEE_CUTS = Object.keys(CUTS) as OeeCut[];

/** The cells with the key of their row, as a CTE. */
export const cellsBy = (by: OeeCut, name: "keyed" | "cut" = "keyed"): string =>
  `${name} AS (SELECT *, ${CUTS[by].k} AS k, ${CUTS[by].k2} AS k2 FROM judged)`;

/** The sums of the rows with their names, as a CTE. */
export function sumsBy(by: OeeCut): string {
  const { key, rows }: Cut = CUTS[by];
  return `labelled AS (SELECT *, ${key} AS key FROM sums${rows ? ` WHERE ${rows}` : ""})`;
}
