// OEE and what it is made of, for a window, cut by time, machine, part or lot.
import type { FigureValues } from "../../domain/figures.ts";
import type { Engine } from "../engine/engine.ts";
import columns from "./figures/columns.sql" with { type: "text" };
import { cellsBy, OEE_CUTS, type OeeCut, sumsBy } from "./figures/cuts.ts";
import { byGrain, type Grain, grainFor, judgedParams } from "./figures/judged.ts";
import sums from "./figures/sums.sql" with { type: "text" };
import { type Policy, policies, sharedPolicy, sharedTarget } from "./policies.ts";
import { type Filtered, iso, windowParams } from "./window.ts";

export { OEE_CUTS, type OeeCut };

export const OEE_FLAGS = [
  "performance_over_1",
  "no_ideal_cycle",
  "counter_reset",
  "spike_quarantined",
  "rejects_exceed_total",
] as const;
export type OeeFlag = (typeof OEE_FLAGS)[number];

/**
 * One row of figures (docs/oee-definitions.md). Times are seconds and cover scheduled time, but `calendar_time_s`; run,
 * down, setup, stopped, idle and unknown add up to scheduled. Parts are counted whenever they are made, scheduled or not.
 * Ratios are unrounded. Planned time less all losses is what the good parts should have taken.
 */
export type OeeRow = {
  /** "" for the total; the hour "2026-01-05T06:00:00Z"; the plant-local day "2026-01-05"; "2026-01-05 early"; a name. */
  key: string;
  /** Only where the cut is by machine. */
  machine_id?: string;
  /** ISO 8601, clipped to the window and to now. */
  from: string;
  to: string;
  flags: OeeFlag[];
} & FigureValues;

export type OeeReport = {
  /** The policy in force; null where the machines' policies differ (see `queries/policies.ts` for each). */
  policy: Policy | null;
  /** The OEE that is aimed at, 0…1; null where none is set, or the machines' targets differ. */
  target_oee: number | null;
  /** Over all of the window; null without machines. */
  total: OeeRow | null;
  rows: OeeRow[];
};

/** The columns of figures/columns.sql, with the time they are of. */
export type FiguresRow = Omit<OeeRow, "key" | "from" | "to" | "machine_id"> & {
  starts_us: number;
  ends_us: number;
};
type SqlRow = FiguresRow & { key: string; is_total: boolean };

const SELECT = `SELECT key, is_total, starts_us, ends_us,\n${columns}FROM labelled ORDER BY starts_us, key`;
const FINE: readonly OeeCut[] = ["shift", "part", "lot", "order"];
/** Which sums of whole days a cut reads. */
export const grainOf = (by: OeeCut, window: Filtered): Grain =>
  grainFor(by === "hour" ? "hour" : FINE.includes(by) ? "fine" : "coarse", window);
const QUERIES = Object.fromEntries(
  OEE_CUTS.map((by) => [by, byGrain(SELECT, cellsBy(by), sumsBy(by), sums)]),
) as Record<OeeCut, Record<Grain, string>>;

/**
 * Figures over all the window's machines, as they are rolled up, sums first (SPEC 10; terms after
 * ISO 22400-2). Rows are ordered by time, then key. Without machines there are none.
 * @param window.groups the group of each machine, where the cut is by group
 * @throws EngineError
 */
export async function oee(
  engine: Engine,
  window: Filtered & { by: OeeCut; groups?: string[] },
  policiesInForce = policies(engine, window),
): Promise<OeeReport> {
  const { by, groups = [] } = window;
  const inForce = await policiesInForce;
  const rows = await engine.query<SqlRow>(QUERIES[by][grainOf(by, window)], {
    ...judgedParams(window, inForce),
    ...(by === "group" ? { groups } : {}),
  });
  const total = window.machines.length > 0 ? rows.find(({ is_total }) => is_total) : undefined;
  const told = ({ key, is_total, ...row }: SqlRow) => rowOf(window, is_total ? "" : key, row);
  const all = total ? told(total) : null;
  const cut = by === "total" ? (all ? [all] : []) : rows.filter(({ is_total }) => !is_total).map(told);
  return {
    policy: sharedPolicy(inForce),
    target_oee: sharedTarget(inForce),
    total: all,
    rows: by === "machine" ? cut.map((row) => ({ ...row, machine_id: row.key })) : cut,
  };
}

/** A row as it is told. Of nothing at all (a time that is still to come, a filter that leaves nothing) there are zeros. */
export function rowOf(window: Filtered, key: string, { starts_us, ends_us, ...figures }: FiguresRow): OeeRow {
  const { from_us, end_us } = windowParams(window);
  const [starts, ends] = ends_us === 0 ? [from_us, end_us] : [starts_us, ends_us];
  return { key, from: iso(starts), to: iso(ends), ...figures };
}
