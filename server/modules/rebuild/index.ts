// /api/v1/rebuild: analytics anew from the log, a range of days or everything.
import { Elysia } from "elysia";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import { RebuildInput } from "./model.ts";
import type { Rebuilds } from "./service.ts";

const tags = ["Rebuild"];

export const rebuildModule = (rebuilds: Rebuilds, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/rebuild" })
    .use(auth(keys))
    .use(jsonBodies)
    .post(
      "",
      async ({ body, set }) => {
        set.status = 202;
        return rebuilds.start(body);
      },
      {
        scope: "admin",
        ...exactly(RebuildInput),
        detail: {
          tags,
          summary: "Make analytics anew from the log",
          description:
            "Days [from, to), or everything, of all tenants. Ingest and figures go on meanwhile; GET tells how far it is.",
        },
      },
    )
    .get(
      "",
      async () => {
        const last = await rebuilds.last();
        if (!last) throw notFound("rebuild");
        return last;
      },
      { scope: "admin", detail: { tags, summary: "The rebuild under way, or the last one" } },
    );
