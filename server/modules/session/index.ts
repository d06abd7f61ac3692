// /sign-in, /sign-out and /language: a password, an API key or a one-time link becomes a session cookie, a choice is remembered.
import { Elysia, t } from "elysia";
import { LANGUAGES, renderPage, SignIn, type SignInProps } from "../../../views/index.ts";
import type { Keys } from "../../keys.ts";
import { languageCookie } from "../../language.ts";
import { sessionCookie, sessionToken } from "../../plugins/auth.ts";
import { loginOf } from "../../users.ts";
import type { Figures } from "../pages/figures.ts";
import { html, shellFor } from "../pages/page.ts";
import { accountModule } from "./account.ts";
import { FailedTries } from "./tries.ts";

/**
 * A path on this site, or the wall: a sign-in never sends anyone elsewhere. Read as a browser would read it, which
 * drops tabs and line breaks and takes a backslash for a slash.
 */
export function safePath(next = "/hmi"): string {
  const here = "http://here";
  const url = URL.canParse(next, here) ? new URL(next, here) : undefined;
  const own = next.startsWith("/") && url?.origin === here && !url.pathname.startsWith("//");
  return own ? url.pathname + url.search : "/hmi";
}

/** Of the one who connects: behind a proxy that is the proxy, and its users share their failures for a minute. */
const addressOf = (
  server: { requestIP(request: Request): { address: string } | null } | null,
  request: Request,
): string => server?.requestIP(request)?.address ?? "";

const goTo = (location: string, cookie: string): Response =>
  new Response(null, { status: 303, headers: { location, "set-cookie": cookie } });

export const sessionModule = (keys: Keys, figures: Figures, log: (message: string) => void) => {
  const tries = new FailedTries();
  const names = new FailedTries();
  const form = (
    request: Request,
    error: SignInProps["error"],
    next: string,
    status = 200,
    name = "",
  ): Response =>
    html(
      request,
      renderPage(SignIn, { shell: shellFor(request, figures, undefined), error, next, name }),
      status,
    );

  /** Each try counts as failed until it is right: many at once are as many. */
  async function byPassword(address: string, name: string, password: string): Promise<string | undefined> {
    const login = loginOf(name);
    names.check(login);
    tries.failed(address);
    names.failed(login);
    const session = await keys.signInUser(name, password);
    if (session) {
      tries.forgive(address);
      names.forgive(login);
    }
    return session;
  }

  return new Elysia({ detail: { hide: true } })
    .use(accountModule({ keys, figures, log, tries: names }))
    .get(
      "/sign-in",
      async ({ query, request, server }) => {
        const next = safePath(query.next);
        if (query.token === undefined)
          return form(request, query.out === undefined ? null : "signed_out", next);
        const address = addressOf(server, request);
        tries.check(address);
        const session = await keys.useLink(query.token);
        if (!session) tries.failed(address);
        return session ? goTo(next, sessionCookie(request, session)) : form(request, "link_used", next, 401);
      },
      {
        query: t.Object({
          next: t.Optional(t.String()),
          token: t.Optional(t.String()),
          out: t.Optional(t.String()),
        }),
      },
    )
    .post(
      "/sign-in",
      async ({ body, request, server }) => {
        const next = safePath(body.next);
        const address = addressOf(server, request);
        tries.check(address);
        if ("key" in body) {
          const session = await keys.signIn(body.key.trim());
          if (!session) tries.failed(address);
          return session
            ? goTo(next, sessionCookie(request, session))
            : form(request, "wrong_key", next, 401);
        }
        const { name, password } = body;
        const session = await byPassword(address, name, password);
        if (session) return goTo(next, sessionCookie(request, session));
        return form(request, "wrong_password", next, 401, name);
      },
      {
        body: t.Union([
          t.Object({ key: t.String({ maxLength: 500 }), next: t.Optional(t.String()) }),
          t.Object({
            name: t.String({ maxLength: 200 }),
            password: t.String({ maxLength: 500 }),
            next: t.Optional(t.String()),
          }),
        ]),
      },
    )
    .post(
      "/language",
      ({ body, request }) => {
        const from = URL.parse(request.headers.get("referer") ?? "");
        return goTo(safePath(from ? from.pathname + from.search : undefined), languageCookie(body.language));
      },
      { body: t.Object({ language: t.Union(LANGUAGES.map((language) => t.Literal(language))) }) },
    )
    .post("/sign-out", async ({ request }) => {
      const token = sessionToken(request);
      if (token !== undefined) await keys.signOut(token);
      return goTo("/sign-in?out=1", sessionCookie(request, ""));
    });
};
