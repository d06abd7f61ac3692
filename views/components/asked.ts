// A report's URL: what it was asked for, whole, so that it can be shared and comes back on reload.
import { type Asked, type By, ONLY, type Only, type PeriodKind } from "../model.ts";
import type { Whose } from "./why.tsx";

/** In a report's URL: only what has no part, no lot, no group. An empty field of its form is all. */
export const WITHOUT = "~";

type Change = Partial<Pick<Asked, "path" | "machines" | "group" | "pareto" | "sort">> & {
  /** Another period; `custom` is from `from` to `to`, instants. */
  kind?: PeriodKind;
  from?: string;
  to?: string;
  by?: By;
  only?: Partial<Only>;
};

const written = (value: string): string => (value === "" ? WITHOUT : value);

/** The same report with something changed: its path and query. */
export function reportPath(asked: Asked, change: Change = {}): string {
  const { period } = asked;
  const kind = change.kind ?? period.kind;
  const params = new URLSearchParams({ period: kind });
  if (kind === "custom") {
    params.set("from", change.from ?? period.from);
    params.set("to", change.to ?? period.to);
  }
  // Hours of a month, or one day as a chart, nobody asked for: another period has its own.
  const stays = change.kind === undefined || !["hour", "day"].includes(period.by);
  const by = change.by ?? (stays ? period.by : undefined);
  if (by !== undefined) params.set("by", by);
  const only = { ...asked.only, ...change.only };
  for (const name of ONLY) if (only[name] !== undefined) params.set(name, written(only[name]));
  const path = change.path ?? asked.path;
  if (path === "/dashboard") {
    const group = "group" in change ? change.group : asked.group;
    const machines = change.machines ?? asked.machines;
    if (group !== undefined) params.set("group", written(group));
    if (machines.length > 0) params.set("machine", machines.join(","));
  }
  const { pareto, sort } = { ...asked, ...change };
  if (pareto === "count") params.set("pareto", pareto);
  if (sort) params.set("sort", sort);
  return `${path}?${params}`;
}

/** A piece of the same report that is fetched by itself. */
export const piecePath = (asked: Asked, piece: "heat" | "bands" | "filters"): string =>
  reportPath(asked).replace("?", `/${piece}?`);

/** The same period for good, whenever the link is followed. */
export const fixedPath = (asked: Asked): string => reportPath(asked, { kind: "custom", by: asked.period.by });

/** Whose figures the report shows, for their explanations. */
export const whoseOf = ({ path, period, only, machines, group }: Asked): Whose => ({
  from: period.from,
  to: period.to,
  only,
  ...(path === "/dashboard"
    ? { machines, group }
    : { machine_id: decodeURIComponent(path.slice("/dashboard/".length)) }),
});

/**
 * The API's call that answers the rows that are shown.
 * @param to until when figures are known, which a page may know less of than the API
 */
export function apiPath(
  asked: Asked,
  call: "oee" | "losses" | "states",
  to: string,
  more: Record<string, string>,
): string {
  const { path, period, only, machines, group } = asked;
  const params = new URLSearchParams({ from: period.from, to, ...more });
  for (const name of ONLY) if (only[name] !== undefined) params.set(name, only[name]);
  if (path !== "/dashboard") return `/api/v1/machines${path.slice("/dashboard".length)}/${call}?${params}`;
  if (group !== undefined) params.set("group", group);
  if (machines.length > 0) params.set("machine", machines.join(","));
  return `/api/v1/${call}?${params}`;
}
