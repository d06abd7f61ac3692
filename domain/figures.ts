// What every figure is: sums of cells, and values over them. SQL, explanations, names and docs/oee-definitions.md are made of it.
import type { State } from "./state-rules.ts";

type Loss = "breakdown" | "setup" | "minor" | "other" | "unknown";

/** A sum over the cells of the roll-up as the policies in force judge them. */
export type Sum = {
  /** As it is read. */
  name: string;
  /** How it comes about, in words. */
  from: string;
  /** The column that is added up, whole µs or whole parts, and the one that is taken off it. */
  of: "length_us" | "scheduled_us" | "failures" | "stops" | "total" | "reject" | Ideal;
  less?: "reject" | Ideal;
  /** Of which cells; left out: of all. */
  where?: { state?: State; loss?: Loss; minor?: true; excluded?: false };
};
type Ideal = "ideal_total_us" | "ideal_good_us";

const inState = (name: string, state: State) =>
  ({
    name,
    from: `scheduled intervals in which the state is ${state}`,
    of: "scheduled_us",
    where: { state },
  }) as const;
const lost = (name: string, loss: Loss) =>
  ({ name, from: `scheduled intervals whose loss is ${loss}`, of: "scheduled_us", where: { loss } }) as const;

/** By the names of their columns. What sums up ideal time is null where an ideal cycle is missing. */
export const SUMS = {
  calendar_us: { name: "calendar time", from: "the length of all intervals", of: "length_us" },
  scheduled_us: {
    name: "scheduled time",
    from: "intervals in a shift and not in a break",
    of: "scheduled_us",
  },
  planned_us: {
    name: "planned time",
    from: "scheduled intervals that the policy does not exclude",
    of: "scheduled_us",
    where: { excluded: false },
  },
  run_us: inState("run time", "RUNNING"),
  down_us: inState("down time", "DOWN"),
  setup_us: inState("setup time", "SETUP"),
  stopped_us: inState("stopped time", "STOPPED"),
  idle_us: inState("idle time", "IDLE"),
  unknown_us: inState("unknown time", "UNKNOWN"),
  breakdown_loss_us: lost("breakdowns", "breakdown"),
  setup_loss_us: lost("setup", "setup"),
  minor_stop_loss_us: lost("minor stops", "minor"),
  other_stop_loss_us: lost("other stops", "other"),
  unknown_loss_us: lost("unknown", "unknown"),
  startup_reject_loss_us: {
    name: "ideal time of rejects in setup",
    from: "ideal cycle × reject of each count made in SETUP",
    of: "ideal_total_us",
    less: "ideal_good_us",
    where: { state: "SETUP" },
  },
  failure_count: {
    name: "failures",
    from: "stretches of DOWN that begin in a shift and are not excluded",
    of: "failures",
    where: { excluded: false },
  },
  repair_us: {
    name: "time to repair",
    from: "scheduled intervals of DOWN that are not excluded",
    of: "scheduled_us",
    where: { state: "DOWN", excluded: false },
  },
  stop_count: {
    name: "stops",
    from: "stretches of DOWN, STOPPED and IDLE that begin in a shift and are not excluded",
    of: "stops",
    where: { excluded: false },
  },
  minor_stop_count: {
    name: "short stops",
    from: "stops that are shorter than the policy's minor_stop_s",
    of: "stops",
    where: { minor: true, excluded: false },
  },
  total_count: { name: "parts", from: "the totals of all counts", of: "total" },
  good_count: { name: "good parts", from: "totals less rejects of all counts", of: "total", less: "reject" },
  reject_count: { name: "rejects", from: "the rejects of all counts", of: "reject" },
  ideal_total_us: {
    name: "ideal time of all parts",
    from: "ideal cycle × total of each count",
    of: "ideal_total_us",
  },
  ideal_good_us: {
    name: "ideal time of good parts",
    from: "ideal cycle × (total − reject) of each count",
    of: "ideal_good_us",
  },
} as const satisfies Record<string, Sum>;

export type SumName = keyof typeof SUMS;
export type Sums = { [S in SumName]: (typeof SUMS)[S]["of"] extends Ideal ? number | null : number };
export const SUM_NAMES = Object.keys(SUMS) as SumName[];
/** Is it null where an ideal cycle is missing? */
export const isIdeal = (sum: SumName): boolean => SUMS[sum].of.startsWith("ideal_");

/** A value over sums in three readings, which say the same in the same order of operations. */
type Value<T extends number | null = number | null> = {
  /** Over the columns of the sums. */
  sql: string;
  /** With the names of the sums. */
  text: string;
  /** Null where a term is, or over nothing. */
  of: (sums: Sums) => T;
  terms: readonly SumName[];
};
type Operand = SumName | Value;

const operand = (a: Operand): Value =>
  typeof a === "string" ? { sql: a, text: SUMS[a].name, of: (sums) => sums[a], terms: [a] } : a;
const bracketed = ({ text, terms }: Value): string => (terms.length > 1 ? `(${text})` : text);

/** a ÷ b */
function over(first: Operand, second: Operand): Value {
  const [a, b] = [operand(first), operand(second)];
  return {
    sql: `${a.sql} / nullIf(${b.sql}, 0)`,
    text: `${bracketed(a)} ÷ ${bracketed(b)}`,
    of: (sums) => {
      const [above, below] = [a.of(sums), b.of(sums)];
      return above === null || below === null || below === 0 ? null : above / below;
    },
    terms: [...a.terms, ...b.terms],
  };
}

/** 1 − a ÷ b */
function rest(a: Operand, b: Operand): Value {
  const { sql, text, of, terms } = over(a, b);
  return {
    sql: `1 - ${sql}`,
    text: `1 − ${text}`,
    of: (sums) => {
      const share = of(sums);
      return share === null ? null : 1 - share;
    },
    terms,
  };
}

/** a − b − … */
function less<S extends SumName>(first: S, ...others: S[]): Value<Sums[S]> {
  const terms = [first, ...others];
  return {
    sql: `(${terms.join(" - ")})`,
    text: terms.map((name) => SUMS[name].name).join(" − "),
    of: (sums) =>
      others.reduce<number | null>((left, name) => {
        const off = sums[name];
        return left === null || off === null ? null : left - off;
      }, sums[first]) as Sums[S],
    terms,
  };
}

/** A sum as it stands; its text says how it comes about. */
const sum = <S extends SumName>(name: S): Value<Sums[S]> => ({
  sql: name,
  text: SUMS[name].from,
  of: (sums) => sums[name],
  terms: [name],
});
const seconds = <T extends number | null>({ sql, of, ...value }: Value<T>): Value<T> => ({
  ...value,
  sql: `${sql} / 1e6`,
  of: (sums) => {
    const us = of(sums);
    return (us === null ? null : us / 1e6) as T;
  },
});

export type Source = "ISO 22400-2" | "MTC";
export type Unit = "ratio" | "s" | "parts" | "failures" | "stops";
export type Formula<T extends number | null = number | null, U extends Unit = Unit> = Value<T> & {
  /** The figure's name, as it is read. */
  name: string;
  unit: U;
  /** Whose definition it is. */
  source: Source;
};

const ratio = (name: string, value: Value, source: Source = "MTC") =>
  ({ name, unit: "ratio", source, ...value }) as const;
const time = <T extends number | null>(name: string, value_us: Value<T>) =>
  ({ name, unit: "s", source: "MTC", ...seconds(value_us) }) as const;
const count = <U extends "parts" | "failures" | "stops", T extends number | null>(
  name: string,
  unit: U,
  value: Value<T>,
) => ({ name, unit, source: "MTC", ...value }) as const;

/** The figures of a row, in the order of its columns. */
export const FORMULAS = {
  calendar_time_s: time("Calendar time", sum("calendar_us")),
  scheduled_time_s: time("Scheduled time", sum("scheduled_us")),
  planned_time_s: time("Planned time", sum("planned_us")),
  run_time_s: time("Run time", sum("run_us")),
  down_time_s: time("Down time", sum("down_us")),
  setup_time_s: time("Setup time", sum("setup_us")),
  stopped_time_s: time("Stopped time", sum("stopped_us")),
  idle_time_s: time("Idle time", sum("idle_us")),
  unknown_time_s: time("Unknown time", sum("unknown_us")),
  total_count: count("Parts", "parts", sum("total_count")),
  good_count: count("Good parts", "parts", less("total_count", "reject_count")),
  reject_count: count("Rejects", "parts", sum("reject_count")),
  availability: ratio("Availability", over("run_us", "planned_us"), "ISO 22400-2"),
  performance: ratio("Performance", over("ideal_total_us", "run_us"), "ISO 22400-2"),
  quality: ratio("Quality", over("good_count", "total_count"), "ISO 22400-2"),
  oee: ratio("OEE", over("ideal_good_us", "planned_us"), "ISO 22400-2"),
  ooe: ratio("OOE", over("ideal_good_us", "scheduled_us")),
  teep: ratio("TEEP", over("ideal_good_us", "calendar_us")),
  utilisation: ratio("Utilisation", over("planned_us", "calendar_us")),
  coverage: ratio("Coverage", rest("unknown_us", "scheduled_us")),
  failure_count: count("Failures", "failures", sum("failure_count")),
  // ISO 22400-2 divides by the failures plus one (SPEC 10.5).
  mtbf_s: time("MTBF", over("run_us", "failure_count")),
  mttr_s: time("MTTR", over("repair_us", "failure_count")),
  stop_count: count("Stops", "stops", sum("stop_count")),
  minor_stop_count: count("Minor stops", "stops", sum("minor_stop_count")),
  breakdown_loss_s: time("Breakdown loss", sum("breakdown_loss_us")),
  setup_loss_s: time("Setup loss", sum("setup_loss_us")),
  minor_stop_loss_s: time("Minor stop loss", sum("minor_stop_loss_us")),
  other_stop_loss_s: time("Other stop loss", sum("other_stop_loss_us")),
  unknown_loss_s: time("Unknown loss", sum("unknown_loss_us")),
  speed_loss_s: time("Speed loss", less("run_us", "ideal_total_us")),
  startup_reject_loss_s: time("Startup reject loss", sum("startup_reject_loss_us")),
  reject_loss_s: time("Reject loss", less("ideal_total_us", "ideal_good_us", "startup_reject_loss_us")),
} satisfies Record<string, Formula>;

/** A figure of a row. */
export type RowFigure = keyof typeof FORMULAS;
export const ROW_FIGURES = Object.keys(FORMULAS) as RowFigure[];
/** A row's figures; null over nothing, and where an ideal cycle is missing. */
export type FigureValues = { [F in RowFigure]: ReturnType<(typeof FORMULAS)[F]["of"]> };

/** One that can be explained: how often something began is only listed. */
export type Figure = {
  [F in RowFigure]: (typeof FORMULAS)[F]["unit"] extends "failures" | "stops" ? never : F;
}[RowFigure];
export type FigureUnit = Exclude<Unit, "failures" | "stops">;
export const FIGURES = ROW_FIGURES.filter(
  (figure): figure is Figure => !["failures", "stops"].includes(FORMULAS[figure].unit),
);

/** All figures of a row over its sums. */
export const figuresOver = (sums: Sums): FigureValues =>
  Object.fromEntries(ROW_FIGURES.map((figure) => [figure, FORMULAS[figure].of(sums)])) as FigureValues;

/** What sums are told in, by the column that they add up. */
const UNITS = {
  length_us: "s",
  scheduled_us: "s",
  ideal_total_us: "s",
  ideal_good_us: "s",
  failures: "failures",
  stops: "stops",
  total: "parts",
  reject: "parts",
} as const satisfies Record<Sum["of"], Unit>;
export const unitOf = (sum: SumName) => UNITS[SUMS[sum].of];

export type Term = { name: string; value: number | null; unit: ReturnType<typeof unitOf>; from: string };

/** A formula's terms with their numbers. */
export const termsOf = ({ terms }: Pick<Formula, "terms">, sums: Sums): Term[] =>
  terms.map((term) => {
    const [{ name, from }, unit, value] = [SUMS[term], unitOf(term), sums[term]];
    return { name, value: unit === "s" && value !== null ? value / 1e6 : value, unit, from };
  });
