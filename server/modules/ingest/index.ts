// POST /internal/machines/{id}/data: observations over HTTP as rows, columns or lines.
import type { TSchema } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { ObservationColumns } from "../../../ingest/event.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { ObservationRow, ObservationRows, parseBody } from "../../../ingest/sources/http/parse.ts";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { checkKey, dedupeOf, idempotencyConflict } from "../../plugins/idempotency.ts";
import type { Machines } from "../machines/service.ts";
import { BodyBudget, withBody } from "./body.ts";

export const ingestModule = (machines: Machines, pipeline: Pipeline, keys: Keys) => {
  const budget = new BodyBudget();
  return new Elysia().use(auth(keys)).post(
    "/internal/machines/:id/data",
    ({ caller, params, request, set }) => {
      const machine = machines.get(caller.tenant_id, params.id);
      const { headers } = request;
      const lines = headers.get("content-type")?.toLowerCase().startsWith("application/x-ndjson") ?? false;
      const key = headers.get("idempotency-key");
      checkKey(key);
      return withBody(request, budget, async (body) => {
        const { columns, bytes, rows } = parseBody(body, lines, Date.now() * 1_000);
        const { outcome, event_id } = await pipeline.observe(machine, bytes, columns, dedupeOf(key, body));
        if (outcome === "conflict") throw idempotencyConflict();
        set.status = 202;
        return { event_id, accepted: rows };
      });
    },
    {
      scope: "ingest",
      parse: "none",
      params: t.Object({ id: t.String() }),
      detail: {
        tags: ["Ingest"],
        summary: "Post observations; 202 once they are durable",
        description: "A body may be packed once, with `content-encoding: gzip` or `zstd`.",
        requestBody: {
          required: true,
          content: {
            "application/json": { schema: schemaOf(t.Union([ObservationRows, ObservationColumns])) },
            "application/x-ndjson": { schema: schemaOf(ObservationRow) },
          },
        },
      },
    },
  );
};

/** TypeBox's schemas are JSON Schema, whatever the names of their types. */
const schemaOf = (schema: TSchema): object => JSON.parse(JSON.stringify(schema));
