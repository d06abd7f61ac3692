// An analyst's connection to the engine: nothing sticks to it, everything goes with each request.
import { formOf } from "../engine/form.ts";
import { ANALYST_LIMITS, ANALYST_SETTINGS, type AnalystConnection } from "./analysts.ts";

/** What the server says of a query beside its answer. */
type Summary = { read_rows?: string; read_bytes?: string; elapsed_ns?: string };

const MARGIN_MS = 10_000;

/**
 * @param url with user and password, which go as headers
 * @param unix the socket of an engine that is our own
 */
export function connectAnalyst(url: string, database: string, unix?: string): AnalystConnection {
  const server = new URL(url);
  const [user, password] = [server.username, server.password].map(decodeURIComponent);
  server.username = server.password = "";
  const headers: Record<string, string> = {
    ...(user ? { "x-clickhouse-user": user } : {}),
    ...(password ? { "x-clickhouse-key": password } : {}),
  };
  return {
    async run(query_id, sql, default_format, params) {
      const asked = new URL(server);
      const settings = Object.entries({ ...ANALYST_SETTINGS, readonly: 1, wait_end_of_query: 1 });
      for (const [name, value] of [
        ...settings,
        ["database", database],
        ["default_format", default_format],
        ["query_id", query_id],
      ] as const)
        asked.searchParams.set(name, String(value));
      const form = Object.keys(params).length > 0 ? formOf(sql, params) : { body: sql, headers: {} };
      const response = await fetch(asked, {
        method: "POST",
        headers: { ...headers, ...form.headers },
        body: form.body,
        signal: AbortSignal.timeout(1_000 * ANALYST_LIMITS.execution_s + MARGIN_MS),
        ...(unix === undefined ? {} : { unix }),
      });
      if (!response.ok) {
        const code = response.headers.get("x-clickhouse-exception-code") ?? "0";
        throw Object.assign(new Error((await response.text()).trim()), { code });
      }
      const told = JSON.parse(response.headers.get("x-clickhouse-summary") ?? "{}") as Summary;
      return {
        bytes: await response.bytes(),
        read_rows: Number(told.read_rows ?? 0),
        read_bytes: Number(told.read_bytes ?? 0),
        elapsed_s: Number(told.elapsed_ns ?? 0) / 1e9,
      };
    },
  };
}
