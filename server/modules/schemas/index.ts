// /schemas/{type}.json: the JSON Schema that an event's `dataschema` names.
import { Elysia, t } from "elysia";
import { dataschema, EVENT_SCHEMAS, EVENT_TYPES } from "../../../ingest/event.ts";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";

export const schemasModule = (keys: Keys) =>
  new Elysia().use(auth(keys)).get(
    "/schemas/:file",
    ({ params, request }) => {
      const type = EVENT_TYPES.find((one) => dataschema(one) === `/schemas/${params.file}`);
      if (!type) throw notFound("schema", params.file);
      const $id = new URL(request.url).origin + dataschema(type);
      return { $schema: "https://json-schema.org/draft/2020-12/schema", $id, ...EVENT_SCHEMAS[type] };
    },
    {
      scope: "read",
      params: t.Object({ file: t.String() }),
      detail: { tags: ["Events"], summary: "The JSON Schema of an event type's data, e.g. mtc.gap.v1.json" },
    },
  );
