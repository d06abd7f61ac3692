// POST /internal/machines/{id}/data: observations over HTTP as rows, columns or lines.

import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { TSchema } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { ObservationColumns } from "../../../ingest/event.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { badInput } from "../../../ingest/problem.ts";
import { ObservationRow, ObservationRows, parseBody } from "../../../ingest/sources/http/parse.ts";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { MAX_BODY_BYTES, tooLarge } from "../../plugins/bodies.ts";
import { Problem } from "../../plugins/errors.ts";
import { bodyHash, idempotencyConflict, type Machines } from "../machines/service.ts";

const unzip = promisify(gunzip);

export const ingestModule = (machines: Machines, pipeline: Pipeline, keys: Keys) =>
  new Elysia().use(auth(keys)).post(
    "/internal/machines/:id/data",
    async ({ caller, params, request, set }) => {
      const machine = machines.get(caller.tenant_id, params.id);
      const body = await readBody(request);
      const lines = request.headers.get("content-type")?.startsWith("application/x-ndjson") ?? false;
      const { columns, bytes, rows } = parseBody(body, lines, Date.now() * 1_000);
      const key = request.headers.get("idempotency-key");
      const dedupe = key === null ? undefined : { key: idempotencyKey(key), body_hash: bodyHash(body) };
      const { outcome, event_id } = await pipeline.observe(machine, bytes, columns, dedupe);
      if (outcome === "conflict") throw idempotencyConflict();
      set.status = 202;
      return { event_id, accepted: rows };
    },
    {
      scope: "ingest",
      parse: "none",
      params: t.Object({ id: t.String() }),
      detail: {
        tags: ["Ingest"],
        summary: "Post observations; 202 once they are durable",
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

/** TypeBox's schemas are JSON Schema, whatever the names of their types. */
const schemaOf = (schema: TSchema): object => JSON.parse(JSON.stringify(schema));

/** The body, unpacked. @throws 413 over the bound, 415 for a packing we do not know */
async function readBody(request: Request): Promise<Uint8Array> {
  const packed = await readBounded(request);
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding === "identity") return packed;
  if (encoding !== "gzip") throw new Problem(415, "Unsupported media type", `content-encoding ${encoding}`);
  try {
    return await unzip(packed, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw badInput("", "not gzip, though content-encoding says so");
  }
}

/** Reads no further than the bound, whatever the length that was told, or not. */
async function readBounded(request: Request): Promise<Uint8Array> {
  if (request.headers.has("content-length")) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function idempotencyKey(key: string): string {
  if (key.length === 0 || key.length > 200) throw badInput("", "an Idempotency-Key has 1 to 200 characters");
  return key;
}
