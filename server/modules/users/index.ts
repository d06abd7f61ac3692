// /api/v1/users: people, their roles and passwords.
import { Elysia, t } from "elysia";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import { NewUser, UserPatch } from "./model.ts";

const tags = ["Users"];
const params = t.Object({ id: t.String() });

export const usersModule = (keys: Keys) =>
  new Elysia({ prefix: "/api/v1/users" })
    .use(auth(keys))
    .use(jsonBodies)
    .get("", ({ caller, query }) => answer(query.format, { rows: keys.users.list(caller.tenant_id) }), {
      query: t.Object({ format: Format }),
      scope: "admin",
      detail: { tags, summary: "All users, without their passwords" },
    })
    .post(
      "",
      ({ caller, body, set }) => {
        set.status = 201;
        return keys.users.create(caller.tenant_id, body);
      },
      { scope: "admin", ...exactly(NewUser), detail: { tags, summary: "Make a user" } },
    )
    .patch("/:id", ({ caller, params, body }) => keys.patchUser(caller.tenant_id, params.id, body), {
      scope: "admin",
      params,
      ...exactly(UserPatch),
      detail: {
        tags,
        summary: "Change a user's name, role or password, or disable it",
        description: "All but a new name end the user's sessions at once.",
      },
    })
    .delete(
      "/:id",
      async ({ caller, params, set }) => {
        await keys.deleteUser(caller.tenant_id, params.id);
        set.status = 204;
      },
      { scope: "admin", params, detail: { tags, summary: "Delete a user" } },
    );
