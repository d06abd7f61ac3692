// Why a figure is what it is: its formula with its numbers, and the intervals and counts these are summed from.
import {
  type Figure,
  type FigureUnit,
  type FigureValues,
  FORMULAS,
  type Formula,
  isIdeal,
  ROW_FIGURES,
  type Source,
  SUM_NAMES,
  type Sums,
  type Term,
  termsOf,
} from "../../../domain/figures.ts";
import type { Engine } from "../../engine/engine.ts";
import columns from "../figures/columns.sql" with { type: "text" };
import { cellsBy } from "../figures/cuts.ts";
import { byGrain, type Grain, judgedParams } from "../figures/judged.ts";
import sums from "../figures/sums.sql" with { type: "text" };
import { type FiguresRow, grainOf, OEE_CUTS, type OeeCut, type OeeRow, rowOf } from "../oee.ts";
import { type MachinePolicy, type Policy, policies, sharedPolicy } from "../policies.ts";
import { type Filtered, iso, type Window } from "../window.ts";
import asked from "./asked.sql" with { type: "text" };
import keyed from "./keyed.sql" with { type: "text" };
import listed from "./listed.sql" with { type: "text" };
import { placeOf } from "./place.ts";
import signalsSql from "./signals.sql" with { type: "text" };
import summed from "./summed.sql" with { type: "text" };

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
  unit: FigureUnit;
  formula: { text: string; source: Source; terms: Term[] };
  policy: Policy | null;
  /** The row of figures that the value is taken from. */
  row: OeeRow;
  sums: ExplainSum[];
  machines: ExplainMachine[];
};

export type Asked = Filtered & { figure: Figure; by: OeeCut; key: string; groups: string[] };

const overAsked = (select: string, ...more: string[]): Record<OeeCut, Record<Grain, string>> =>
  Object.fromEntries(
    OEE_CUTS.map((by) => [by, byGrain(select, cellsBy(by, "cut"), asked, ...more)]),
  ) as Record<OeeCut, Record<Grain, string>>;
const SUMMED = overAsked(`${summed}${columns}FROM sums`, keyed, sums);
const LISTED = overAsked(listed);

/**
 * A figure of one row of a cut, and what it is made of: one read, by the SQL of the OEE query. With `page`, of one
 * machine, also its intervals and counts, those that start at `after_us` or later and at most `limit` of each. A page is
 * cut at one instant for both.
 * @returns undefined where the cut has no such row
 * @throws EngineError
 */
export async function explain(
  engine: Engine,
  query: Asked,
  page?: { after_us: number; limit: number },
  policiesInForce = policies(engine, query),
): Promise<(Explanation & ExplainPage) | undefined> {
  const { figure, by, machines } = query;
  const inForce = await policiesInForce;
  const place = placeOf(query);
  if (!place) return undefined;
  const [{ row, rows }, listed] = await Promise.all([
    sumUp(engine, query, { ...paramsOf(query, inForce, false), ...place }),
    page && list(engine, by, { ...paramsOf(query, inForce, true), ...place }, page),
  ]);
  if (!row) return undefined;
  const formula: Formula<number | null, FigureUnit> = FORMULAS[figure];
  const all = sumsOf(rows);
  return {
    figure,
    name: formula.name,
    value: row[figure],
    unit: formula.unit,
    formula: { text: formula.text, source: formula.source, terms: termsOf(formula, all) },
    policy: sharedPolicy(inForce),
    row,
    sums: sumRows(rows),
    machines: machineRows(formula, machines, rows, all),
    ...(listed ?? { intervals: [], counts: [], next_us: null }),
  };
}

/** What a figure is summed from: one machine's time in one state, with one reason and cause. */
type Summed = {
  m: number;
  state: string;
  reason: string;
  cause: string;
  excluded: boolean;
  loss: string;
} & SqlSums;
/** Here the sums of ideal time are numbers, whether all ideal cycles are known or not. */
type SqlSums = Record<keyof Sums | "without_ideal_count" | "ideal_known", number>;
type SummedRow = FiguresRow &
  SqlSums & {
    k: number;
    k2: [state: string, reason: string, cause: string, excluded: boolean, loss: string];
    is_total: boolean;
  };

/** Adds up rows of one machine, or of several: sums first (invariant 5). */
function sumsOf(rows: readonly Summed[]): Sums {
  const listed = rows.length === 0 || rows.some((row) => row.ideal_known);
  const known = listed && rows.every((row) => row.without_ideal_count === 0);
  return Object.fromEntries(
    SUM_NAMES.map((name) => [
      name,
      isIdeal(name) && !known ? null : rows.reduce((all, row) => all + row[name], 0),
    ]),
  ) as Sums;
}

/** @returns the row, and what it is summed from in the order of the machines */
async function sumUp(
  engine: Engine,
  query: Asked,
  params: Record<string, unknown>,
): Promise<{ row: OeeRow | undefined; rows: Summed[] }> {
  const { by, key } = query;
  const found = await engine.query<SummedRow>(SUMMED[by][grainOf(by, query)], params);
  const total = found.find(({ is_total }) => is_total);
  const parts = found.filter(({ is_total }) => !is_total).sort((a, b) => a.k - b.k);
  const rows = parts.map(({ k: m, k2: [state, reason, cause, excluded, loss], ...row }) => ({
    ...row,
    m,
    state,
    reason,
    cause,
    excluded,
    loss,
  }));
  return { row: total && isRow(by, key, total) ? rowOf(query, key, figuresIn(total)) : undefined, rows };
}

/** A cut has rows of what there is; that of no shift only where anything was scheduled or counted. */
const isRow = (by: OeeCut, key: string, row: SummedRow): boolean =>
  by === "total" ||
  (row.ends_us > 0 &&
    (by !== "shift" ||
      key !== "" ||
      row.scheduled_us > 0 ||
      row.total_count !== 0 ||
      row.reject_count !== 0));

const figuresIn = (row: SummedRow): FiguresRow => {
  const { starts_us, ends_us, flags } = row;
  const figures = Object.fromEntries(ROW_FIGURES.map((figure) => [figure, row[figure]])) as FigureValues;
  return { starts_us, ends_us, ...figures, flags };
};

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
  const alike = Map.groupBy(rows, ({ state, reason, cause, excluded, loss }) =>
    JSON.stringify([state, reason, cause, excluded, loss]),
  );
  const sum = (of: Summed[], name: "scheduled_us" | "calendar_us" | "total_count" | "reject_count") =>
    of.reduce((all, row) => all + row[name], 0);
  return [...alike.values()]
    .flatMap((of) => {
      const [first] = of;
      if (!first) return [];
      const { state, reason, cause, excluded, loss } = first;
      return [
        {
          state,
          reason,
          cause,
          counts_as: countsAs({ state, excluded, loss, scheduled: sum(of, "scheduled_us") > 0 }),
          scheduled_s: sum(of, "scheduled_us") / 1e6,
          seconds: sum(of, "calendar_us") / 1e6,
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
  counts_in_it: CountRow[];
};
type CountRow = [
  ts_us: number,
  total: number,
  reject: number,
  part: string,
  lot: string,
  order: string,
  state: string,
  ideal_us: number,
  spikes: number,
  resets: number,
];

async function list(
  engine: Engine,
  by: OeeCut,
  params: Record<string, unknown>,
  { after_us, limit }: { after_us: number; limit: number },
): Promise<ExplainPage> {
  // One more of each tells that there is more; and an interval may have begun before, of which only counts are listed.
  const rows = await engine.query<IntervalRow>(LISTED[by].pieces, { ...params, after_us, limit: limit + 2 });
  const intervals = rows.filter(({ from_us }) => from_us >= after_us);
  const counts = rows.flatMap(({ counts_in_it }) => counts_in_it);
  const ends = [intervals[limit]?.from_us, counts[limit]?.[0]].filter((us) => us !== undefined);
  const next_us = ends.length > 0 ? Math.min(...ends) : Number.POSITIVE_INFINITY;
  return {
    intervals: intervals.filter(({ from_us }) => from_us < next_us).map(intervalOf),
    counts: counts.filter(([ts_us]) => ts_us < next_us).map(countOf),
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

const countOf = ([
  ts_us,
  total,
  reject,
  part,
  lot,
  order,
  state,
  ideal_us,
  spikes,
  resets,
]: CountRow): ExplainCount => ({
  ts: iso(ts_us),
  total,
  reject,
  part,
  lot,
  order,
  state,
  ideal_cycle_s: ideal_us === 0 ? null : ideal_us / 1e6,
  spike: spikes > 0,
  reset: resets > 0,
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
