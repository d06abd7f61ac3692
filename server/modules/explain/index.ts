// Explanations over HTTP: why a figure is what it is, and why a machine was in its state.
import { Elysia, t } from "elysia";
import { FIGURES, type Figure } from "../../../domain/figures.ts";
import { badInput } from "../../../ingest/problem.ts";
import { time_us } from "../../../ingest/time.ts";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import type { ReportHooks } from "../../plugins/admission.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import { filterOf, only, windowOf } from "../analytics/index.ts";
import { type Filter, OEE_CUTS } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Explanations } from "./service.ts";

const tags = ["Reports"];
const params = t.Object({ id: t.String() });
const Time = t.Optional(t.String({ description: "RFC 3339 with its zone, up to µs" }));
const asked = {
  figure: t.Union(
    FIGURES.map((figure) => t.Literal(figure)),
    { description: "A figure of an OEE row" },
  ),
  from: Time,
  to: Time,
  by: t.Optional(t.Union(OEE_CUTS.map((cut) => t.Literal(cut)))),
  key: t.Optional(t.String({ description: "With `by`: the row of that cut which is explained" })),
  ...only,
  format: Format,
};

/** Intervals and counts of one answer. */
const LISTED_ROWS = 2_000;

/** Which figure of which row; a row is named by `by` and `key` together. @throws BadInput */
export function askedOf(
  query: {
    figure: Figure;
    from?: string | undefined;
    to?: string | undefined;
    by?: (typeof OEE_CUTS)[number] | undefined;
    key?: string | undefined;
  } & Filter,
) {
  const { figure, by = "total", key } = query;
  if (by !== "total" && key === undefined) throw badInput("/key", "row_unnamed", { by });
  return { figure, by, key: key ?? "", filter: filterOf(query), ...windowOf(query) };
}

function cursor_us(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const after_us = Number(cursor);
  if (!/^\d{1,16}$/.test(cursor) || !Number.isSafeInteger(after_us)) {
    throw badInput("/cursor", "bad_cursor");
  }
  return after_us;
}

export const explainModule = (
  machines: Machines,
  explanations: Explanations,
  keys: Keys,
  admitted: ReportHooks,
) =>
  new Elysia({ prefix: "/api/v1" })
    .use(auth(keys))
    .get(
      "/explain",
      async ({ caller, query }) => {
        const found = await explanations.plant(machines.some(caller.tenant_id, query), askedOf(query));
        if (query.format === undefined || query.format === "json") return found;
        return answer(query.format, {
          rows: found.machines.map(({ machine_id, name, value, share, terms }) => ({
            machine_id,
            name,
            value,
            share,
            ...Object.fromEntries(terms.map((term) => [`${term.name}, ${term.unit}`, term.value])),
          })),
        });
      },
      {
        scope: "read",
        ...admitted.exact,
        query: t.Object({
          ...asked,
          machine: t.Optional(t.String({ description: "Ids of machines, separated by commas" })),
          group: t.Optional(t.String({ description: "The group of the machines" })),
        }),
        detail: {
          tags,
          summary:
            "Why a figure over all machines, or some, is what it is: formula, sums, each machine's part",
        },
      },
    )
    .get(
      "/machines/:id/explain",
      async ({ caller, params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const page = { after_us: cursor_us(query.cursor), limit: query.limit ?? LISTED_ROWS };
        const found = await explanations.machine(machine, askedOf(query), page);
        return query.format === undefined || query.format === "json"
          ? found
          : answer(query.format, { rows: found.intervals });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({
          ...asked,
          limit: t.Optional(t.Integer({ minimum: 1, maximum: 100_000 })),
          cursor: t.Optional(t.String()),
        }),
        detail: {
          tags,
          summary:
            "Why a machine's figure is what it is: formula, intervals, counts, policy, gaps; as CSV the intervals",
        },
      },
    )
    .get(
      "/machines/:id/explain/state",
      async ({ caller, params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const found = await explanations.state(machine, time_us(query.at, "/at"));
        if (!found) throw notFound("state", query.at);
        return found;
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({ at: t.String({ description: "RFC 3339 with its zone, up to µs" }) }),
        detail: {
          tags,
          summary: "Why a machine was in its state at an instant: the rule, and the values in force",
        },
      },
    );
