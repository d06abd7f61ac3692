// How a page is answered: whoever has no session signs in first, what went wrong is a page too, all of it compressed.
import { brotliCompressSync, constants } from "node:zlib";
import {
  CONTENT_SECURITY_POLICY,
  Problem as ProblemPage,
  renderPage,
  type Shell,
  wantsFragment,
} from "../../../views/index.ts";
import { allows, type Caller, type Keys, type Scope } from "../../keys.ts";
import { languageOf } from "../../language.ts";
import { callerOf, checkAllowed } from "../../plugins/auth.ts";
import { toProblem } from "../../plugins/errors.ts";
import type { Figures } from "./figures.ts";

/** Pages are made for each request: fast matters more than the last byte. */
const BROTLI_QUALITY = 4;

/** The headers of every page. */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
  vary: "HX-Request, Accept-Encoding",
};

/** A page or a fragment, compressed as the client accepts: a wall of a hundred tiles is a tenth of its size. */
export function html(request: Request, body: string, status = 200): Response {
  const accepted = request.headers.get("accept-encoding") ?? "";
  if (/\bbr\b/.test(accepted)) {
    const packed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
    return new Response(packed, { status, headers: { ...PAGE_HEADERS, "content-encoding": "br" } });
  }
  if (/\bgzip\b/.test(accepted)) {
    const headers = { ...PAGE_HEADERS, "content-encoding": "gzip" };
    return new Response(Bun.gzipSync(body, { level: 5 }), { status, headers });
  }
  return new Response(body, { status, headers: PAGE_HEADERS });
}

/** What every page knows: the plant, its time, who is looking. */
export function shellFor(request: Request, figures: Figures, caller: Caller | undefined): Shell {
  return {
    plant: "MTC",
    timezone: figures.timezone(caller?.tenant_id),
    now_ms: Date.now(),
    user: caller?.name ?? null,
    caller_id: caller?.id ?? "",
    may: { operate: !!caller && allows(caller, "operate"), admin: !!caller && allows(caller, "admin") },
    language: languageOf(request),
    origin: new URL(request.url).origin,
  };
}

export type Context = {
  request: Request;
  params: Record<string, string | undefined>;
  query: Record<string, string | undefined>;
};

type Deps = { keys: Keys; figures: Figures; log: (message: string) => void };

/**
 * A route's handler that shows a page to whoever has the scope.
 * @param make the page's HTML, or a whole response where it is none (a redirect, another status)
 */
export const pageMaker =
  ({ keys, figures, log }: Deps) =>
  (
    scope: Scope,
    make: (caller: Caller, shell: Shell, context: Context) => Promise<string | Response> | string | Response,
  ) =>
  async (context: Context): Promise<Response> => {
    const { request } = context;
    let caller: Caller | undefined;
    try {
      caller = await callerOf(keys, request);
      if (!caller) return signInFirst(request);
      checkAllowed(keys, request, caller, scope);
      // Elysia gives no parameters where the path has none.
      const { params = {}, query } = context as Partial<Context> & Context;
      const made = await make(caller, shellFor(request, figures, caller), { request, params, query });
      return typeof made === "string" ? html(request, made) : made;
    } catch (error) {
      const problem = toProblem(error, log);
      const { status, code, params, headers } = problem;
      const shell = shellFor(request, figures, caller);
      const page = html(
        request,
        // Field by field: an Error has a line of its own, that of our source.
        renderPage(ProblemPage, { shell, problem: code, told: problem.errors?.[0] ?? { code, params } }),
        status,
      );
      for (const [name, value] of Object.entries(headers)) page.headers.set(name, value);
      return page;
    }
  };

/** A browser goes to the sign-in page; htmx is told to take the whole page there. */
function signInFirst(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  const to = `/sign-in?next=${encodeURIComponent(pathname + search)}`;
  if (wantsFragment(request.headers))
    return new Response(null, { status: 401, headers: { "hx-redirect": to } });
  return new Response(null, { status: 302, headers: { location: to } });
}
