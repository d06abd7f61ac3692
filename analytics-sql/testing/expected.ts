// What the oracle expects of a report: each machine's pieces and counts, gathered into the rows of a cut.
import type { OeeCut, OeeRow } from "../queries/oee.ts";
import { type Filter, iso } from "../queries/window.ts";
import {
  type Counted,
  counted,
  type Figures,
  figures,
  makingAt,
  marked,
  type Piece,
  type Span,
} from "./oracle.ts";
import type { Plant } from "./plant.ts";

/** A piece of time, or what was counted at an instant, with the row of each cut that it belongs to. */
type Entry<Of> = { of: Of; keys: Record<OeeCut, string>; is: Record<keyof Filter, string> };
/** All that the oracle tells of a machine in a window. */
export type Account = { plant: Plant; time: Entry<Piece>[]; counts: Entry<Counted>[] };

/** Machines are in one of two groups, or in none. */
export const groupOf = (machine: string): string =>
  ["", "hall 1", "hall 2"][Number(machine.slice(1)) % 3] ?? "";

/** @param tenant names the row of all machines of the plant */
export function accountOf(tenant: string, plant: Plant, span: Span): Account {
  const time = marked(plant, span);
  const entry = <Of>(of: Of, t: number, piece: Piece | undefined): Entry<Of> => {
    const making = makingAt(plant, t);
    const keys = { ...keysOf(piece), ...making, total: "", machine: plant.machine, plant: tenant };
    return {
      of,
      keys: { ...keys, group: groupOf(plant.machine) },
      is: { shift: piece?.shift?.name ?? "", ...making },
    };
  };
  return {
    plant,
    time: time.map((piece) => entry(piece, piece.from_us, piece)),
    counts: counted(plant, span).map((one) =>
      entry(
        one,
        one.ts_us,
        time.find(({ from_us, to_us }) => from_us <= one.ts_us && one.ts_us < to_us),
      ),
    ),
  };
}

/** The rows that a time belongs to: time of a shift is of the day on which that starts. */
function keysOf(piece: Piece | undefined): Record<"hour" | "shift" | "day" | "week" | "month", string> {
  const { shift, local_day = "", hour_us = 0 } = piece ?? {};
  const day = shift?.day ?? local_day;
  return {
    hour: `${iso(hour_us).slice(0, 19)}Z`,
    shift: shift ? `${day} ${shift.name}` : "",
    day,
    week: isoWeek(day),
    month: day.slice(0, 7),
  };
}

function isoWeek(day: string): string {
  const { yearOfWeek, weekOfYear } = Temporal.PlainDate.from(day);
  return `${yearOfWeek}-W${String(weekOfYear).padStart(2, "0")}`;
}

const keeps = (filter: Filter, { is }: Entry<unknown>): boolean =>
  Object.entries(filter).every(([kind, value]) => is[kind as keyof Filter] === value);

/** The figures of one cut, by the key of the row. */
export function rowsOf(accounts: Account[], by: OeeCut, filter: Filter = {}): Map<string, Figures> {
  type Gathered = { time: Piece[]; counts: Counted[]; plants: Set<Plant> };
  const gathered = new Map<string, Gathered>();
  const under = (key: string, plant: Plant): Gathered => {
    const row = gathered.get(key) ?? { time: [], counts: [], plants: new Set() };
    gathered.set(key, row);
    row.plants.add(plant);
    return row;
  };
  for (const { plant, time, counts } of accounts) {
    for (const one of time) if (keeps(filter, one)) under(one.keys[by], plant).time.push(one.of);
    for (const one of counts) if (keeps(filter, one)) under(one.keys[by], plant).counts.push(one.of);
  }
  const rows = new Map<string, Figures>();
  for (const [key, { time, counts, plants }] of gathered) {
    // "None is known at all" holds where no machine of the row has a list.
    const anyIdeal = [...plants].some(({ cycle_times = [] }) => cycle_times.length > 0);
    const row = figures(time, counts, anyIdeal);
    const counted_ = row.total_count !== 0 || row.reject_count !== 0;
    if (by === "shift" && key === "" && row.scheduled_time_s === 0 && !counted_) continue;
    rows.set(key, row);
  }
  return rows;
}

/** Of no time at all a total has zeros. */
export const totalOf = (accounts: Account[], filter: Filter = {}): Figures =>
  rowsOf(accounts, "total", filter).get("") ?? figures([], [], true);

/** What is other than the oracle's, in words. */
export function differences(rows: OeeRow[], wanted: ReadonlyMap<string, Figures>): string[] {
  const keys = new Set(rows.map(({ key }) => key));
  const missing = [...wanted.keys()].filter((key) => !keys.has(key)).map((key) => `no row ${key}`);
  const other = rows.flatMap(({ key, machine_id: _, from: __, to: ___, ...row }) => {
    const want: Record<string, unknown> | undefined = wanted.get(key);
    if (!want) return [`row ${key}`];
    return Object.entries(row).flatMap(([name, value]) =>
      isSame(name, value, want[name]) ? [] : [`${key} ${name}: ${value}, oracle ${want[name]}`],
    );
  });
  return [...missing, ...other];
}

/** Sums are whole µs and parts; times and ratios may be rounded once or twice on their way. */
function isSame(name: string, value: unknown, wanted: unknown): boolean {
  const exact = typeof value !== "number" || typeof wanted !== "number" || name.endsWith("_count");
  if (exact) return Bun.deepEquals(value, wanted);
  return Math.abs(value - wanted) <= 1e-12 * Math.max(1, Math.abs(wanted));
}

/** Each value of a filter that leaves anything. */
export const valuesOf = (accounts: Account[], kind: keyof Filter): string[] =>
  [...new Set(accounts.flatMap(({ time }) => time.map(({ is }) => is[kind])))].sort();

/** Equal neighbours merged, as the states' list shows them. */
export function stretchesOf({ time }: Account, filter: Filter = {}): string[][] {
  const merged: Pick<Piece, "from_us" | "to_us" | "state" | "reason" | "reason_from" | "cause">[] = [];
  for (const entry of time) {
    if (!keeps(filter, entry)) continue;
    const { from_us, to_us, state, reason, reason_from, cause } = entry.of;
    const last = merged.at(-1);
    const goesOn =
      last?.to_us === from_us && last.state === state && last.reason === reason && last.cause === cause;
    if (last && goesOn) last.to_us = to_us;
    else merged.push({ from_us, to_us, state, reason, reason_from, cause });
  }
  return merged.map(({ from_us, to_us, state, reason, reason_from, cause }) => [
    iso(from_us),
    iso(to_us),
    state,
    reason,
    reason_from,
    cause,
  ]);
}
