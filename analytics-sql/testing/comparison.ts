// Generated machines through the engine, in any order of arrival, and every figure of theirs held against the oracle's.
import { expect } from "bun:test";
import { FIGURES, type Figure } from "../../domain/figures.ts";
import { ruleOf } from "../../domain/state.ts";
import { compileCalendar } from "../../ingest/calendar.ts";
import type { Engine } from "../engine/engine.ts";
import { type ExplainInterval, type ExplainPage, explain } from "../queries/explain/explain.ts";
import { stateAt } from "../queries/explain/state-at.ts";
import { filters } from "../queries/filters.ts";
import { type GapRow, gaps } from "../queries/gaps.ts";
import { OEE_CUTS, type OeeCut, type OeeRow, oee } from "../queries/oee.ts";
import { type MachinePolicy, policies } from "../queries/policies.ts";
import { type StateRow, states } from "../queries/states.ts";
import type { Filter, Window } from "../queries/window.ts";
import { Roller } from "../rollup/roller.ts";
import { randomOf } from "./arrival.ts";
import {
  type Account,
  accountOf,
  differences,
  groupOf,
  rowsOf,
  stretchesOf,
  totalOf,
  valuesOf,
} from "./expected.ts";
import { figuresFrom } from "./explained.ts";
import type { Sweep } from "./generated.ts";
import type { Figures } from "./oracle.ts";
import { type Calendar, event, events, joined, us } from "./plant.ts";

const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);
const HOUR_US = 3_600_000_000;
const DELIVERIES = 3;
/** Of so many machines one is explained, row by row and page by page: some twenty queries more. */
const EXPLAINED = 12;
/** A cut is asked of all machines, and of so few that the figures of each still show in it. */
const FEW = 3;

/** What a filter is asked for: of each kind what there is, and what there is not. */
const FILTERS: Filter[] = [
  { shift: "early" },
  { shift: "night" },
  { shift: "" },
  { part: "A" },
  { part: "B", shift: "early" },
  { lot: "L1" },
  { lot: "" },
  { order: "O-7" },
  { order: "", lot: "L1" },
  { part: "never made" },
];

/** What is asked, after all has arrived. */
const ASK = {
  states: (asked: Asked) => compareStates(asked, {}),
  cuts: compareCuts,
  filtered: compareFiltered,
  together: compareTogether,
  explained: compareExplained,
};
type Question = keyof typeof ASK;
const QUESTIONS = Object.keys(ASK) as Question[];

/** The first thing that differs, and the question that showed it; none where it failed to arrive. */
export type Difference = { error: Error; questions: Question[] };
let tenants = 0;

/** @param questions all, or the ones that a difference is known to show in */
export async function differenceIn(
  engine: Engine,
  sweep: Sweep,
  questions = QUESTIONS,
): Promise<Difference | undefined> {
  let asking: Question[] = [];
  try {
    const { plants, from_us, to_us, as_of_us } = sweep;
    const tenant = `tenant-${++tenants}`;
    const window = { tenant, machines: plants.map(({ machine }) => machine), from_us, to_us, as_of_us };
    await deliver(engine, sweep, window);
    const inForce = await policies(engine, window);
    const { rows: missing } = await gaps(engine, window);
    const accounts = plants.map((plant) => accountOf(tenant, plant, sweep));
    for (const question of questions) {
      asking = [question];
      await ASK[question]({ engine, seed: sweep.seed, window, accounts, inForce, missing });
    }
    return undefined;
  } catch (error) {
    return { error: error as Error, questions: asking };
  }
}

/** What is asked of a machine follows from its place and the seed, so that it is asked again when it is alone. */
const turnOf = (machine: string, seed: number): number => Number(machine.slice(1)) + seed;

type Asked = {
  engine: Engine;
  seed: number;
  window: Window;
  accounts: Account[];
  inForce: MachinePolicy[];
  missing: GapRow[];
};

/** The same questions of some of the machines. */
function only(asked: Asked, places: number[]): Asked {
  const pick = <T>(list: T[]): T[] => places.flatMap((place) => list[place] ?? []);
  const { window, accounts, inForce } = asked;
  return {
    ...asked,
    window: { ...window, machines: pick(window.machines) },
    accounts: pick(accounts),
    inForce: pick(inForce),
  };
}

/** A few machines, others for each `i`. */
function few(asked: Asked, i: number): Asked {
  const all = asked.accounts.length;
  const from = (i * FEW) % all;
  return only(asked, [...new Set(Array.from({ length: FEW }, (_, j) => (from + j) % all))]);
}

/**
 * Each event twice, at any place in any delivery, with a roll-up after each: too early, and each of another window. What
 * comes later must correct it. Where an event comes follows from its machine, and is the same where that one is alone.
 */
async function deliver(engine: Engine, { seed, plants, rules }: Sweep, window: Window): Promise<void> {
  const placed = (lines: Uint8Array[], random: () => number) =>
    [...lines, ...lines].map((line) => ({ line, at: DELIVERIES * random() }));
  const sent = [
    ...placed([tree(window.tenant, rules)], randomOf(seed - 1)),
    ...plants.flatMap((plant) =>
      placed(events(window.tenant, plant, compile, 17), randomOf(turnOf(plant.machine, seed))),
    ),
  ].sort((a, b) => a.at - b.at);
  const roller = new Roller(engine);
  for (let i = 0; i < DELIVERIES; i++) {
    await engine.insertEvents(joined(sent.filter(({ at }) => Math.floor(at) === i).map(({ line }) => line)));
    await roller.exact({ ...window, to_us: window.to_us - i * 6 * HOUR_US });
  }
  await roller.exact(window);
}

/** One tree of reasons for all machines of a tenant. */
const tree = (tenant: string, rules: Sweep["rules"]): Uint8Array =>
  event(tenant, "", "mtc.reasons.v1", {
    reasons: {
      code: rules.map(({ code }) => code),
      name: rules.map(({ code }) => code),
      parent: rules.map(() => ""),
      policy: rules.map(() => ""),
      category: rules.map(() => ""),
      treatment: rules.map(() => "loss"),
      loss: rules.map(() => ""),
      rule_code: rules.map(({ code }) => code),
      rule_condition: rules.map(({ condition }) => condition),
      rule_native: rules.map(({ native }) => native),
      rule_machines: rules.map(() => []),
      since_us: 0,
    },
  });

async function compareStates({ engine, window, accounts }: Asked, filter: Filter): Promise<void> {
  const rows = Map.groupBy(
    (await states(engine, { ...window, filter })).rows,
    ({ machine_id }) => machine_id,
  );
  for (const account of accounts) {
    const { machine } = account.plant;
    const own = rows.get(machine) ?? [];
    const got = own.map((row) => [row.from, row.to, row.state, row.reason, row.reason_from, row.cause]);
    expect(got, `states of ${machine} ${JSON.stringify(filter)}`).toEqual(stretchesOf(account, filter));
  }
}

/** Every cut, of all machines and of a few. */
async function compareCuts(asked: Asked): Promise<void> {
  const total = totalOf(asked.accounts);
  for (const [i, by] of OEE_CUTS.entries()) {
    await compareCut(asked, by, {}, total);
    const own = few(asked, i);
    if (asked.accounts.length > FEW) await compareCut(own, by, {}, totalOf(own.accounts));
  }
}

/** @param total what is expected of all of it */
async function compareCut(asked: Asked, by: OeeCut, filter: Filter, total: Figures): Promise<void> {
  const { engine, window, accounts, inForce } = asked;
  const groups = window.machines.map(groupOf);
  const report = await oee(engine, { ...window, by, groups, filter }, Promise.resolve(inForce));
  const what = `${by} of ${window.machines.length} machines ${JSON.stringify(filter)}`;
  const all = new Map([["", total]]);
  expect(differences(report.total ? [report.total] : [], all), `total, ${what}`).toEqual([]);
  expect(differences(report.rows, by === "total" ? all : rowsOf(accounts, by, filter)), what).toEqual([]);
}

/** What a filter leaves is what carries the value, by a third of the cuts in each sweep; and each value that there is, is listed. */
async function compareFiltered(asked: Asked): Promise<void> {
  const { engine, seed, window, accounts } = asked;
  const listed = await filters(engine, window);
  const found = [listed.shifts, listed.parts, listed.lots, listed.orders].map((values) => values.toSorted());
  expect(found).toEqual((["shift", "part", "lot", "order"] as const).map((kind) => valuesOf(accounts, kind)));
  for (const [i, by] of OEE_CUTS.entries()) {
    const filter = FILTERS[(seed + i) % FILTERS.length] ?? {};
    if ((seed + i) % 3 === 0) await compareCut(asked, by, filter, totalOf(accounts, filter));
  }
  await compareStates(asked, FILTERS[seed % FILTERS.length] ?? {});
}

/** Over all machines: the value of the OEE query, and each machine's as its own row has it. */
async function compareTogether({ engine, seed, window, inForce }: Asked): Promise<void> {
  const known = Promise.resolve(inForce);
  const machines = (await oee(engine, { ...window, by: "machine" }, known)).rows;
  for (const figure of FIGURES.filter((_, i) => i % 10 === seed % 10)) {
    const query = { ...window, figure, by: "total" as const, key: "", groups: [] };
    const found = await explain(engine, query, undefined, known);
    expect(found?.machines.map(({ machine_id }) => machine_id)).toEqual(window.machines);
    for (const { machine_id, value } of found?.machines ?? []) {
      const row = machines.find(({ key }) => key === machine_id);
      if (row) expectTold(value, row, figure, machine_id);
    }
  }
}

/** Beyond this, 285 years, JavaScript rounds the µs that the engine adds up. */
const EXACT_S = 2 ** 53 / 1e6;

/** What an explanation adds up is the row's figure: to the last digit, but where a leap made ideal time of centuries. */
function expectTold(value: number | null, row: OeeRow, figure: Figure, what: string): void {
  const wanted = row[figure];
  const ideal_s = Math.abs(row.run_time_s - (row.speed_loss_s ?? row.run_time_s));
  if (value === null || wanted === null || ideal_s < EXACT_S) expect(value, `${what} ${figure}`).toBe(wanted);
  else
    expect(Math.abs(value - wanted), `${what} ${figure}`).toBeLessThanOrEqual(
      1e-12 * Math.max(1, Math.abs(wanted), ideal_s),
    );
}

/** Rows of a cut that are worth a look: the first, one from the middle, and the last. */
const some = <T>(rows: T[]): T[] => [
  ...new Set([0, rows.length >> 1, rows.length - 1].flatMap((i) => rows[i] ?? [])),
];

/** The cuts beside the total that explanations are asked of, one for a machine. */
const EXPLAINED_CUTS = OEE_CUTS.filter((by) => by !== "total" && by !== "group");

/** One machine of twelve. */
async function compareExplained(asked: Asked): Promise<void> {
  for (const [i, { plant }] of asked.accounts.entries())
    if (turnOf(plant.machine, asked.seed) % EXPLAINED === 0) await compareMachine(only(asked, [i]));
}

/** Every figure of a machine follows from the intervals and counts that its explanation lists, to the last digit. */
async function compareMachine(asked: Asked): Promise<void> {
  const { engine, seed, window, accounts, inForce } = asked;
  const [{ plant }] = accounts as [Account];
  const turn = Math.floor(turnOf(plant.machine, seed) / EXPLAINED);
  const round = Math.floor(turn / EXPLAINED_CUTS.length);
  const filter = round % 2 === 0 ? {} : (FILTERS[(turn + round) % FILTERS.length] ?? {});
  for (const by of ["total", EXPLAINED_CUTS[turn % EXPLAINED_CUTS.length] ?? "shift"] as const) {
    const { rows } = await oee(engine, { ...window, by, filter }, Promise.resolve(inForce));
    for (const [i, { machine_id: _, ...row }] of some(rows).entries()) {
      const figure = FIGURES[(turn + i) % FIGURES.length] ?? "oee";
      const what = `${plant.machine} ${by} ${row.key} ${JSON.stringify(filter)}`;
      const listed = await explanation(asked, { figure, by, filter, row }, what);
      const anyIdeal = (plant.cycle_times ?? []).length > 0;
      const again = figuresFrom(listed, anyIdeal || listed.nothing);
      for (const name of FIGURES) expectTold(again[name], row, name, what);
      const interval = listed.intervals[turn % Math.max(1, listed.intervals.length)];
      if (i === 0 && interval) await compareStateAt(asked, interval);
    }
  }
}

/** All pages of an explanation; each has the row and the figure's value. */
async function explanation(
  { engine, window, inForce }: Asked,
  { figure, by, filter, row }: { figure: Figure; by: OeeCut; filter: Filter; row: OeeRow },
  what: string,
): Promise<Pick<ExplainPage, "intervals" | "counts"> & { nothing: boolean }> {
  const query = { ...window, filter, figure, by, key: row.key, groups: [] };
  const listed: Pick<ExplainPage, "intervals" | "counts"> = { intervals: [], counts: [] };
  for (let after_us = 0; ; ) {
    const page = await explain(engine, query, { after_us, limit: 60 }, Promise.resolve(inForce));
    expect(page, what).toMatchObject({ figure, value: row[figure], row });
    if (!page) throw new Error("an explanation that is none matched");
    const nothing = page.sums.length === 0;
    expect(page.machines).toHaveLength(nothing ? 0 : 1);
    for (const { value } of page.machines) expectTold(value, row, figure, what);
    listed.intervals.push(...page.intervals);
    listed.counts.push(...page.counts);
    if (page.next_us === null) return { ...listed, nothing };
    after_us = page.next_us;
  }
}

/** The state at an interval's start, and the same by the live rule over the values that are told for it. */
async function compareStateAt(
  { engine, window, missing }: Asked,
  { from, state, reason, cause }: ExplainInterval,
): Promise<void> {
  const [machine = ""] = window.machines;
  const at_us = us(from) + Number(from.slice(23, 26));
  const at = await stateAt(engine, { tenant: window.tenant, machine, at_us });
  expect(at, `${machine} ${from}`).toMatchObject({ state, reason, cause });
  const own = missing.filter(({ machine_id }) => machine_id === machine);
  const isMissing = own.some((gap) => gap.from <= from && (gap.to === "" || from < gap.to));
  const values = new Map(at?.values.map(({ signal, value }) => [signal, value]));
  expect(ruleOf(values, isMissing).state, `${machine} ${from}`).toBe(at?.state as StateRow["state"]);
}
