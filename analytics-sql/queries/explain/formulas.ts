// What each figure is made of: its formula over sums, in words and as a calculation (SPEC 10).

/** What the sums of the cells are: whole µs of scheduled time (`calendar_us`: of all time), and whole parts. */
export type Sums = {
  calendar_us: number;
  scheduled_us: number;
  planned_us: number;
  run_us: number;
  down_us: number;
  setup_us: number;
  stopped_us: number;
  idle_us: number;
  unknown_us: number;
  repair_us: number;
  breakdown_loss_us: number;
  setup_loss_us: number;
  minor_stop_loss_us: number;
  other_stop_loss_us: number;
  unknown_loss_us: number;
  failure_count: number;
  total_count: number;
  good_count: number;
  reject_count: number;
  /** Null where something was made whose ideal cycle is not known, or none is listed at all. */
  ideal_total_us: number | null;
  ideal_good_us: number | null;
  startup_reject_loss_us: number | null;
};
export type SumName = keyof Sums;

/** What a figure is summed from: the sums of one machine's time in one state, with one reason and cause. */
export type Summed = {
  m: number;
  state: string;
  reason: string;
  cause: string;
  excluded: boolean;
  loss: string;
  calendar_us: number;
  scheduled_us: number;
  failure_count: number;
  total_count: number;
  reject_count: number;
  ideal_total_us: number;
  ideal_good_us: number;
  without_ideal_count: number;
  ideal_known: number;
};

/** Adds up rows of one machine, or of several: sums first (invariant 5). */
export function sumsOf(rows: readonly Summed[]): Sums {
  const sum = (of: (row: Summed) => number, keep: (row: Summed) => boolean = () => true): number =>
    rows.reduce((all, row) => (keep(row) ? all + of(row) : all), 0);
  const scheduled = (keep?: (row: Summed) => boolean): number => sum((row) => row.scheduled_us, keep);
  const inState = (name: string): number => scheduled((row) => row.state === name);
  const lost = (to: string): number => scheduled(({ loss }) => loss === to);
  const ideal_total_us = sum((row) => row.ideal_total_us);
  const ideal_good_us = sum((row) => row.ideal_good_us);
  const listed = rows.length === 0 || rows.some((row) => row.ideal_known);
  const known = listed && rows.every((row) => row.without_ideal_count === 0);
  const total_count = sum((row) => row.total_count);
  const reject_count = sum((row) => row.reject_count);
  return {
    calendar_us: sum((row) => row.calendar_us),
    scheduled_us: scheduled(),
    planned_us: scheduled(({ excluded }) => !excluded),
    run_us: inState("RUNNING"),
    down_us: inState("DOWN"),
    setup_us: inState("SETUP"),
    stopped_us: inState("STOPPED"),
    idle_us: inState("IDLE"),
    unknown_us: inState("UNKNOWN"),
    repair_us: scheduled(({ state, excluded }) => state === "DOWN" && !excluded),
    breakdown_loss_us: lost("breakdown"),
    setup_loss_us: lost("setup"),
    minor_stop_loss_us: lost("minor"),
    other_stop_loss_us: lost("other"),
    unknown_loss_us: lost("unknown"),
    failure_count: sum(
      (row) => row.failure_count,
      ({ excluded }) => !excluded,
    ),
    total_count,
    good_count: total_count - reject_count,
    reject_count,
    ideal_total_us: known ? ideal_total_us : null,
    ideal_good_us: known ? ideal_good_us : null,
    startup_reject_loss_us: known
      ? sum(
          (row) => row.ideal_total_us - row.ideal_good_us,
          (row) => row.state === "SETUP",
        )
      : null,
  };
}

/** How each sum comes about, in words. */
export const SUMS: Record<SumName, { name: string; from: string }> = {
  calendar_us: { name: "calendar time", from: "the length of all intervals" },
  scheduled_us: { name: "scheduled time", from: "intervals in a shift and not in a break" },
  planned_us: { name: "planned time", from: "scheduled intervals that the policy does not exclude" },
  run_us: { name: "run time", from: "scheduled intervals in which the state is RUNNING" },
  down_us: { name: "down time", from: "scheduled intervals in which the state is DOWN" },
  setup_us: { name: "setup time", from: "scheduled intervals in which the state is SETUP" },
  stopped_us: { name: "stopped time", from: "scheduled intervals in which the state is STOPPED" },
  idle_us: { name: "idle time", from: "scheduled intervals in which the state is IDLE" },
  unknown_us: { name: "unknown time", from: "scheduled intervals in which the state is UNKNOWN" },
  repair_us: { name: "time to repair", from: "scheduled intervals of DOWN that are not excluded" },
  breakdown_loss_us: { name: "breakdowns", from: "scheduled intervals whose loss is breakdown" },
  setup_loss_us: { name: "setup", from: "scheduled intervals whose loss is setup" },
  minor_stop_loss_us: { name: "minor stops", from: "scheduled intervals whose loss is minor" },
  other_stop_loss_us: { name: "other stops", from: "scheduled intervals whose loss is other" },
  unknown_loss_us: { name: "unknown", from: "scheduled intervals whose loss is unknown" },
  failure_count: { name: "failures", from: "stretches of DOWN that begin in a shift and are not excluded" },
  total_count: { name: "parts", from: "the totals of all counts" },
  good_count: { name: "good parts", from: "totals less rejects of all counts" },
  reject_count: { name: "rejects", from: "the rejects of all counts" },
  ideal_total_us: { name: "ideal time of all parts", from: "ideal cycle × total of each count" },
  ideal_good_us: { name: "ideal time of good parts", from: "ideal cycle × (total − reject) of each count" },
  startup_reject_loss_us: {
    name: "ideal time of rejects in setup",
    from: "ideal cycle × reject of each count made in SETUP",
  },
};

export type Formula = {
  /** The figure's name, as it is read. */
  name: string;
  /** With the names of `SUMS`. */
  text: string;
  source: "ISO 22400-2" | "MTC";
  unit: "ratio" | "s" | "parts";
  terms: readonly SumName[];
  /** As figures/columns.sql takes it, in the same order of operations; null where a term is, or over nothing. */
  of: (sums: Sums) => number | null;
};

const over = (a: number | null, b: number): number | null => (a === null || b === 0 ? null : a / b);
const seconds = (us: number | null): number | null => (us === null ? null : us / 1e6);
const nameOf = (sum: SumName): string => SUMS[sum].name;

const ratio = (
  name: string,
  a: SumName,
  b: "planned_us" | "run_us" | "scheduled_us" | "calendar_us" | "total_count",
  source: Formula["source"],
): Formula => ({
  name,
  text: `${nameOf(a)} ÷ ${nameOf(b)}`,
  source,
  unit: "ratio",
  terms: [a, b],
  of: (sums) => over(sums[a], sums[b]),
});
/** ISO 22400-2 divides by the failures plus one (SPEC 10.5). */
const perFailure = (name: string, a: "run_us" | "repair_us"): Formula => ({
  name,
  text: `${nameOf(a)} ÷ ${nameOf("failure_count")}`,
  source: "MTC",
  unit: "s",
  terms: [a, "failure_count"],
  of: (sums) => seconds(over(sums[a], sums.failure_count)),
});
const time = (name: string, a: SumName): Formula => ({
  name,
  text: SUMS[a].from,
  source: "MTC",
  unit: "s",
  terms: [a],
  of: (sums) => seconds(sums[a]),
});
const count = (name: string, a: "total_count" | "reject_count"): Formula => ({
  name,
  text: SUMS[a].from,
  source: "MTC",
  unit: "parts",
  terms: [a],
  of: (sums) => sums[a],
});

/** The figures of an OEE row that can be explained. */
export const FORMULAS = {
  availability: ratio("Availability", "run_us", "planned_us", "ISO 22400-2"),
  performance: ratio("Performance", "ideal_total_us", "run_us", "ISO 22400-2"),
  quality: ratio("Quality", "good_count", "total_count", "ISO 22400-2"),
  oee: ratio("OEE", "ideal_good_us", "planned_us", "ISO 22400-2"),
  ooe: ratio("OOE", "ideal_good_us", "scheduled_us", "MTC"),
  teep: ratio("TEEP", "ideal_good_us", "calendar_us", "MTC"),
  utilisation: ratio("Utilisation", "planned_us", "calendar_us", "MTC"),
  coverage: {
    name: "Coverage",
    text: "1 − unknown time ÷ scheduled time",
    source: "MTC",
    unit: "ratio",
    terms: ["unknown_us", "scheduled_us"],
    of: ({ unknown_us, scheduled_us }) => (scheduled_us === 0 ? null : 1 - unknown_us / scheduled_us),
  },
  mtbf_s: perFailure("MTBF", "run_us"),
  mttr_s: perFailure("MTTR", "repair_us"),
  total_count: count("Parts", "total_count"),
  good_count: {
    name: "Good parts",
    text: "parts − rejects",
    source: "MTC",
    unit: "parts",
    terms: ["total_count", "reject_count"],
    of: ({ good_count }) => good_count,
  },
  reject_count: count("Rejects", "reject_count"),
  calendar_time_s: time("Calendar time", "calendar_us"),
  scheduled_time_s: time("Scheduled time", "scheduled_us"),
  planned_time_s: time("Planned time", "planned_us"),
  run_time_s: time("Run time", "run_us"),
  down_time_s: time("Down time", "down_us"),
  setup_time_s: time("Setup time", "setup_us"),
  stopped_time_s: time("Stopped time", "stopped_us"),
  idle_time_s: time("Idle time", "idle_us"),
  unknown_time_s: time("Unknown time", "unknown_us"),
  breakdown_loss_s: time("Breakdown loss", "breakdown_loss_us"),
  setup_loss_s: time("Setup loss", "setup_loss_us"),
  minor_stop_loss_s: time("Minor stop loss", "minor_stop_loss_us"),
  other_stop_loss_s: time("Other stop loss", "other_stop_loss_us"),
  unknown_loss_s: time("Unknown loss", "unknown_loss_us"),
  speed_loss_s: {
    name: "Speed loss",
    text: "run time − ideal time of all parts",
    source: "MTC",
    unit: "s",
    terms: ["run_us", "ideal_total_us"],
    of: ({ run_us, ideal_total_us }) => (ideal_total_us === null ? null : seconds(run_us - ideal_total_us)),
  },
  startup_reject_loss_s: time("Startup reject loss", "startup_reject_loss_us"),
  reject_loss_s: {
    name: "Reject loss",
    text: "ideal time of all parts − ideal time of good parts − ideal time of rejects in setup",
    source: "MTC",
    unit: "s",
    terms: ["ideal_total_us", "ideal_good_us", "startup_reject_loss_us"],
    of: ({ ideal_total_us: all, ideal_good_us: good, startup_reject_loss_us: startup }) =>
      all === null || good === null || startup === null ? null : seconds(all - good - startup),
  },
} satisfies Record<string, Formula>;

export type Figure = keyof typeof FORMULAS;
export const FIGURES = Object.keys(FORMULAS) as Figure[];

export type Term = { name: string; value: number | null; unit: "s" | "parts" | "failures"; from: string };

/** The formula's terms with their numbers. */
export const termsOf = ({ terms }: Formula, sums: Sums): Term[] =>
  terms.map((sum) => ({
    name: SUMS[sum].name,
    value: sum.endsWith("_us") ? seconds(sums[sum]) : sums[sum],
    unit: sum.endsWith("_us") ? "s" : sum === "failure_count" ? "failures" : "parts",
    from: SUMS[sum].from,
  }));
