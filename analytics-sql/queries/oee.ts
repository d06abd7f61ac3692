// OEE and what it is made of, for a window, cut by time, machine, part or lot.
import type { Engine } from "../engine/engine.ts";
import day from "./cuts/day.sql" with { type: "text" };
import hour from "./cuts/hour.sql" with { type: "text" };
import lot from "./cuts/lot.sql" with { type: "text" };
import machine from "./cuts/machine.sql" with { type: "text" };
import part from "./cuts/part.sql" with { type: "text" };
import shift from "./cuts/shift.sql" with { type: "text" };
import total from "./cuts/total.sql" with { type: "text" };
import sql from "./oee.sql" with { type: "text" };
import { type Policy, policies } from "./policies.ts";
import sums from "./sums.sql" with { type: "text" };
import { iso, overTimeline, timelineParams, type Window } from "./timeline/timeline.ts";

export const OEE_CUTS = ["total", "hour", "shift", "day", "machine", "part", "lot"] as const;
export type OeeCut = (typeof OEE_CUTS)[number];

export const OEE_FLAGS = [
  "performance_over_1",
  "no_ideal_cycle",
  "counter_reset",
  "spike_quarantined",
  "rejects_exceed_total",
] as const;
export type OeeFlag = (typeof OEE_FLAGS)[number];

/**
 * One row of figures. Times are seconds and cover scheduled time, but `calendar_time_s`; run, down, setup, stopped,
 * idle and unknown add up to scheduled. Parts are counted whenever they are made, scheduled or not.
 * Ratios are unrounded; null where their denominator is 0 or an ideal cycle time is missing.
 */
export type OeeRow = {
  /** "" for the total; the hour "2026-01-05T06:00:00Z"; the plant-local day "2026-01-05"; "2026-01-05 early"; a name. */
  key: string;
  /** Only where the cut is by machine. */
  machine_id?: string;
  /** ISO 8601, clipped to the window and to now. */
  from: string;
  to: string;
  calendar_time_s: number;
  scheduled_time_s: number;
  planned_time_s: number;
  run_time_s: number;
  down_time_s: number;
  setup_time_s: number;
  stopped_time_s: number;
  idle_time_s: number;
  unknown_time_s: number;
  total_count: number;
  good_count: number;
  reject_count: number;
  availability: number | null;
  performance: number | null;
  quality: number | null;
  oee: number | null;
  teep: number | null;
  coverage: number | null;
  flags: OeeFlag[];
};

export type OeeReport = {
  /** The policy in force; null where the machines' policies differ (see `queries/policies.ts` for each). */
  policy: Policy | null;
  /** Over all of the window; null without machines. */
  total: OeeRow | null;
  rows: OeeRow[];
};

type SqlRow = Omit<OeeRow, "from" | "to" | "machine_id"> & {
  is_total: boolean;
  starts_us: number;
  ends_us: number;
};

const CUTS: Record<OeeCut, string> = { total, hour, shift, day, machine, part, lot };
/** A cut is two CTEs, `keyed` over the timeline and `labelled` over the sums, and the `buckets` of its clock, if any. */
const QUERIES = Object.fromEntries(OEE_CUTS.map((by) => [by, overTimeline(sql, CUTS[by], sums)])) as Record<
  OeeCut,
  string
>;

/**
 * Figures over all the window's machines, sums first (DESIGN "Time, states, OEE"; terms after ISO 22400-2).
 * Rows are ordered by time, then key. Without machines there are none.
 * @throws EngineError
 */
export async function oee(engine: Engine, window: Window & { by: OeeCut }): Promise<OeeReport> {
  const { by } = window;
  const [inForce, rows] = await Promise.all([
    policies(engine, window),
    engine.query<SqlRow>(QUERIES[by], timelineParams(window)),
  ]);
  const [first] = inForce;
  const same = inForce.every((policy) => Bun.deepEquals({ ...policy, machine_id: first?.machine_id }, first));
  const total = window.machines.length > 0 ? rows.find(({ is_total }) => is_total) : undefined;
  const cut = by === "total" ? (total ? [total] : []) : rows.filter(({ is_total }) => !is_total);
  return {
    policy:
      first && same
        ? { unknown: first.unknown, reasons: first.reasons, minor_stop_s: first.minor_stop_s }
        : null,
    total: total ? rowOf({ ...total, key: "" }) : null,
    rows: cut.map((row) => ({ ...rowOf(row), ...(by === "machine" ? { machine_id: row.key } : {}) })),
  };
}

const rowOf = ({ is_total: _, starts_us, ends_us, key, ...figures }: SqlRow): OeeRow => ({
  key,
  from: iso(starts_us),
  to: iso(ends_us),
  ...figures,
});
