// The reports over HTTP: OEE, states, observations, gaps, assets; as JSON or CSV.
import { Elysia, t } from "elysia";
import { badInput } from "../../../ingest/problem.ts";
import { time_us, within_us } from "../../../ingest/time.ts";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import type { ReportHooks } from "../../plugins/admission.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import type { Machines } from "../machines/service.ts";
import { type Filter, OEE_CUTS, type Reports } from "./service.ts";

const tags = ["Reports"];
const params = t.Object({ id: t.String() });
const Time = t.Optional(t.String({ description: "RFC 3339 with its zone, up to µs" }));
const span = { from: Time, to: Time, format: Format };
const By = t.Optional(t.Union(OEE_CUTS.map((cut) => t.Literal(cut))));

const DAY_US = 86_400_000_000;
/** What one chart may ask for. */
const MAX_SIGNALS = 16;
const MAX_HISTORY_US = 31 * DAY_US;

/** Where no window is given: the last day. */
export function windowOf({ from, to }: { from?: string | undefined; to?: string | undefined }): {
  from_us: number;
  to_us: number;
} {
  const to_us = to === undefined ? Date.now() * 1_000 : within_us(time_us(to, "/to"));
  const from_us = from === undefined ? to_us - DAY_US : within_us(time_us(from, "/from"));
  if (to_us <= from_us) throw badInput("/to", "not_after", { than: "from" });
  return { from_us, to_us };
}

/** Which of the tenant's machines: all, those of a group, or those named. */
const which = {
  machine: t.Optional(t.String({ description: "Ids of machines, separated by commas" })),
  group: t.Optional(t.String({ description: "The group of the machines" })),
};
const Ranked = t.Optional(
  t.Union([t.Literal("time"), t.Literal("count")], { description: "By time lost, or by how often" }),
);

/** What a filter leaves: the time and the parts that carry the values given; an empty value is where there is none. */
export const only = {
  shift: t.Optional(
    t.String({ description: "Of shifts of this name only; empty: outside of shifts, or without calendar" }),
  ),
  part: t.Optional(t.String({ description: "While this part was made; empty: while none was known" })),
  lot: t.Optional(t.String({ description: "While this lot was made; empty: while none was known" })),
  order: t.Optional(t.String({ description: "While this order was made; empty: while none was known" })),
};
export const filterOf = ({ shift, part, lot, order }: Filter): Filter => ({ shift, part, lot, order });

export const analyticsModule = (machines: Machines, reports: Reports, keys: Keys, admitted: ReportHooks) =>
  new Elysia({ prefix: "/api/v1" })
    .use(auth(keys))
    .get(
      "/oee",
      async ({ caller, query }) => {
        const own = machines.some(caller.tenant_id, query);
        return answer(
          query.format,
          await reports.oee(own, windowOf(query), query.by ?? "total", "exact", filterOf(query)),
        );
      },
      {
        scope: "read",
        ...admitted.exact,
        query: t.Object({ ...span, ...which, ...only, by: By }),
        detail: { tags, summary: "OEE over all machines, or some: sums first, ratios last" },
      },
    )
    .get(
      "/filters",
      ({ caller, query }) => reports.filters(machines.some(caller.tenant_id, query), windowOf(query)),
      {
        scope: "read",
        ...admitted.exact,
        query: t.Object({ from: Time, to: Time, ...which }),
        detail: {
          tags,
          summary:
            "Which shifts, parts, lots and orders there are in a window, the latest first, at most 500 of each",
        },
      },
    )
    .get(
      "/losses",
      async ({ caller, query }) => {
        const own = machines.some(caller.tenant_id, query);
        return answer(
          query.format,
          await reports.losses(own, windowOf(query), query.sort ?? "time", "exact", filterOf(query)),
        );
      },
      {
        scope: "read",
        ...admitted.exact,
        query: t.Object({ ...span, ...which, ...only, sort: Ranked }),
        detail: {
          tags,
          summary: "What scheduled time was lost to, over all machines, or some: Pareto's list",
        },
      },
    )
    .get(
      "/machines/:id/losses",
      async ({ caller, params, query }) => {
        const own = [machines.get(caller.tenant_id, params.id)];
        return answer(
          query.format,
          await reports.losses(own, windowOf(query), query.sort ?? "time", "exact", filterOf(query)),
        );
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({ ...span, ...only, sort: Ranked }),
        detail: { tags, summary: "What a machine's scheduled time was lost to, by time or by count" },
      },
    )
    .get(
      "/machines/:id/oee",
      async ({ caller, params, query }) => {
        const own = [machines.get(caller.tenant_id, params.id)];
        return answer(
          query.format,
          await reports.oee(own, windowOf(query), query.by ?? "total", "exact", filterOf(query)),
        );
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({ ...span, ...only, by: By }),
        detail: {
          tags,
          summary: "A machine's OEE by total, hour, shift, day, week, month, part, lot or order",
        },
      },
    )
    .get(
      "/machines/:id/states",
      async ({ caller, params, query }) => {
        const rows = await reports.states(
          machines.get(caller.tenant_id, params.id),
          windowOf(query),
          "exact",
          filterOf(query),
        );
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({ ...span, ...only }),
        detail: { tags, summary: "The state timeline" },
      },
    )
    .get(
      "/machines/:id/spikes",
      async ({ caller, params, query }) => {
        const rows = await reports.spikes(machines.get(caller.tenant_id, params.id), windowOf(query));
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object(span),
        detail: { tags, summary: "Leaps of counters: left out until they are accepted" },
      },
    )
    .get(
      "/machines/:id/rejects",
      async ({ caller, params, query }) => {
        const rows = await reports.rejects(machines.get(caller.tenant_id, params.id), windowOf(query));
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object(span),
        detail: { tags, summary: "Rejects that were entered" },
      },
    )
    .get(
      "/machines/:id/lots",
      async ({ caller, params, query }) => {
        const rows = await reports.lots(machines.get(caller.tenant_id, params.id), windowOf(query));
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object(span),
        detail: { tags, summary: "Lots and their orders" },
      },
    )
    .get(
      "/machines/:id/gaps",
      async ({ caller, params, query }) => {
        const rows = await reports.gaps(machines.get(caller.tenant_id, params.id), windowOf(query));
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object(span),
        detail: { tags, summary: "What is known to be missing, and why" },
      },
    )
    .get(
      "/machines/:id/observations",
      async ({ caller, params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const { signal, limit = 1_000, cursor } = query;
        const page = await reports.observations(machine, { ...windowOf(query), signal, limit, cursor });
        return answer(query.format, page);
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({
          ...span,
          signal: t.Optional(t.String()),
          limit: t.Optional(t.Integer({ minimum: 1, maximum: 100_000 })),
          cursor: t.Optional(t.String()),
        }),
        detail: { tags, summary: "Raw observations in the order of time" },
      },
    )
    .get(
      "/machines/:id/history",
      async ({ caller, params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const signals = [...new Set([query.signal].flat())];
        const window = windowOf(query);
        if (window.to_us - window.from_us > MAX_HISTORY_US)
          throw badInput("/from", "span_too_long", { days: MAX_HISTORY_US / DAY_US });
        return {
          signals: await reports.history(machine, { ...window, signals, points: query.points ?? 1_000 }),
        };
      },
      {
        scope: "read",
        ...admitted.chart,
        params,
        query: t.Object({
          from: Time,
          to: Time,
          signal: t.Union([t.String(), t.Array(t.String(), { maxItems: MAX_SIGNALS })]),
          points: t.Optional(
            t.Integer({
              minimum: 1,
              maximum: 4_000,
              description: "Columns of the chart; of each come four values at most",
            }),
          ),
        }),
        detail: { tags, summary: "Signals thinned for a chart: its line is that of all observations" },
      },
    )
    .get(
      "/machines/:id/assets",
      async ({ caller, params, query }) => {
        const { limit = 1_000, cursor = "" } = query;
        const page = await reports.assets(machines.get(caller.tenant_id, params.id), { limit, cursor });
        return answer(query.format, page);
      },
      {
        scope: "read",
        ...admitted.exact,
        params,
        query: t.Object({
          format: Format,
          limit: t.Optional(t.Integer({ minimum: 1, maximum: 100_000 })),
          cursor: t.Optional(t.String()),
        }),
        detail: { tags, summary: "Tools, files, fixtures: the newest of each, in the order of their ids" },
      },
    )
    .get(
      "/machines/:id/assets/:asset",
      async ({ caller, params }) => {
        const found = await reports.asset(machines.get(caller.tenant_id, params.id), params.asset);
        if (!found) throw notFound("asset", params.asset);
        return found;
      },
      {
        scope: "read",
        ...admitted.exact,
        params: t.Object({ id: t.String(), asset: t.String() }),
        detail: { tags, summary: "An asset with its document as the agent last gave it" },
      },
    );
