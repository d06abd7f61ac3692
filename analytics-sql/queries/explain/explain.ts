// Why a figure is what it is: its formula with its numbers, and the intervals and counts these are summed from.
import type { Engine } from "../../engine/engine.ts";
import { byGrain, type Grain, judgedParams } from "../figures/judged.ts";
import { CUTS, grainOf, OEE_CUTS, type OeeCut, type OeeRow, oeeBy } from "../oee.ts";
import { type MachinePolicy, type Policy, policies } from "../policies.ts";
import { type Filtered, iso, type Window } from "../window.ts";
import asked from "./asked.sql" with { type: "text" };
import countsSql from "./counts.sql" with { type: "text" };
import {
  type Figure,
  FORMULAS,
  type Formula,
  type Summed,
  type Sums,
  sumsOf,
  type Term,
  termsOf,
} from "./formulas.ts";
import intervalsSql from "./intervals.sql" with { type: "text" };
import signalsSql from "./signals.sql" with { type: "text" };
import summedSql from "./summed.sql" with { type: "text" };

export { FIGURES, type Figure } from "./formulas.ts";

/** What an interval is to the figures: run time, a loss by its name, or no part of planned time. */
export type CountsAs =
  | "not_scheduled"
  | "excluded"
  | "run"
  | "breakdown"
  | "setup"
  | "minor"
  | "other"
  | "unknown";

export type ExplainInterval = {
  from: string;
  to: string;
  seconds: number;
  state: string;
  reason: string;
  cause: string;
  /** "2026-01-05 early"; "" outside of shifts, and where there is no calendar. */
  shift: string;
  scheduled: boolean;
  excluded: boolean;
  loss: string;
  counts_as: CountsAs;
  /** Failures and stops that begin with it, or that the shift begins with. */
  failures: number;
  stops: number;
};

export type ExplainCount = {
  ts: string;
  total: number;
  reject: number;
  part: string;
  lot: string;
  order: string;
  state: string;
  /** Null where none is listed. */
  ideal_cycle_s: number | null;
  spike: boolean;
  reset: boolean;
};

export type ExplainSum = {
  state: string;
  reason: string;
  cause: string;
  /** Of the scheduled part; the other is not scheduled. */
  counts_as: CountsAs;
  scheduled_s: number;
  seconds: number;
  total_count: number;
  reject_count: number;
};

export type ExplainMachine = {
  machine_id: string;
  value: number | null;
  terms: Term[];
  /** Of the first term's sum over all machines. */
  share: number | null;
};

export type Explanation = {
  figure: Figure;
  name: string;
  value: number | null;
  unit: Formula["unit"];
  formula: { text: string; source: Formula["source"]; terms: Term[] };
  policy: Policy | null;
  /** The row of figures that the value is taken from. */
  row: OeeRow;
  sums: ExplainSum[];
  machines: ExplainMachine[];
};

export type Asked = Filtered & { figure: Figure; by: OeeCut; key: string; groups: string[] };

/** Of a cut's CTEs only the first is needed, `keyed`: which row it is the OEE query says. */
const keyed = (by: OeeCut): string => CUTS[by].slice(0, CUTS[by].lastIndexOf(",\nlabelled"));
const overAsked = (select: string): Record<OeeCut, Record<Grain, string>> =>
  Object.fromEntries(OEE_CUTS.map((by) => [by, byGrain(select, keyed(by), asked)])) as Record<
    OeeCut,
    Record<Grain, string>
  >;
const SUMMED = overAsked(summedSql);
const INTERVALS = overAsked(intervalsSql);
const COUNTS = overAsked(countsSql);

const ATTEMPTS = 3;
const TOTAL = { k: 0, k2: "" };

/**
 * A figure of one row of a cut, from the OEE query itself, and what it is made of; with `page`, of one machine, also
 * its intervals and counts, those that start at `after_us` or later and at most `limit` of each. A page is cut at one
 * instant for both.
 * @returns undefined where the cut has no such row
 * @throws EngineError
 */
export async function explain(
  engine: Engine,
  query: Asked,
  page?: { after_us: number; limit: number },
): Promise<(Explanation & ExplainPage) | undefined> {
  for (let attempt = 1; ; attempt++) {
    const found = await explainOnce(engine, query, page);
    // The roll-up may have been renewed between the two queries: an explanation that does not add up is none.
    if (!found || attempt === ATTEMPTS || found.adds_up) return found?.explanation;
  }
}

async function explainOnce(engine: Engine, query: Asked, page?: { after_us: number; limit: number }) {
  const { figure, by, key, machines } = query;
  const inForce = await policies(engine, query);
  const asking = oeeBy(engine, query, inForce);
  // Of the total the place is known beforehand: then nothing waits for the other.
  const place = by === "total" ? TOTAL : (await asking).places.get(key);
  if (!place) return undefined;
  const [{ report }, rows, listed] = await Promise.all([
    asking,
    engine.query<Summed>(SUMMED[by][grainOf(by, query)], {
      ...paramsOf(query, inForce, false),
      ...place,
    }),
    page && list(engine, by, { ...paramsOf(query, inForce, true), ...place }, page),
  ]);
  const row = report.rows.find((one) => one.key === key);
  if (!row) return undefined;
  const formula: Formula = FORMULAS[figure];
  const all = sumsOf(rows);
  const value = row[figure];
  const explanation: Explanation & ExplainPage = {
    figure,
    name: formula.name,
    value,
    unit: formula.unit,
    formula: { text: formula.text, source: formula.source, terms: termsOf(formula, all) },
    policy: report.policy,
    row,
    sums: sumRows(rows),
    machines: machineRows(formula, machines, rows, all),
    ...(listed ?? { intervals: [], counts: [], next_us: null }),
  };
  return { explanation, adds_up: formula.of(all) === value };
}

/** Machines in their order, each with the same formula over its own sums. */
function machineRows(formula: Formula, machines: string[], rows: Summed[], all: Sums): ExplainMachine[] {
  const first = formula.terms[0];
  const whole = first ? all[first] : null;
  const own = Map.groupBy(rows, ({ m }) => m);
  return [...new Set(machines)].flatMap((machine_id, i) => {
    const of = own.get(i + 1);
    if (!of) return [];
    const sums = sumsOf(of);
    const part = first ? sums[first] : null;
    return [
      {
        machine_id,
        value: formula.of(sums),
        terms: termsOf(formula, sums),
        share: part === null || !whole ? null : part / whole,
      },
    ];
  });
}

/** What was summed, over all machines, the most first. */
function sumRows(rows: Summed[]): ExplainSum[] {
  const alike = Map.groupBy(rows, ({ in_state, reason, cause, excluded, loss }) =>
    JSON.stringify([in_state, reason, cause, excluded, loss]),
  );
  const sum = (of: Summed[], name: "sum_scheduled_us" | "sum_length_us" | "total_count" | "reject_count") =>
    of.reduce((all, row) => all + row[name], 0);
  return [...alike.values()]
    .flatMap((of) => {
      const [first] = of;
      if (!first) return [];
      const { in_state: state, reason, cause, excluded, loss } = first;
      return [
        {
          state,
          reason,
          cause,
          counts_as: countsAs({ state, excluded, loss, scheduled: sum(of, "sum_scheduled_us") > 0 }),
          scheduled_s: sum(of, "sum_scheduled_us") / 1e6,
          seconds: sum(of, "sum_length_us") / 1e6,
          total_count: sum(of, "total_count"),
          reject_count: sum(of, "reject_count"),
        },
      ];
    })
    .sort((a, b) => b.scheduled_s - a.scheduled_s || b.seconds - a.seconds);
}

const countsAs = (of: { scheduled: boolean; excluded: boolean; state: string; loss: string }): CountsAs =>
  !of.scheduled
    ? "not_scheduled"
    : of.excluded
      ? "excluded"
      : of.state === "RUNNING"
        ? "run"
        : (of.loss as CountsAs);

export type ExplainPage = {
  intervals: ExplainInterval[];
  counts: ExplainCount[];
  /** From when on there is more; null at the end. */
  next_us: number | null;
};

type IntervalRow = Omit<ExplainInterval, "from" | "to" | "seconds" | "counts_as"> & {
  from_us: number;
  to_us: number;
  shift_day: string;
};
type CountRow = {
  ts_us: number;
  total_count: number;
  reject_count: number;
  of_part: string;
  of_lot: string;
  of_order: string;
  in_state: string;
  ideal_us: number;
  spike_count: number;
  reset_count: number;
};

async function list(
  engine: Engine,
  by: OeeCut,
  place: ReturnType<typeof paramsOf> & { k: number; k2: string },
  page: { after_us: number; limit: number },
): Promise<ExplainPage> {
  const params = { ...place, after_us: page.after_us, limit: page.limit + 1 };
  const [intervals, counts] = await Promise.all([
    engine.query<IntervalRow>(INTERVALS[by].fine, params),
    engine.query<CountRow>(COUNTS[by].fine, params),
  ]);
  const ends = [intervals[page.limit]?.from_us, counts[page.limit]?.ts_us].filter((us) => us !== undefined);
  const next_us = ends.length > 0 ? Math.min(...ends) : Number.POSITIVE_INFINITY;
  return {
    intervals: intervals.filter(({ from_us }) => from_us < next_us).map(intervalOf),
    counts: counts.filter(({ ts_us }) => ts_us < next_us).map(countOf),
    next_us: ends.length > 0 ? next_us : null,
  };
}

function intervalOf({ from_us, to_us, shift_day, shift, ...row }: IntervalRow): ExplainInterval {
  return {
    from: iso(from_us),
    to: iso(to_us),
    seconds: (to_us - from_us) / 1e6,
    state: row.state,
    reason: row.reason,
    cause: row.cause,
    shift: [shift_day, shift].filter(Boolean).join(" "),
    scheduled: row.scheduled,
    excluded: row.excluded,
    loss: row.loss,
    counts_as: countsAs(row),
    failures: row.failures,
    stops: row.stops,
  };
}

const countOf = (row: CountRow): ExplainCount => ({
  ts: iso(row.ts_us),
  total: row.total_count,
  reject: row.reject_count,
  part: row.of_part,
  lot: row.of_lot,
  order: row.of_order,
  state: row.in_state,
  ideal_cycle_s: row.ideal_us === 0 ? null : row.ideal_us / 1e6,
  spike: row.spike_count > 0,
  reset: row.reset_count > 0,
});

/** The signals that the machine's states and counts are made of. @throws EngineError */
export async function signalsBehind(
  engine: Engine,
  { tenant, machines, to_us }: Pick<Window, "tenant" | "machines" | "to_us">,
): Promise<string[]> {
  const rows = await engine.query<{ signal: string }>(signalsSql, { tenant, machines, end_us: to_us });
  return rows.map(({ signal }) => signal);
}

const paramsOf = (query: Asked, inForce: MachinePolicy[], pieces: boolean) => ({
  ...judgedParams(query, inForce, pieces),
  ...(query.by === "group" ? { groups: query.groups } : {}),
});
