// The same questions asked of both engines, and their answers held against each other, figure by figure.
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { known } from "../../analytics-sql/move/known.ts";
import { lots, rejects } from "../../analytics-sql/queries/entries.ts";
import { gaps } from "../../analytics-sql/queries/gaps.ts";
import { losses } from "../../analytics-sql/queries/losses.ts";
import { type OeeCut, oee } from "../../analytics-sql/queries/oee.ts";
import { policies } from "../../analytics-sql/queries/policies.ts";
import { spikes } from "../../analytics-sql/queries/spikes.ts";
import { states } from "../../analytics-sql/queries/states.ts";
import type { Window } from "../../analytics-sql/queries/window.ts";
import { Roller } from "../../analytics-sql/rollup/roller.ts";

const DAY_US = 86_400_000_000;
/** Hours and states are asked for in stretches of this length: an answer is held in memory. */
const STRETCH_US = 366 * DAY_US;
/** The earliest time an observation may carry, 2000-01-01. */
const EARLIEST_US = 946_684_800_000_000;

/** Rows of an answer; each has what it is of in `key`, `from` or `ts`. */
type Row = Record<string, unknown>;
type Ask = (engine: Engine, window: Window) => Promise<Row[]>;
type Question = { cut: string; ask: Ask; long?: true };

const oeeBy =
  (by: OeeCut): Ask =>
  async (engine, window) =>
    (await oee(engine, { ...window, by })).rows;

/** Of each machine alone. */
const OF_A_MACHINE: Question[] = [
  ...(["total", "shift", "day", "part", "lot", "order"] as const).map((by) => ({
    cut: `OEE by ${by}`,
    ask: oeeBy(by),
  })),
  { cut: "OEE by hour", ask: oeeBy("hour"), long: true },
  { cut: "states", ask: async (engine, window) => (await states(engine, window)).rows, long: true },
  { cut: "losses", ask: async (engine, window) => (await losses(engine, window)).rows },
  { cut: "gaps", ask: async (engine, window) => (await gaps(engine, window)).rows },
  { cut: "rejects", ask: rejects },
  { cut: "lots", ask: lots },
  { cut: "spikes", ask: spikes },
  { cut: "policy", ask: policies },
];
/** Of all machines of a tenant together. */
const OF_ALL: Question[] = [
  ...(["total", "machine", "month"] as const).map((by) => ({ cut: `OEE by ${by}`, ask: oeeBy(by) })),
  { cut: "losses", ask: async (engine, window) => (await losses(engine, window)).rows },
];

/** A figure that is another one at the target. */
export type Difference = {
  machine: string;
  cut: string;
  row: string;
  column: string;
  before: unknown;
  after: unknown;
};

export type Held = { figures: number; rows: number; machines: number; differences: Difference[] };

export type Sides = { before: Engine; after: Engine; as_of_us: number };

/**
 * Asks over all known time and machines.
 * @param told how far it is
 * @param max of differences that are told: one machine's may be thousands
 * @throws EngineError
 */
export async function holdFigures(sides: Sides, max: number, told: (line: string) => void): Promise<Held> {
  const held: Held = { figures: 0, rows: 0, machines: 0, differences: [] };
  const [here, there] = await Promise.all([known(sides.before), known(sides.after)]);
  const names = (all: typeof here): string[] => all.map(({ tenant, machine }) => `${tenant}/${machine}`);
  const absent = (of: typeof here, others: typeof here, side: "before" | "after"): void => {
    for (const name of names(of).filter((name) => !names(others).includes(name)))
      held.differences.push({
        machine: name,
        cut: "machines",
        row: "",
        column: "",
        before: side === "before" ? "known" : "unknown",
        after: side === "after" ? "known" : "unknown",
      });
  };
  absent(here, there, "before");
  absent(there, here, "after");

  const tenants = Map.groupBy(here, ({ tenant }) => tenant);
  for (const [tenant, own] of tenants) {
    const machines = own.map(({ machine }) => machine);
    const since_us = Math.min(...own.map(({ since_us }) => since_us || sides.as_of_us));
    const from_us = Math.max(EARLIEST_US, since_us - (since_us % DAY_US));
    const window = { tenant, machines, from_us, to_us: sides.as_of_us, as_of_us: sides.as_of_us };
    told(`rolling up ${machines.length} machines from ${day(from_us)} on`);
    await Promise.all([new Roller(sides.before).exact(window), new Roller(sides.after).exact(window)]);
    for (const question of OF_ALL) await hold(sides, question, window, "all machines", held);
    for (const machine of machines) {
      for (const question of OF_A_MACHINE)
        await hold(sides, question, { ...window, machines: [machine] }, machine, held);
      held.machines += 1;
      if (held.machines % 10 === 0) told(`${held.machines} machines held against each other`);
      if (held.differences.length >= max) return held;
    }
  }
  return held;
}

async function hold(
  { before, after }: Sides,
  { cut, ask, long }: Question,
  window: Window,
  machine: string,
  held: Held,
): Promise<void> {
  for (const stretch of long ? stretches(window) : [window]) {
    const [was, is] = await Promise.all([ask(before, stretch), ask(after, stretch)]);
    held.rows += was.length;
    for (let i = 0; i < Math.max(was.length, is.length); i++) {
      const [a, b] = [was[i] ?? {}, is[i] ?? {}];
      const columns = new Set([...Object.keys(a), ...Object.keys(b)]);
      held.figures += columns.size;
      const column = [...columns].find((name) => !Bun.deepEquals(a[name], b[name]));
      if (column === undefined) continue;
      const row = nameOf(Object.keys(a).length > 0 ? a : b);
      held.differences.push({ machine, cut, row, column, before: a[column], after: b[column] });
      // The rows behind it are others for the same reason.
      break;
    }
  }
}

function* stretches(window: Window): Generator<Window> {
  for (let at = window.from_us; at < window.to_us; at += STRETCH_US)
    yield { ...window, from_us: at, to_us: Math.min(window.to_us, at + STRETCH_US) };
}

/** What a row is of, by the first of its names that says something. */
const nameOf = ({ key, from, ts, state, lot }: Row): string =>
  String([key, from, ts, state, lot].find((name) => name !== undefined && name !== "") ?? "");

const day = (ts_us: number): string => new Date(ts_us / 1_000).toISOString().slice(0, 10);
