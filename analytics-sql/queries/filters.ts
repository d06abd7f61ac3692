// What figures can be filtered by: the shifts, parts, lots and orders of a window.
import type { Engine } from "../engine/engine.ts";
import { cellParams, overCells } from "./figures/judged.ts";
import sql from "./filters.sql" with { type: "text" };
import type { Filter, Window } from "./window.ts";

/** How many of each there are at the most in an answer. */
export const FILTER_VALUES = 500;

/** Each as `Filter` takes it, those of the latest time first; "" is among them where some time has none. */
export type Filters = {
  shifts: string[];
  parts: string[];
  lots: string[];
  orders: string[];
  /** There are more of some kind than are listed. */
  truncated: boolean;
};

const QUERY = overCells(sql);

/** @throws EngineError */
export async function filters(engine: Engine, window: Window): Promise<Filters> {
  const rows = await engine.query<{ kind: keyof Filter; value: string }>(QUERY, {
    ...cellParams(window),
    limit: FILTER_VALUES + 1,
  });
  const all = Map.groupBy(rows, ({ kind }) => kind);
  const of = (kind: keyof Filter): string[] =>
    (all.get(kind) ?? []).slice(0, FILTER_VALUES).map(({ value }) => value);
  return {
    shifts: of("shift"),
    parts: of("part"),
    lots: of("lot"),
    orders: of("order"),
    truncated: [...all.values()].some(({ length }) => length > FILTER_VALUES),
  };
}
