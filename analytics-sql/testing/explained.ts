// Adds an explanation up again: every figure from the intervals and counts that are listed, and from nothing else.
import type { ExplainCount, ExplainInterval } from "../queries/explain/explain.ts";
import type { Figure } from "../queries/explain/formulas.ts";

type Listed = { intervals: ExplainInterval[]; counts: ExplainCount[] };

const us = (iso: string): number => Date.parse(`${iso.slice(0, 19)}Z`) * 1_000 + Number(iso.slice(20, 26));
const over = (a: number, b: number): number | null => (b === 0 ? null : a / b);

/** @param anyIdeal an ideal cycle time is listed for the machine at all */
export function figuresFrom({ intervals, counts }: Listed, anyIdeal: boolean): Record<Figure, number | null> {
  const time_us = (keep: (one: ExplainInterval) => boolean): number =>
    intervals.reduce((all, one) => (keep(one) ? all + us(one.to) - us(one.from) : all), 0);
  const inState = (state: string) => time_us((one) => one.scheduled && one.state === state);
  const lost_s = (to: string) => time_us(({ counts_as }) => counts_as === to) / 1e6;
  const sum = (of: (one: ExplainCount) => number): number => counts.reduce((all, one) => all + of(one), 0);
  const ideal_us = ({ ideal_cycle_s }: ExplainCount): number => Math.round((ideal_cycle_s ?? 0) * 1e6);

  const [calendar_us, scheduled_us] = [time_us(() => true), time_us(({ scheduled }) => scheduled)];
  const planned_us = time_us((one) => one.scheduled && !one.excluded);
  const [run_us, unknown_us] = [inState("RUNNING"), inState("UNKNOWN")];
  const repair_us = time_us((one) => one.scheduled && !one.excluded && one.state === "DOWN");
  const failures = intervals.reduce((all, one) => all + (one.excluded ? 0 : one.failures), 0);
  const [total, reject] = [sum((one) => one.total), sum((one) => one.reject)];
  const ideal_total_us = sum((one) => one.total * ideal_us(one));
  const ideal_good_us = sum((one) => (one.total - one.reject) * ideal_us(one));
  const startup_us = sum((one) => (one.state === "SETUP" ? one.reject * ideal_us(one) : 0));
  const noIdeal =
    !anyIdeal || counts.some((one) => one.ideal_cycle_s === null && (one.total !== 0 || one.reject !== 0));
  const known = (value: number | null): number | null => (noIdeal ? null : value);
  const perFailure_s = (of_us: number): number | null => (failures === 0 ? null : of_us / failures / 1e6);
  return {
    availability: over(run_us, planned_us),
    performance: known(over(ideal_total_us, run_us)),
    quality: over(total - reject, total),
    oee: known(over(ideal_good_us, planned_us)),
    ooe: known(over(ideal_good_us, scheduled_us)),
    teep: known(over(ideal_good_us, calendar_us)),
    utilisation: over(planned_us, calendar_us),
    coverage: scheduled_us === 0 ? null : 1 - unknown_us / scheduled_us,
    mtbf_s: perFailure_s(run_us),
    mttr_s: perFailure_s(repair_us),
    total_count: total,
    good_count: total - reject,
    reject_count: reject,
    calendar_time_s: calendar_us / 1e6,
    scheduled_time_s: scheduled_us / 1e6,
    planned_time_s: planned_us / 1e6,
    run_time_s: run_us / 1e6,
    down_time_s: inState("DOWN") / 1e6,
    setup_time_s: inState("SETUP") / 1e6,
    stopped_time_s: inState("STOPPED") / 1e6,
    idle_time_s: inState("IDLE") / 1e6,
    unknown_time_s: unknown_us / 1e6,
    breakdown_loss_s: lost_s("breakdown"),
    setup_loss_s: lost_s("setup"),
    minor_stop_loss_s: lost_s("minor"),
    other_stop_loss_s: lost_s("other"),
    unknown_loss_s: lost_s("unknown"),
    speed_loss_s: known((run_us - ideal_total_us) / 1e6),
    startup_reject_loss_s: known(startup_us / 1e6),
    reject_loss_s: known((ideal_total_us - ideal_good_us - startup_us) / 1e6),
  };
}
