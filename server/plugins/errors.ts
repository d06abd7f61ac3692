// Every error leaves as application/problem+json (RFC 9457).
import { Elysia, type ParseError, type ValidationError } from "elysia";
import { EngineAway, EngineError, isForRoom } from "../../analytics-sql/engine/engine.ts";
import { SetAside } from "../../analytics-sql/rollup/set-aside.ts";
import {
  type AnswerCode,
  definitionOf,
  detailOf,
  type Kind,
  type ParamsOf,
  typeOf,
} from "../../domain/problem.ts";
import { BadInput, type InputError, inputError } from "../../ingest/problem.ts";
import { DISK_FULL_RETRY_S, DiskFull, Overloaded } from "../../ingest/store/store.ts";
import { inputErrors } from "./validation.ts";

/** ClickHouse's codes for a query over its bounds: TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED. */
const BUSY_CODES = new Set([159, 202, 241]);
const BUSY_RETRY_S = 5;

type More = {
  /** At which places of the input. */
  errors?: InputError[];
  headers?: Record<string, string>;
};

/** An answer other than success, thrown from anywhere in a request. Its code says all that there is to say (SPEC 11.3). */
export class Problem<C extends AnswerCode = AnswerCode> extends Error {
  override readonly name = "Problem";
  readonly code: C;
  readonly params: ParamsOf<C>;
  readonly status: number;
  readonly title: string;
  readonly errors: InputError[] | undefined;
  readonly headers: Record<string, string>;
  constructor(code: C, params: ParamsOf<C>, { errors, headers = {} }: More = {}) {
    super(code === "bad_input" && errors ? new BadInput(errors).message : detailOf(code, params));
    const { status, title } = definitionOf(code);
    this.code = code;
    this.params = params;
    this.status = status;
    this.title = title;
    this.errors = errors;
    this.headers = headers;
  }
}

export const notFound = (...[kind, id = ""]: [kind: Kind, id?: string]): Problem =>
  new Problem("not_found", { kind, id });

/** A problem after which whoever asked may come again. */
const later = <C extends AnswerCode>(code: C, params: ParamsOf<C>, retry_after_s: number): Problem =>
  new Problem(code, params, { headers: { "retry-after": String(retry_after_s) } });

/** What is wrong at one place, as it is sent. */
const told = ({ path, code, detail, params }: InputError): object => ({ ...params, path, code, detail });

/** The response a problem becomes. */
export function problemResponse(problem: Problem): Response {
  const { code, params, status, title, message: detail, errors } = problem;
  return Response.json(
    {
      ...params,
      type: typeOf(code),
      title,
      status,
      detail,
      code,
      ...(errors ? { errors: errors.map(told) } : {}),
    },
    { status, headers: { "content-type": "application/problem+json", ...problem.headers } },
  );
}

/** Any error as a problem; what is not meant for outsiders is logged and becomes a plain 500. */
export function toProblem(error: unknown, log: (message: string) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof BadInput) return new Problem("bad_input", {}, { errors: error.errors });
  if (error instanceof DiskFull) return later("disk_full", { why: error.why }, error.retry_after_s);
  if (error instanceof Overloaded) return later("overloaded", { why: error.message }, error.retry_after_s);
  if (error instanceof SetAside) return later("set_aside", { machines: error.machines }, error.retry_after_s);
  if (error instanceof EngineAway) {
    log(`refused: ${error.message}`);
    return later("analytics_away", {}, error.retry_after_s);
  }
  if (error instanceof EngineError && BUSY_CODES.has(error.code)) {
    log(`refused: ${error.message}`);
    return later("query_too_heavy", {}, BUSY_RETRY_S);
  }
  if (isForRoom(error)) {
    log(`refused: ${error.message}`);
    return later("disk_full", { why: "analytics cannot write what this needs" }, DISK_FULL_RETRY_S);
  }
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new Problem("internal", {});
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
      return new Problem("no_such_address", {});
    case "PARSE": {
      // Elysia wraps whatever a hook throws before the body is read.
      const { cause } = error as ParseError;
      if (cause instanceof Problem) return cause;
      return new Problem("body_not_json", {}, { errors: [inputError("", "not_json")] });
    }
    case "VALIDATION": {
      const { all, type, value } = error as ValidationError;
      const found = inputErrors(all.filter((one) => "errors" in one)).flatMap((one) =>
        // A number out of its bounds: Elysia made it of a parameter's text, and says no more which one that was.
        type === "property" && one.path === "" ? named(one, value, asked) : [one],
      );
      return new Problem("bad_input", {}, { errors: found });
    }
    default:
      return undefined;
  }
}
