// The cells of a window as the policies in force judge them: what every figure and every loss is summed from.
import type { MachinePolicy } from "../policies.ts";
import { type Filtered, filterParams, isFilter, type Window, windowParams } from "../window.ts";
import cellsOfDays from "./cells-of-days.sql" with { type: "text" };
import cellsOfHours from "./cells-of-hours.sql" with { type: "text" };
import cellsOfPieces from "./cells-of-pieces.sql" with { type: "text" };
import cellsOfTotals from "./cells-of-totals.sql" with { type: "text" };
import judged from "./judged.sql" with { type: "text" };

const DAY_US = 86_400_000_000;
const date = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/**
 * "hour" where hours are asked for, "fine" where shifts, parts, lots or orders are, "coarse" where neither; "pieces" where
 * the window holds no whole day: a query that reads no sums is planned in three quarters of the time.
 */
export type Grain = "hour" | "fine" | "coarse" | "pieces";
const cells = (...parts: string[]): string => `cells AS\n(\n${parts.join("UNION ALL\n")})`;
export const CELLS: Record<Grain, string> = {
  hour: cells(cellsOfHours, cellsOfPieces),
  fine: cells(cellsOfDays, cellsOfPieces),
  coarse: cells(cellsOfTotals, cellsOfPieces),
  pieces: cells(cellsOfPieces),
};
/** What a query must read that needs no more than `grain` by itself: a filter needs the fine one. */
export function grainFor(grain: Exclude<Grain, "pieces">, window: Filtered): Grain {
  const [first, last] = wholeDays(windowParams(window));
  if (first === last) return "pieces";
  return grain === "coarse" && isFilter(window.filter) ? "fine" : grain;
}

/** The days (UTC, since 1970) that lie in the window as a whole: [first, last). */
function wholeDays({ from_us, end_us }: { from_us: number; end_us: number }): [first: number, last: number] {
  const first = Math.ceil(from_us / DAY_US);
  return [first, Math.max(first, Math.floor(end_us / DAY_US))];
}

const overJudged = (grain: Grain, select: string, more: string[]): string =>
  `WITH\n${[CELLS[grain], judged, ...more].join(",\n")}\n${select}`;

/** Puts a query's SELECT behind `judged` and `more`, lists of CTEs, over the cells of each grain. */
export const byGrain = (select: string, ...more: string[]): Record<Grain, string> => ({
  hour: overJudged("hour", select, more),
  fine: overJudged("fine", select, more),
  coarse: overJudged("coarse", select, more),
  pieces: overJudged("pieces", select, more),
});

/** Puts a query's SELECT behind the cells alone, the fine ones. */
export const overCells = (select: string): string => `WITH\n${CELLS.fine}\n${select}`;

/**
 * The parameters of `cells`.
 * @param pieces what is asked for is in no sums: whole days are read as pieces as well
 */
export function cellParams(window: Window, pieces = false) {
  const params = windowParams(window);
  const [first, last] = wholeDays(params);
  return { ...params, whole_from: date(first), whole_to: date(pieces ? first : last) };
}

/**
 * The parameters of `judged`.
 * @param inForce the policy of each of the window's machines, in their order
 * @param pieces as `cellParams` takes it
 */
export function judgedParams(window: Filtered, inForce: MachinePolicy[], pieces = false) {
  const excluded = inForce.flatMap(({ reasons }, i) =>
    Object.entries(reasons).flatMap(([code, treatment]) =>
      treatment === "excluded" ? [[i + 1, code] as const] : [],
    ),
  );
  return {
    ...cellParams(window, pieces),
    ...filterParams(window.filter),
    unknown_excluded: inForce.map(({ unknown }) => Number(unknown === "excluded")),
    ideal_listed: inForce.map(({ ideal_listed }) => Number(ideal_listed)),
    codes: Object.keys(inForce[0]?.losses ?? {}),
    losses: Object.values(inForce[0]?.losses ?? {}),
    excluded_of: excluded.map(([place]) => place),
    excluded_reasons: excluded.map(([, code]) => code),
  };
}
