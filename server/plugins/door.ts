// The door: what every request is held to before anything looks at it, and what every answer carries.
import { Elysia } from "elysia";
import { Problem } from "./errors.ts";

/** On every answer. */
export const ANSWER_HEADERS = { "x-content-type-options": "nosniff", "cache-control": "no-store" };

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * @param trusted_proxies without one, what only a proxy may say is nobody's word: it goes here, so that nobody reads it
 */
export const door = (trusted_proxies: number) =>
  new Elysia({ name: "door" }).onRequest(({ request, set }) => {
    // An answer that has a word of its own on it (a page, an asset) keeps that.
    Object.assign(set.headers, ANSWER_HEADERS);
    if (trusted_proxies === 0) request.headers.delete("x-forwarded-proto");
    // Two of them come joined, and a host has no comma: a proxy in front and we would each believe another one (RFC 9112, 3.2).
    if (request.headers.get("host")?.includes(",")) throw new Problem("bad_host", {});
  });

type Route = { method: string; path: string };

/**
 * What is wrong with a method that nothing answers.
 * @param routes as Elysia lists them: `/api/v1/machines/:id`, `/assets/*`
 * @returns 405 for the path of a request where other methods are answered there; undefined where there is nothing at all
 */
export function wrongMethod(routes: () => readonly Route[]): (path: string) => Problem | undefined {
  let known: { method: string; pattern: RegExp }[] | undefined;
  return (path) => {
    known ??= routes().map(({ method, path: at }) => ({ method, pattern: patternOf(at) }));
    const answered = new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    const allowed: string[] = METHODS.filter((method) => answered.has(method));
    if (allowed.length === 0) return undefined;
    if (answered.has("GET")) allowed.push("HEAD");
    const allow = allowed.join(", ");
    return new Problem("method_not_allowed", { allow }, { headers: { allow } });
  };
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/\/$/, "")
      .replace(/[.+]/g, "\\$&")
      .replace(/:[^/]+/g, "[^/]+")
      .replace("*", ".*")}/?$`,
  );
