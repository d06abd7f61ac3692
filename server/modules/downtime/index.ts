// /api/v1/machines/{id}/downtime: reasons for stops, said, changed, split and merged by operators.
import { Elysia, t } from "elysia";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { dedupeOf } from "../../plugins/idempotency.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import { windowOf } from "../analytics/index.ts";
import type { Machines } from "../machines/service.ts";
import { Downtime, DowntimePatch, Merge, Split } from "./model.ts";
import type { Annotations } from "./service.ts";

const tags = ["Downtime"];
const params = t.Object({ id: t.String() });
const one = t.Object({ id: t.String(), annotation: t.String() });
const Time = t.Optional(t.String({ description: "RFC 3339 with its zone, up to µs" }));

type Asked = {
  caller: { id: string };
  headers: Record<string, string | undefined>;
  params: { id: string; annotation?: string };
  body?: unknown;
};
/** The same words about another annotation are not the same change. */
const saying = ({ caller, headers, params: { annotation }, body }: Asked) => ({
  by: caller.id,
  dedupe: dedupeOf(
    headers["idempotency-key"],
    JSON.stringify(annotation === undefined ? body : [annotation, body]),
  ),
});

/** With the name of whoever said it, as it is now; the id where they are gone. */
const named = <Said extends { by: string }>(keys: Keys, said: Said): Said & { by_name: string } => ({
  ...said,
  by_name: keys.nameOf(said.by),
});

export const downtimeModule = (machines: Machines, annotations: Annotations, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/machines/:id/downtime" })
    .use(auth(keys))
    .use(jsonBodies)
    .get(
      "",
      async ({ caller, params, query }) => {
        const rows = await annotations.list(machines.get(caller.tenant_id, params.id), windowOf(query));
        return answer(query.format, { rows: rows.map((row) => named(keys, row)) });
      },
      {
        scope: "read",
        params,
        query: t.Object({ from: Time, to: Time, format: Format }),
        detail: { tags, summary: "Reasons that operators gave, as they hold" },
      },
    )
    .post(
      "",
      ({ set, ...asked }) => {
        set.status = 201;
        const machine = machines.get(asked.caller.tenant_id, asked.params.id);
        return annotations.add(machine, asked.body, saying(asked));
      },
      { scope: "operate", params, ...exactly(Downtime), detail: { tags, summary: "Give a stop its reason" } },
    )
    .post(
      "/merge",
      (asked) => {
        const machine = machines.get(asked.caller.tenant_id, asked.params.id);
        return annotations.merge(machine, asked.body, saying(asked));
      },
      { scope: "operate", params, ...exactly(Merge), detail: { tags, summary: "Make one of several" } },
    )
    .get(
      "/:annotation",
      async ({ caller, params }) => {
        const machine = machines.get(caller.tenant_id, params.id);
        const { history, ...now } = await annotations.get(machine, params.annotation);
        return { ...named(keys, now), history: history.map((version) => named(keys, version)) };
      },
      { scope: "read", params: one, detail: { tags, summary: "One annotation, with all it ever was" } },
    )
    .patch(
      "/:annotation",
      (asked) => {
        const machine = machines.get(asked.caller.tenant_id, asked.params.id);
        return annotations.change(machine, asked.params.annotation, asked.body, saying(asked));
      },
      {
        scope: "operate",
        params: one,
        ...exactly(DowntimePatch),
        detail: { tags, summary: "Change its time, reason or note" },
      },
    )
    .delete(
      "/:annotation",
      (asked) => {
        const machine = machines.get(asked.caller.tenant_id, asked.params.id);
        return annotations.delete(machine, asked.params.annotation, saying({ ...asked, body: "delete" }));
      },
      { scope: "operate", params: one, detail: { tags, summary: "Take it back; its history stays" } },
    )
    .post(
      "/:annotation/split",
      (asked) => {
        const machine = machines.get(asked.caller.tenant_id, asked.params.id);
        return annotations.split(machine, asked.params.annotation, asked.body, saying(asked));
      },
      {
        scope: "operate",
        params: one,
        ...exactly(Split),
        detail: { tags, summary: "Split it in two, each with its own reason" },
      },
    );
