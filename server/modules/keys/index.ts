// /api/v1/keys: API keys with scopes. A key is shown once, when it is made.
import { Elysia, t } from "elysia";
import { Shown } from "../../../ingest/names.ts";
import { type Keys, SCOPES } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";

const tags = ["Keys"];
export const NewKey = t.Object(
  {
    name: Shown({ minLength: 1, maxLength: 200 }),
    scopes: t.Array(t.Union(SCOPES.map((scope) => t.Literal(scope))), { minItems: 1, uniqueItems: true }),
  },
  { additionalProperties: false },
);

export const keysModule = (keys: Keys) =>
  new Elysia({ prefix: "/api/v1/keys" })
    .use(auth(keys))
    .use(jsonBodies)
    .get("", ({ caller, query }) => answer(query.format, { rows: keys.list(caller.tenant_id) }), {
      query: t.Object({ format: Format }),
      scope: "admin",
      detail: { tags, summary: "All keys, without their secrets" },
    })
    .post(
      "",
      async ({ caller, body, set }) => {
        set.status = 201;
        const { record, key } = await keys.create(caller.tenant_id, body.name, body.scopes);
        return { id: record.id, name: record.name, scopes: record.scopes, key };
      },
      { scope: "admin", ...exactly(NewKey), detail: { tags, summary: "Make a key; it is shown this once" } },
    )
    .delete(
      "/:id",
      async ({ caller, params, set }) => {
        if (!(await keys.delete(caller.tenant_id, params.id))) throw notFound("key", params.id);
        set.status = 204;
      },
      { scope: "admin", params: t.Object({ id: t.String() }), detail: { tags, summary: "Revoke a key" } },
    );
