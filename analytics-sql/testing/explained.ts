// Adds an explanation up again: every figure from the intervals and counts that are listed, and from nothing else.
import { type Figure, figuresOver } from "../../domain/figures.ts";
import type { ExplainCount, ExplainInterval } from "../queries/explain/explain.ts";

type Listed = { intervals: ExplainInterval[]; counts: ExplainCount[] };

const us = (iso: string): number => Date.parse(`${iso.slice(0, 19)}Z`) * 1_000 + Number(iso.slice(20, 26));

/** @param anyIdeal an ideal cycle time is listed for the machine at all */
export function figuresFrom({ intervals, counts }: Listed, anyIdeal: boolean): Record<Figure, number | null> {
  const time_us = (keep: (one: ExplainInterval) => boolean): number =>
    intervals.reduce((all, one) => (keep(one) ? all + us(one.to) - us(one.from) : all), 0);
  const inState = (state: string) => time_us((one) => one.scheduled && one.state === state);
  const lost_us = (to: string) => time_us(({ counts_as }) => counts_as === to);
  const begun = (what: "failures" | "stops"): number =>
    intervals.reduce((all, one) => all + (one.excluded ? 0 : one[what]), 0);
  const sum = (of: (one: ExplainCount) => number): number => counts.reduce((all, one) => all + of(one), 0);
  const ideal_us = ({ ideal_cycle_s }: ExplainCount): number => Math.round((ideal_cycle_s ?? 0) * 1e6);
  const noIdeal =
    !anyIdeal || counts.some((one) => one.ideal_cycle_s === null && (one.total !== 0 || one.reject !== 0));
  const known = (value: number): number | null => (noIdeal ? null : value);
  return figuresOver({
    calendar_us: time_us(() => true),
    scheduled_us: time_us(({ scheduled }) => scheduled),
    planned_us: time_us((one) => one.scheduled && !one.excluded),
    run_us: inState("RUNNING"),
    down_us: inState("DOWN"),
    setup_us: inState("SETUP"),
    stopped_us: inState("STOPPED"),
    idle_us: inState("IDLE"),
    unknown_us: inState("UNKNOWN"),
    repair_us: time_us((one) => one.scheduled && !one.excluded && one.state === "DOWN"),
    breakdown_loss_us: lost_us("breakdown"),
    setup_loss_us: lost_us("setup"),
    minor_stop_loss_us: lost_us("minor"),
    other_stop_loss_us: lost_us("other"),
    unknown_loss_us: lost_us("unknown"),
    failure_count: begun("failures"),
    stop_count: begun("stops"),
    // Which of them are minor is not listed, and no figure that is explained has it.
    minor_stop_count: 0,
    total_count: sum(({ total }) => total),
    good_count: sum(({ total, reject }) => total - reject),
    reject_count: sum(({ reject }) => reject),
    ideal_total_us: known(sum((one) => one.total * ideal_us(one))),
    ideal_good_us: known(sum((one) => (one.total - one.reject) * ideal_us(one))),
    startup_reject_loss_us: known(sum((one) => (one.state === "SETUP" ? one.reject * ideal_us(one) : 0))),
  });
}
