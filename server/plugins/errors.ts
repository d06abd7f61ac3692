// Every error leaves as application/problem+json (RFC 9457).
import { Elysia, type ParseError, type ValidationError } from "elysia";
import { EngineAway, EngineError, isForRoom } from "../../analytics-sql/engine/engine.ts";
import { SetAside } from "../../analytics-sql/rollup/set-aside.ts";
import { BadInput, type InputError } from "../../ingest/problem.ts";
import { DISK_FULL_RETRY_S, DiskFull, Overloaded } from "../../ingest/store/store.ts";
import { inputErrors } from "./validation.ts";

/** ClickHouse's codes for a query over its bounds: TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED. */
const BUSY_CODES = new Set([159, 202, 241]);

/** What programs go by where the status alone does not tell. */
export type ProblemCode = "not_in_analytics_yet" | "disk_full";

/** An answer other than success, thrown from anywhere in a request. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly title: string;
  readonly errors: InputError[] | undefined;
  readonly code: ProblemCode | undefined;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    title: string,
    detail: string,
    more: { errors?: InputError[]; code?: ProblemCode; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.errors = more.errors;
    this.code = more.code;
    this.headers = more.headers ?? {};
  }
}

export const notFound = (what: string): Problem => new Problem(404, "Not found", `${what} is not known here`);

/** The response a problem becomes. */
export function problemResponse(problem: Problem): Response {
  const { status, title, message: detail, code, errors } = problem;
  return Response.json(
    { type: "about:blank", title, status, detail, ...(code ? { code } : {}), ...(errors ? { errors } : {}) },
    { status, headers: { "content-type": "application/problem+json", ...problem.headers } },
  );
}

/** Any error as a problem; what is not meant for outsiders is logged and becomes a plain 500. */
export function toProblem(error: unknown, log: (message: string) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof BadInput) {
    return new Problem(422, "Unprocessable content", error.message, { errors: error.errors });
  }
  if (error instanceof DiskFull) return diskFull(error.message, error.retry_after_s);
  if (error instanceof Overloaded) {
    const headers = { "retry-after": String(error.retry_after_s) };
    return new Problem(503, "Overloaded", error.message, { headers });
  }
  if (error instanceof SetAside) {
    const headers = { "retry-after": String(error.retry_after_s) };
    return new Problem(503, "Set aside", error.message, { headers });
  }
  if (error instanceof EngineAway) {
    log(`refused: ${error.message}`);
    const headers = { "retry-after": String(error.retry_after_s) };
    return new Problem(503, "Unavailable", "analytics is being started; ask again in a moment", { headers });
  }
  if (error instanceof EngineError && BUSY_CODES.has(error.code)) {
    log(`refused: ${error.message}`);
    const detail = "the query needs more memory or time than there is now; ask for less, or later";
    return new Problem(503, "Overloaded", detail, { headers: { "retry-after": "5" } });
  }
  if (isForRoom(error)) {
    log(`refused: ${error.message}`);
    return diskFull("the disk is full: analytics cannot write what this needs", DISK_FULL_RETRY_S);
  }
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new Problem(500, "Internal error", "something went wrong here; the log has it");
}

function diskFull(detail: string, retry_after_s: number): Problem {
  const headers = { "retry-after": String(retry_after_s) };
  return new Problem(503, "Disk full", detail, { code: "disk_full", headers });
}

/** The error at each parameter that has the value. */
function named(error: InputError, value: unknown, asked: Record<string, unknown>): InputError[] {
  const names = Object.keys(asked).filter((name) => Number(asked[name]) === value);
  return names.length === 0 ? [error] : names.map((name) => ({ ...error, path: `/${name}` }));
}

/**
 * Elysia's own errors too: validation names the path, a missing route is 404.
 * @param atPath what is wrong with a request for an address that nothing answers with its method
 */
export const errors = (
  log: (message: string) => void,
  atPath: (path: string) => Problem | undefined = () => undefined,
) =>
  new Elysia({ name: "errors" }).onError({ as: "global" }, ({ code, error, set, request, query, params }) => {
    const none = code === "NOT_FOUND" ? atPath(new URL(request.url).pathname) : undefined;
    const problem = none ?? fromElysia(code, error, { ...query, ...params }) ?? toProblem(error, log);
    set.status = problem.status;
    return problemResponse(problem);
  });

/** @param asked the parameters of the request, as text */
function fromElysia(
  code: string | number,
  error: unknown,
  asked: Record<string, unknown>,
): Problem | undefined {
  switch (code) {
    case "NOT_FOUND":
      return new Problem(404, "Not found", "there is nothing at this address");
    case "PARSE": {
      // Elysia wraps whatever a hook throws before the body is read.
      const { cause } = error as ParseError;
      if (cause instanceof Problem) return cause;
      return new Problem(422, "Unprocessable content", "the body is not JSON", {
        errors: [{ path: "", detail: "not JSON" }],
      });
    }
    case "VALIDATION": {
      const { all, type, value } = error as ValidationError;
      const found = inputErrors(all.filter((one) => "errors" in one)).flatMap((one) =>
        // A number out of its bounds: Elysia made it of a parameter's text, and says no more which one that was.
        type === "property" && one.path === "" ? named(one, value, asked) : [one],
      );
      const detail = found.map((e) => `${e.path || "/"}: ${e.detail}`).join("; ");
      return new Problem(422, "Unprocessable content", detail, { errors: found });
    }
    default:
      return undefined;
  }
}
