// OEE and what it is made of, for a window, cut by time, machine, part or lot.
import type { Engine } from "../engine/engine.ts";
import makingNames from "./cuts/making-names.sql" with { type: "text" };
import noNames from "./cuts/no-names.sql" with { type: "text" };
import shiftNames from "./cuts/shift-names.sql" with { type: "text" };
import sql from "./oee.sql" with { type: "text" };
import { type Policy, policies } from "./policies.ts";
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
  rows: OeeRow[];
};

type SqlRow = Omit<OeeRow, "from" | "to" | "machine_id"> & {
  machine_id: string;
  starts_us: number;
  ends_us: number;
};

/**
 * Figures over all the window's machines, sums first (DESIGN "Time, states, OEE"; terms after ISO 22400-2).
 * Rows are ordered by time, then key. Without machines there are none.
 * @throws EngineError
 */
export async function oee(engine: Engine, window: Window & { by: OeeCut }): Promise<OeeReport> {
  const { by } = window;
  const clock = by === "hour" || by === "day" ? by : "none";
  const named = by === "part" || by === "lot" ? makingNames : by === "shift" ? shiftNames : noNames;
  const params = { ...timelineParams(window), by };
  const [inForce, rows] = await Promise.all([
    policies(engine, window),
    engine.query<SqlRow>(overTimeline(sql, clock, named), params),
  ]);
  const [first] = inForce;
  const same = inForce.every((policy) => Bun.deepEquals({ ...policy, machine_id: first?.machine_id }, first));
  return {
    policy:
      first && same
        ? { unknown: first.unknown, reasons: first.reasons, minor_stop_s: first.minor_stop_s }
        : null,
    rows: rows.map(({ machine_id, starts_us, ends_us, key, ...figures }) => ({
      key,
      ...(by === "machine" ? { machine_id } : {}),
      from: iso(starts_us),
      to: iso(ends_us),
      ...figures,
    })),
  };
}
