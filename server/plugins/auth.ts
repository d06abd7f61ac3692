// Finds out who is asking (X-API-Key, Bearer, session cookie) and refuses what their scopes do not allow.
import { Elysia } from "elysia";
import { detailOf } from "../../domain/problem.ts";
import { allows, type Caller, type Keys, type Scope } from "../keys.ts";
import { Problem } from "./errors.ts";

/** Over plain HTTP a browser takes no `__Host-` cookie, and a plant's first hour has no certificate yet. */
export const cookieName = (request: Request): string => (isHttps(request) ? "__Host-mtc" : "mtc");

const isHttps = (request: Request): boolean =>
  request.url.startsWith("https:") || request.headers.get("x-forwarded-proto") === "https";

/** The session cookie's header; an empty token ends it. */
export function sessionCookie(request: Request, token: string): string {
  const secure = isHttps(request) ? "; Secure" : "";
  const age_s = token === "" ? 0 : 30 * 24 * 3_600;
  return `${cookieName(request)}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age_s}${secure}`;
}

export const KNOWN_COOKIE = "mtc_known";

/** What tells a browser that a user signed in from before; only the sign-in is told. */
export const knownCookie = (request: Request, token: string): string =>
  `${KNOWN_COOKIE}=${token}; Path=/sign-in; HttpOnly; SameSite=Lax; Max-Age=${180 * 24 * 3_600}${isHttps(request) ? "; Secure" : ""}`;

export const sessionToken = (request: Request): string | undefined => cookieOf(request, cookieName(request));

export function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=");
    if (key === name && value) return value;
  }
  return undefined;
}

/** @returns who is asking, or undefined where nobody says so @throws 401 for a wrong key, 429 for one that asks too much */
export async function callerOf(keys: Keys, request: Request): Promise<Caller | undefined> {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const key = request.headers.get("x-api-key") ?? bearer;
  if (key !== undefined) {
    const caller = keys.byKey(key.trim());
    if (!caller) throw wrongKey(keys, request);
    return counted(keys, request, caller);
  }
  const token = sessionToken(request);
  const caller = token === undefined ? undefined : await keys.bySession(token);
  return caller && counted(keys, request, caller);
}

/** One request more of a caller. @throws 429 for one that asks too much */
export function counted(keys: Keys, request: Request, caller: Caller): Caller {
  try {
    keys.door.onRequest(caller);
    return caller;
  } catch (error) {
    keys.door.refused(request, (error as Error).message, caller.name);
    throw error;
  }
}

/** The answer to a key that is none: 401, and 429 for an address that tries many. Keys that are right go on from there. */
export function wrongKey(keys: Keys, request: Request): Problem {
  keys.door.refused(request, detailOf("wrong_key", {}));
  try {
    keys.door.onWrongKey(request);
  } catch (error) {
    return error as Problem;
  }
  return unauthorized("wrong_key");
}

/** @throws 403 where the caller lacks the scope, or a cookie was sent by another site's page */
export function checkAllowed(keys: Keys, request: Request, caller: Caller, scope: Scope): void {
  try {
    if (!allows(caller, scope)) throw new Problem("scope_lacking", { scope });
    if (caller.session) refuseCrossSite(request);
  } catch (error) {
    keys.door.refused(request, (error as Error).message, caller.name);
    throw error;
  }
}

const unauthorized = (code: "no_key" | "wrong_key"): Problem =>
  new Problem(code, {}, { headers: { "www-authenticate": 'Bearer realm="mtc"' } });

/**
 * A cookie alone may change nothing when another site's page sends it (CSRF), nor open a WebSocket: a browser lets any
 * page read from one.
 */
function refuseCrossSite(request: Request): void {
  const opens_socket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  if ((request.method === "GET" || request.method === "HEAD") && !opens_socket) return;
  if (!isOwnPage(request)) throw notOurs();
}

const notOurs = (): Problem => new Problem("not_own_page", {});

/** For what is refused to another site's page by whatever method. @throws 403 */
export function checkOwnPage(keys: Keys, request: Request, caller: Caller): void {
  if (isOwnPage(request)) return;
  const problem = notOurs();
  keys.door.refused(request, problem.message, caller.name);
  throw problem;
}

/**
 * A page of another site may sign nobody in, nor out, nor choose their language: an answer sets its cookies whoever asked.
 * What is no browser says nothing of where it comes from, and may.
 */
export function refuseOtherSite({ request }: { request: Request }): void {
  if (isOwnPage(request) === false) throw new Problem("other_site", {});
}

/** Does the browser say that a page of ours sends it? undefined: nobody says. */
function isOwnPage({ headers }: Request): boolean | undefined {
  const [site, origin] = [headers.get("sec-fetch-site"), headers.get("origin")];
  if (site !== null) return site === "same-origin";
  return origin === null ? undefined : URL.parse(origin)?.host === headers.get("host");
}

/**
 * Routes under this plugin take `{ scope }` and get `caller`.
 * 401 without a key, 403 where the key lacks the scope: before the body is looked at.
 */
export const auth = (keys: Keys) => {
  const admitted = new WeakMap<Request, Caller>();

  const admit =
    (scope: Scope) =>
    async ({ request }: { request: Request }): Promise<void> => {
      if (admitted.has(request)) return;
      const caller = await callerOf(keys, request);
      if (!caller) throw unauthorized("no_key");
      checkAllowed(keys, request, caller, scope);
      admitted.set(request, caller);
    };

  return new Elysia({ name: "auth" }).macro({
    scope: (scope: Scope) => ({
      // `parse` runs before a body is read, `transform` where there is none; only `resolve` can tell the handler's type.
      parse: admit(scope),
      transform: admit(scope),
      resolve({ request }) {
        const caller = admitted.get(request);
        if (!caller) throw unauthorized("no_key");
        return { caller };
      },
    }),
  });
};
