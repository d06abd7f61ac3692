// The cells of a window as the policies in force judge them: what every figure and every loss is summed from.
import type { MachinePolicy } from "../policies.ts";
import { type Filtered, filterParams, isFilter, type Window, windowParams } from "../window.ts";
import cells from "./cells.sql" with { type: "text" };
import judged from "./judged.sql" with { type: "text" };

const DAY_US = 86_400_000_000;
const date = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** Cells of whole days by nothing but days, states and reasons. */
const coarse = cells.replace("mtc.machine_day_sums", "mtc.machine_day_totals");

/** "fine" where shifts, parts, lots or orders are asked for. */
export type Grain = "fine" | "coarse";
/** What a query must read that needs no more than `grain` by itself: a filter needs the fine one. */
export const grainFor = (grain: Grain, { filter }: Filtered): Grain => (isFilter(filter) ? "fine" : grain);

const overJudged = (cells: string, select: string, more: string[]): string =>
  `WITH\n${[cells, judged, ...more].join(",\n")}\n${select}`;

/** Puts a query's SELECT behind `judged` and `more`, lists of CTEs, over the cells of either grain. */
export const byGrain = (select: string, ...more: string[]): Record<Grain, string> => ({
  fine: overJudged(cells, select, more),
  coarse: overJudged(coarse, select, more),
});

/** Puts a query's SELECT behind the cells alone, the fine ones. */
export const overCells = (select: string): string => `WITH\n${cells}\n${select}`;

/**
 * The parameters of `cells`.
 * @param by_hour the query cuts days by the hour, so it must not read their sums
 */
export function cellParams(window: Window, by_hour = false) {
  const params = windowParams(window);
  const first = Math.ceil(params.from_us / DAY_US);
  const last = by_hour ? first : Math.max(first, Math.floor(params.end_us / DAY_US));
  return { ...params, whole_from: date(first), whole_to: date(last) };
}

/**
 * The parameters of `judged`.
 * @param inForce the policy of each of the window's machines, in their order
 * @param by_hour the query cuts days by the hour, so it must not read their sums
 */
export function judgedParams(window: Filtered, inForce: MachinePolicy[], by_hour = false) {
  const excluded = inForce.flatMap(({ reasons }, i) =>
    Object.entries(reasons).flatMap(([code, treatment]) =>
      treatment === "excluded" ? [[i + 1, code] as const] : [],
    ),
  );
  return {
    ...cellParams(window, by_hour),
    ...filterParams(window.filter),
    unknown_excluded: inForce.map(({ unknown }) => Number(unknown === "excluded")),
    ideal_listed: inForce.map(({ ideal_listed }) => Number(ideal_listed)),
    codes: Object.keys(inForce[0]?.losses ?? {}),
    losses: Object.values(inForce[0]?.losses ?? {}),
    excluded_of: excluded.map(([place]) => place),
    excluded_reasons: excluded.map(([, code]) => code),
  };
}
