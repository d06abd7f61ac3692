// /admin/access: users and keys, made, changed and taken away by form.
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import {
  AdminAccess,
  type AdminAccessProps,
  errorsByPath,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import type { Caller, Keys } from "../../keys.ts";
import { notFound, Problem } from "../../plugins/errors.ts";
import { NewKey } from "../keys/index.ts";
import { type Context, html, type pageMaker } from "../pages/page.ts";
import { NewUser, UserPatch } from "../users/model.ts";
import { inputOf, type Posted, posted, wrong } from "./form.ts";

const HERE = "/admin/access";
const DONE = ["added", "changed", "deleted", "revoked"] as const;
type Done = (typeof DONE)[number];
const RolePatch = Type.Pick(UserPatch, ["role", "password"]);
/** What a form asks for, and whose form it is on the page. */
type Change = (caller: Caller, posted: Posted, id: string) => Promise<Done | { name: string; key: string }>;

export const accessPages = ({ keys }: { keys: Keys }, page: ReturnType<typeof pageMaker>) => {
  const shown = (shell: Shell, { tenant_id }: Caller, more: Partial<AdminAccessProps> = {}): string =>
    renderPage(AdminAccess, {
      shell,
      users: keys.users.list(tenant_id),
      keys: keys.list(tenant_id).map(({ id, name, scopes, created_ms }) => ({
        id,
        name,
        scopes,
        created: new Date(created_ms).toISOString(),
        used_ms: keys.usedAt(id) ?? null,
      })),
      forms: {},
      done: null,
      new_key: null,
      ...more,
    });

  /** After success the list anew, at its own address; a new key only in this answer. */
  const form = (whose: "user" | "key" | "id", change: Change) =>
    page("admin", async (caller, shell, context: Context) => {
      const id = context.params.id ?? "";
      const said = await posted(context.request);
      try {
        const done = await change(caller, said, id);
        if (typeof done !== "string") return html(context.request, shown(shell, caller, { new_key: done }));
        return new Response(null, { status: 303, headers: { location: `${HERE}?done=${done}` } });
      } catch (error) {
        const own = whose === "id" ? id : whose;
        const errors = errorsByPath(wrong(error, `/${own}`));
        const forms = { [own]: { values: said.fields, errors } };
        return html(context.request, shown(shell, caller, { forms }), 422);
      }
    });

  return new Elysia()
    .get(
      "/access",
      page("admin", (caller, shell, { query }) =>
        shown(shell, caller, { done: DONE.find((one) => one === query.done) ?? null }),
      ),
    )
    .post(
      "/access/users",
      form("user", async ({ tenant_id }, { fields }) => {
        await keys.users.create(tenant_id, inputOf(NewUser, fields, "/user"));
        return "added";
      }),
      { parse: "none" },
    )
    .post(
      "/access/users/:id",
      form("id", async ({ tenant_id }, { fields, act }, id) => {
        if (act === "delete") {
          await keys.deleteUser(tenant_id, id);
          return "deleted";
        }
        const patch = act === "" ? inputOf(RolePatch, fields, `/${id}`) : { disabled: act === "disable" };
        await keys.patchUser(tenant_id, id, patch);
        return "changed";
      }),
      { parse: "none" },
    )
    .post(
      "/access/keys",
      form("key", async ({ tenant_id }, { fields }) => {
        const { name, scopes } = inputOf(NewKey, fields, "/key");
        const { key } = await keys.create(tenant_id, name, scopes);
        return { name, key };
      }),
      { parse: "none" },
    )
    .post(
      "/access/keys/:id",
      form("id", async ({ tenant_id }, { act }, id) => {
        if (act !== "revoke") throw new Problem("nothing_asked", {});
        if (!(await keys.delete(tenant_id, id))) throw notFound("key", id);
        return "revoked";
      }),
      { parse: "none" },
    );
};
