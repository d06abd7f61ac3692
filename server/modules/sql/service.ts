// One question in ClickHouse's HTTP protocol: who asks, what, in which format; and the answer as ClickHouse gives it.
import { gunzipSync } from "node:zlib";
import { gzipSync } from "bun";
import { TooManyQueries } from "../../../analytics-sql/analyst/admission.ts";
import {
  type AnalystAnswer,
  type Engine,
  EngineAway,
  EngineError,
} from "../../../analytics-sql/engine/engine.ts";
import { OverBounds } from "../../../analytics-sql/engine/watch.ts";
import { allows, type Caller, type Keys } from "../../keys.ts";
import { callerOf, checkOwnPage, counted, wrongKey } from "../../plugins/auth.ts";
import { Problem } from "../../plugins/errors.ts";
import { DEFAULT_FORMAT, FORMATS, IGNORED_SETTINGS, PARAMETERS, STATUS_OF } from "./model.ts";
import type { ShutOut } from "./shut-out.ts";

/** A body holds a query: over this it is refused. */
const MAX_BODY_BYTES = 1024 * 1024;
const GZIP_LEVEL = 4;
/** What may stand in a header; another id is replaced by ours. */
const QUERY_ID = /^[\x21-\x7e]{1,128}$/;

/** Codes of ClickHouse. */
const CODES = {
  readonly: 164,
  unknown_format: 73,
  authentication: 516,
  too_many: 202,
  quota: 201,
  syntax: 62,
  not_implemented: 48,
  inflate: 354,
  denied: 497,
  away: 210,
};

const failure = (code: number, name: string, what: string): EngineError =>
  new EngineError(`Code: ${code}. DB::Exception: ${what}. (${name})`, code, false, null);

type Deps = { engine: Engine; keys: Keys; shut: ShutOut };

/** Answers a question; errors as ClickHouse words them, since its clients read those. */
export async function answerSql({ engine, keys, shut }: Deps, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const named = url.searchParams.get("query_id") ?? "";
  const query_id = QUERY_ID.test(named) ? named : crypto.randomUUID();
  const headers = { "x-clickhouse-query-id": query_id, "x-clickhouse-server-display-name": "mtc" };
  try {
    const caller = await whoAsks(keys, request, url);
    shut.check(caller.id);
    const params = parametersOf(url);
    const query = [url.searchParams.get("query") ?? "", await bodyOf(request)]
      .filter(Boolean)
      .join("\n")
      .trim();
    if (query === "") throw failure(CODES.syntax, "SYNTAX_ERROR", "Empty query");
    const analyst = await engine.analyst(caller.tenant_id);
    const preferred =
      url.searchParams.get("default_format") ?? request.headers.get("x-clickhouse-format") ?? DEFAULT_FORMAT;
    const format = (named: string | undefined): string => formatOf(named ?? preferred);
    try {
      const answer = await analyst.ask({ query, params, format, left: request.signal });
      return answered(answer, headers, wantsGzip(request, url));
    } catch (error) {
      if (error instanceof OverBounds && error.ended) {
        shut.add(caller.id);
        keys.door.refused(request, `its query ended the engine: ${error.message}`, caller.name);
      }
      throw error;
    }
  } catch (error) {
    return failed(error, headers);
  }
}

/** @throws EngineError for a key that is not known or lacks the scope */
async function whoAsks(keys: Keys, request: Request, url: URL): Promise<Caller> {
  const basic = /^Basic (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const password =
    request.headers.get("x-clickhouse-key") ??
    url.searchParams.get("password") ??
    (basic
      ? Buffer.from(basic, "base64")
          .toString()
          .replace(/^[^:]*:/, "")
      : undefined);
  const caller = password ? keys.byKey(password.trim()) : await callerOf(keys, request).catch(unlessKnown);
  if (password) caller ? counted(keys, request, caller) : unlessKnown(wrongKey(keys, request));
  if (!caller) {
    throw failure(
      CODES.authentication,
      "AUTHENTICATION_FAILED",
      "an API key is needed: as the password, or X-API-Key",
    );
  }
  // Even what only reads is work, and a cookie comes along with whatever another site's page asks for.
  if (caller.session) checkOwnPage(keys, request, caller);
  if (!allows(caller, "read")) throw failure(CODES.denied, "ACCESS_DENIED", 'the key lacks the scope "read"');
  return caller;
}

/** Who asks too much is told so, not that nobody knows them. */
function unlessKnown(error: unknown): undefined {
  if (error instanceof Problem && error.status === 429) throw error;
}

/** The values of `{name:Type}`. @throws EngineError for a setting that may not be changed */
function parametersOf(url: URL): Record<string, string> {
  const params: Record<string, string> = {};
  if (url.searchParams.get("compress") === "1") {
    const what =
      "compress=1, blocks in ClickHouse's own framing, is not spoken here: enable_http_compression is";
    throw failure(CODES.not_implemented, "NOT_IMPLEMENTED", what);
  }
  for (const [name, value] of url.searchParams) {
    const bound = /^param_(\w+)$/.exec(name)?.[1];
    if (bound !== undefined) params[bound] = value;
    else if (!PARAMETERS.has(name) && !IGNORED_SETTINGS.has(name)) {
      throw failure(CODES.readonly, "READONLY", `Cannot modify '${name}' setting in readonly mode`);
    }
  }
  return params;
}

async function bodyOf(request: Request): Promise<string> {
  if (request.method !== "POST" || !request.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw failure(CODES.syntax, "SYNTAX_ERROR", "the query is too long");
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return bytes.toString();
  if (encoding !== "gzip") {
    throw failure(CODES.not_implemented, "NOT_IMPLEMENTED", `bodies encoded as ${encoding} are not read`);
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BODY_BYTES }).toString();
  } catch {
    throw failure(CODES.inflate, "ZLIB_INFLATE_FAILED", "the body is no gzip, or too long");
  }
}

function formatOf(name: string): string {
  if (!Object.hasOwn(FORMATS, name))
    throw failure(CODES.unknown_format, "UNKNOWN_FORMAT", `Unknown format ${name}`);
  return name;
}

const wantsGzip = (request: Request, url: URL): boolean =>
  url.searchParams.get("enable_http_compression") === "1" &&
  /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");

function answered(answer: AnalystAnswer, headers: Record<string, string>, gzip: boolean): Response {
  const { bytes, format, read_rows, read_bytes, elapsed_s } = answer;
  const summary = {
    read_rows: String(read_rows),
    read_bytes: String(read_bytes),
    result_bytes: String(bytes.length),
    elapsed_ns: String(Math.round(elapsed_s * 1e9)),
  };
  const body = gzip ? gzipSync(new Uint8Array(bytes), { level: GZIP_LEVEL }) : new Uint8Array(bytes);
  return new Response(body, {
    headers: {
      ...headers,
      "content-type": FORMATS[format] ?? "application/octet-stream",
      "x-clickhouse-format": format,
      "x-clickhouse-timezone": "UTC",
      "x-clickhouse-summary": JSON.stringify(summary),
      "x-content-type-options": "nosniff",
      ...(gzip ? { "content-encoding": "gzip" } : {}),
    },
  });
}

/** An error in ClickHouse's words; what is none of those is a bug, and another's affair. */
function worded(error: unknown): EngineError {
  if (error instanceof EngineAway) return failure(CODES.away, "NETWORK_ERROR", error.message);
  if (error instanceof EngineError) return error;
  if (error instanceof TooManyQueries)
    return failure(CODES.too_many, "TOO_MANY_SIMULTANEOUS_QUERIES", error.message);
  if (error instanceof Problem && error.status === 429)
    return failure(CODES.quota, "QUOTA_EXCEEDED", error.message);
  if (error instanceof Problem && error.status === 403)
    return failure(CODES.denied, "ACCESS_DENIED", error.message);
  throw error;
}

function failed(error: unknown, headers: Record<string, string>): Response {
  const { code, message: words } = worded(error);
  const status = STATUS_OF[code] ?? 400;
  const message = /Code: \d+[\s\S]*/.exec(words)?.[0] ?? `Code: ${code}. DB::Exception: ${words}`;
  return new Response(`${message}\n`, {
    status,
    headers: {
      ...headers,
      "content-type": "text/plain; charset=UTF-8",
      "x-clickhouse-exception-code": String(code),
      ...(status === 429 || status === 503 ? { "retry-after": "1" } : {}),
      ...(error instanceof Problem ? error.headers : {}),
      ...(status === 401 ? { "www-authenticate": 'Basic realm="mtc"' } : {}),
    },
  });
}
