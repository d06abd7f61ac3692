// /account: who is signed in, and a new password for those who have one.
import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { badInput } from "../../../ingest/problem.ts";
import {
  Account,
  EMPTY_FORM,
  errorsByPath,
  type FormState,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import type { Caller, Keys } from "../../keys.ts";
import { sessionCookie } from "../../plugins/auth.ts";
import type { RateLimits } from "../../plugins/rate-limit.ts";
import { inputOf, posted, wrong } from "../admin/form.ts";
import type { Figures } from "../pages/figures.ts";
import { html, pageMaker } from "../pages/page.ts";
import { Password } from "../users/model.ts";

const NewPassword = Type.Object({ current: Type.String({ maxLength: 500 }), password: Password });

type Deps = { keys: Keys; figures: Figures; limits: RateLimits; log: (message: string) => void };

export const accountModule = ({ keys, figures, limits, log }: Deps) => {
  const page = pageMaker({ keys, figures, log });
  const shown = (shell: Shell, { kind, id }: Caller, form: FormState, changed: boolean): string =>
    renderPage(Account, { shell, kind, role: keys.users.byId(id)?.role ?? null, form, changed });

  /** The session that changed it goes on, as a new one; all others end. */
  async function change(
    request: Request,
    caller: Caller,
    { current, password }: Static<typeof NewPassword>,
  ): Promise<string> {
    const wasRight = await limits.signIn(`user:${caller.id}`);
    if (!(await keys.users.isPasswordOf(caller.id, current))) {
      const refused = badInput("/current", "wrong_password");
      keys.door.refused(request, refused.errors[0]?.detail ?? "", caller.name);
      throw refused;
    }
    wasRight();
    await keys.patchUser(caller.tenant_id, caller.id, { password });
    return keys.openSession(caller.id);
  }

  return new Elysia({ detail: { hide: true } })
    .get(
      "/account",
      page("read", (caller, shell, { query }) =>
        shown(shell, caller, EMPTY_FORM, query.changed !== undefined),
      ),
    )
    .post(
      "/account",
      page("read", async (caller, shell, { request }) => {
        const { fields } = await posted(request);
        try {
          const session = await change(request, caller, inputOf(NewPassword, fields));
          const cookie = sessionCookie(request, session);
          return new Response(null, {
            status: 303,
            headers: { location: "/account?changed", "set-cookie": cookie },
          });
        } catch (error) {
          const form = { values: {}, errors: errorsByPath(wrong(error)) };
          return html(request, shown(shell, caller, form, false), 422);
        }
      }),
      { parse: "none" },
    );
};
