// /api/v1/machines: machines, their calendars, cycle times and policy, and operators' entries.
import { Elysia, t } from "elysia";
import { CalendarInput, calendarAt, calendarsOf } from "../../../ingest/calendar.ts";
import { maskedSource } from "../../../ingest/sources/credentials.ts";
import type { MachineSource } from "../../../ingest/sources/model.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import { dedupeOf } from "../../plugins/idempotency.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import { Counts, CycleTimes, Lot, MachinePatch, NewMachine, Policy, Rejects, Spike } from "./model.ts";
import type { Machines } from "./service.ts";

const params = t.Object({ id: t.String() });
const tags = ["Machines"];

/** A machine as outsiders see it. */
const shown = ({ tenant_id: _, source_since_ms: __, created_ms, calendar, source, ...machine }: Machine) => ({
  ...machine,
  source: maskedSource(source as MachineSource),
  calendar: calendarAt(calendarsOf(calendar), Date.now()),
  created: new Date(created_ms).toISOString(),
});

export const machinesModule = (machines: Machines, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/machines" })
    .use(auth(keys))
    .use(jsonBodies)
    .get(
      "",
      ({ caller, query }) => answer(query.format, { rows: machines.list(caller.tenant_id).map(shown) }),
      {
        query: t.Object({ format: Format }),
        scope: "read",
        detail: { tags, summary: "All machines" },
      },
    )
    .post(
      "",
      async ({ caller, body, set }) => {
        set.status = 201;
        return shown(await machines.create(caller.tenant_id, body));
      },
      { scope: "admin", ...exactly(NewMachine), detail: { tags, summary: "Add a machine" } },
    )
    .get("/:id", ({ caller, params }) => shown(machines.get(caller.tenant_id, params.id)), {
      scope: "read",
      params,
      detail: { tags, summary: "One machine" },
    })
    .patch(
      "/:id",
      async ({ caller, params, body }) => shown(await machines.patch(caller.tenant_id, params.id, body)),
      {
        scope: "admin",
        params,
        ...exactly(MachinePatch),
        detail: { tags, summary: "Change its name, source or rules" },
      },
    )
    .delete(
      "/:id",
      async ({ caller, params, set }) => {
        await machines.delete(caller.tenant_id, params.id);
        set.status = 204;
      },
      { scope: "admin", params, detail: { tags, summary: "Delete a machine; its history stays" } },
    )
    .put(
      "/:id/calendar",
      async ({ caller, params, body }) => {
        await machines.setCalendar(caller.tenant_id, params.id, body);
        return body;
      },
      {
        scope: "admin",
        params,
        ...exactly(CalendarInput),
        detail: { tags, summary: "Shifts, breaks, exceptional days" },
      },
    )
    .get(
      "/:id/calendar",
      ({ caller, params }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const now = calendarAt(calendarsOf(machine.calendar), Date.now());
        if (!now) throw notFound("calendar");
        return now;
      },
      { scope: "read", params, detail: { tags, summary: "The calendar that holds now" } },
    )
    .get(
      "/:id/calendars",
      ({ caller, params }) => ({ rows: calendarsOf(machines.get(caller.tenant_id, params.id).calendar) }),
      { scope: "read", params, detail: { tags, summary: "All calendars, in the order in which they hold" } },
    )
    .put(
      "/:id/cycle-times",
      async ({ caller, params, body }) => {
        await machines.setCycleTimes(caller.tenant_id, params.id, body);
        return body;
      },
      {
        scope: "admin",
        params,
        ...exactly(CycleTimes),
        detail: { tags, summary: "Ideal cycle times by part" },
      },
    )
    .get(
      "/:id/cycle-times",
      ({ caller, params, query }) => {
        const rows = machines.get(caller.tenant_id, params.id).cycle_times as CycleTimes;
        return answer(query.format, { rows });
      },
      {
        scope: "read",
        params,
        query: t.Object({ format: Format }),
        detail: { tags, summary: "Ideal cycle times by part" },
      },
    )
    .put("/:id/policy", ({ caller, params, body }) => machines.setPolicy(caller.tenant_id, params.id, body), {
      scope: "admin",
      params,
      ...exactly(Policy),
      detail: { tags, summary: "What counts as loss" },
    })
    .post(
      "/:id/rejects",
      async ({ caller, params, body, headers, set }) => {
        set.status = 201;
        const dedupe = dedupeOf(headers["idempotency-key"], JSON.stringify(body));
        return { event_id: await machines.addRejects(caller.tenant_id, params.id, body, dedupe) };
      },
      { scope: "operate", params, ...exactly(Rejects), detail: { tags, summary: "Enter rejects" } },
    )
    .post(
      "/:id/counts",
      async ({ caller, params, body, headers, set }) => {
        set.status = 201;
        const dedupe = dedupeOf(headers["idempotency-key"], JSON.stringify(body));
        return { event_id: await machines.addCounts(caller.tenant_id, params.id, body, dedupe) };
      },
      {
        scope: "operate",
        params,
        ...exactly(Counts),
        detail: { tags, summary: "Enter parts of a machine that does not count them itself" },
      },
    )
    .post(
      "/:id/lots",
      async ({ caller, params, body, headers, set }) => {
        set.status = 201;
        const dedupe = dedupeOf(headers["idempotency-key"], JSON.stringify(body));
        return { event_id: await machines.addLot(caller.tenant_id, params.id, body, dedupe) };
      },
      { scope: "operate", params, ...exactly(Lot), detail: { tags, summary: "Start a lot" } },
    )
    .post(
      "/:id/spikes",
      async ({ caller, params, body, headers, set }) => {
        set.status = 201;
        const dedupe = dedupeOf(headers["idempotency-key"], JSON.stringify(body));
        return { event_id: await machines.decideSpike(caller.tenant_id, params.id, body, dedupe) };
      },
      {
        scope: "operate",
        params,
        ...exactly(Spike),
        detail: { tags, summary: "Say whether a counter's leap was real" },
      },
    );
