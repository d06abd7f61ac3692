// What a report's URL asks for; the other way round it is written by views/components/asked.ts.
import { calendarsOf } from "../../../ingest/calendar.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { type Asked, ONLY, type Only, type Shell, WITHOUT } from "../../../views/index.ts";
import { periodOf } from "../../plant-time.ts";

/** Forms leave empty what is not narrowed; "~" is what has none. */
const told = (value: string | null): string | undefined =>
  value === null || value === "" ? undefined : value === WITHOUT ? "" : value;

/**
 * @param path of the report: the plant's, or a machine's
 * @param own machines whose shifts "this shift" means: the plant's all, or the one
 */
export function askedOf(url: string, path: string, own: Machine[], shell: Shell): Asked {
  const { searchParams } = new URL(url);
  const calendars = own.map(({ calendar }) => calendarsOf(calendar)).find(({ length }) => length > 0) ?? [];
  return {
    path,
    period: periodOf(Object.fromEntries(searchParams), calendars, shell.timezone, shell.now_ms),
    only: Object.fromEntries(ONLY.map((name) => [name, told(searchParams.get(name))])) as Only,
    // A form's boxes come one by one, a link's machines in one.
    machines: searchParams.getAll("machine").flatMap((ids) => ids.split(",").filter(Boolean)),
    group: told(searchParams.get("group")),
    pareto: searchParams.get("pareto") === "count" ? "count" : "time",
    sort: searchParams.get("sort") ?? "",
  };
}
