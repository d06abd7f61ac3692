// /sign-in, /sign-out and /language: a password, an API key or a one-time link becomes a session cookie, a choice is remembered.
import { Elysia, t } from "elysia";
import { LANGUAGES, renderPage, SignIn, type SignInProps } from "../../../views/index.ts";
import type { Keys } from "../../keys.ts";
import { languageCookie } from "../../language.ts";
import {
  cookieOf,
  KNOWN_COOKIE,
  knownCookie,
  refuseOtherSite,
  sessionCookie,
  sessionToken,
} from "../../plugins/auth.ts";
import { formBody } from "../../plugins/bodies.ts";
import { clientAddress } from "../../plugins/client-address.ts";
import type { RateLimits } from "../../plugins/rate-limit.ts";
import { loginOf } from "../../users.ts";
import type { Figures } from "../pages/figures.ts";
import { html, shellFor } from "../pages/page.ts";
import { accountModule } from "./account.ts";

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

const goTo = (location: string, ...cookies: string[]): Response =>
  new Response(null, {
    status: 303,
    headers: [["location", location], ...cookies.map((cookie): [string, string] => ["set-cookie", cookie])],
  });

type Deps = {
  keys: Keys;
  figures: Figures;
  limits: RateLimits;
  trusted_proxies: number;
  log: (message: string) => void;
};

export const sessionModule = ({ keys, figures, limits, trusted_proxies, log }: Deps) => {
  const form = (
    request: Request,
    error: SignInProps["error"],
    next: string,
    { status = 200, name = "", token = "" } = {},
  ): Response =>
    html(
      request,
      renderPage(SignIn, { shell: shellFor(request, figures, undefined), error, next, name, token }),
      status,
    );

  /**
   * What nobody guesses, a key or a link's token: the right one signs in however often others failed from the same address,
   * as behind a proxy that nobody told of.
   * @throws 429 where too many failed, or too many were right
   */
  async function byKey(
    request: Request,
    address: string,
    caller_id: string | undefined,
  ): Promise<string | undefined> {
    if (caller_id !== undefined) {
      limits.signedIn(`id:${caller_id}`);
      return keys.openSession(caller_id);
    }
    keys.door.refused(request, "the API key or the link is not known");
    await limits.signIn(`address:${address}`);
    return undefined;
  }

  /**
   * By name and password. Failures count against the address and the name, but of a browser that this user signed in from
   * before against that alone: others' failures do not shut it out.
   * @returns the cookies, or undefined where it is wrong
   * @throws 429, Overloaded
   */
  async function byPassword(
    request: Request,
    address: string,
    { name, password }: { name: string; password: string },
  ): Promise<string[] | undefined> {
    const login = loginOf(name);
    const known_token = cookieOf(request, KNOWN_COOKIE);
    const known = known_token !== undefined && (await keys.isKnownBrowser(known_token, login));
    limits.maySignIn(`login:${login}`);
    const names = known ? [`browser:${login}:${known_token}`] : [`address:${address}`, `name:${login}`];
    const who = keys.users.byLogin(login)?.name ?? "";
    let wasRight: () => void;
    try {
      wasRight = await limits.signIn(...names);
    } catch (error) {
      keys.door.refused(request, (error as Error).message, who);
      throw error;
    }
    const user = await keys.users.bySignIn(name, password);
    if (!user) {
      keys.door.refused(request, "the name or the password is wrong", who);
      return undefined;
    }
    wasRight();
    limits.signedIn(`login:${login}`);
    const session = sessionCookie(request, await keys.openSession(user.id));
    return known ? [session] : [session, knownCookie(request, await keys.knownBrowser(user.id))];
  }

  return new Elysia({ detail: { hide: true } })
    .use(accountModule({ keys, figures, limits, log }))
    .get(
      "/sign-in",
      // A link is only looked at here: what fetches links by itself, as chats and mail scanners do, must not use it up.
      ({ query: { next, token = "", out }, request }) =>
        form(request, out === undefined ? null : "signed_out", safePath(next), { token }),
      {
        query: t.Object({
          next: t.Optional(t.String()),
          token: t.Optional(t.String({ maxLength: 500 })),
          out: t.Optional(t.String()),
        }),
      },
    )
    .post(
      "/sign-in",
      async ({ body, request, server }) => {
        const next = safePath(body.next);
        const address = clientAddress(server, request, trusted_proxies);
        if ("key" in body) {
          const session = await byKey(request, address, keys.byKey(body.key.trim())?.id);
          return session
            ? goTo(next, sessionCookie(request, session))
            : form(request, "wrong_key", next, { status: 401 });
        }
        if ("token" in body) {
          const session = await byKey(request, address, await keys.useLink(body.token));
          return session
            ? goTo(next, sessionCookie(request, session))
            : form(request, "link_used", next, { status: 401 });
        }
        const cookies = await byPassword(request, address, body);
        return cookies
          ? goTo(next, ...cookies)
          : form(request, "wrong_password", next, { status: 401, name: body.name });
      },
      {
        beforeHandle: refuseOtherSite,
        parse: formBody,
        body: t.Union([
          t.Object({ key: t.String({ maxLength: 500 }), next: t.Optional(t.String()) }),
          t.Object({ token: t.String({ maxLength: 500 }), next: t.Optional(t.String()) }),
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
      {
        beforeHandle: refuseOtherSite,
        parse: formBody,
        body: t.Object({ language: t.Union(LANGUAGES.map((language) => t.Literal(language))) }),
      },
    )
    .post(
      "/sign-out",
      async ({ request }) => {
        const token = sessionToken(request);
        if (token !== undefined) await keys.signOut(token);
        return goTo("/sign-in?out=1", sessionCookie(request, ""));
      },
      { beforeHandle: refuseOtherSite },
    );
};
