// /api/v1/reasons: the tenant's tree of reason codes.
import { Elysia, t } from "elysia";
import { ReasonsInput } from "../../../ingest/reasons.ts";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import type { Reasons } from "./service.ts";

const tags = ["Downtime"];

export const reasonsModule = (reasons: Reasons, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/reasons" })
    .use(auth(keys))
    .use(jsonBodies)
    .get(
      "",
      async ({ caller, query }) => answer(query.format, { rows: await reasons.list(caller.tenant_id) }),
      {
        scope: "read",
        query: t.Object({ format: Format }),
        detail: { tags, summary: "The tree of reason codes" },
      },
    )
    .put("", async ({ caller, body }) => ({ rows: await reasons.set(caller.tenant_id, body) }), {
      scope: "admin",
      ...exactly(ReasonsInput),
      detail: { tags, summary: "Set the tree of reason codes, with their policies and automatic rules" },
    });
