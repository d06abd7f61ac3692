// The analysts' own way to the engine, one for each tenant: read-only, bounded, with nothing but its views.
import type { Analyst, AnalystAnswer, Engine } from "../engine/engine.ts";
import { BACKGROUND_NICE, type Settings } from "../engine/settings.ts";
import type { Watch } from "../engine/watch.ts";
import { Admission } from "./admission.ts";
import { judge, notAQuery } from "./gate.ts";
import { databaseOf, lakeTable, missing, viewStatements } from "./views.ts";

/** What one query of an analyst may take (invariant 7); ingest and screens go first. */
export const ANALYST_LIMITS = {
  execution_s: 30,
  memory_bytes: 1024 ** 3,
  result_rows: 1_000_000,
  result_bytes: 256 * 1024 ** 2,
  query_bytes: 256 * 1024,
  /** Of one tenant: so many run at once, and so many wait. */
  running: 2,
  waiting: 4,
} as const;

/** What a connection of an analyst is set to, before it is made read-only: from there on nothing can be changed. */
export const ANALYST_SETTINGS: Settings = {
  max_threads: 1,
  max_execution_time: ANALYST_LIMITS.execution_s,
  timeout_overflow_mode: "throw",
  max_memory_usage: ANALYST_LIMITS.memory_bytes,
  max_result_rows: ANALYST_LIMITS.result_rows,
  max_result_bytes: ANALYST_LIMITS.result_bytes,
  result_overflow_mode: "throw",
  max_query_size: 4 * ANALYST_LIMITS.query_bytes,
  os_threads_nice_value_query: BACKGROUND_NICE,
  // As every answer says of itself, wherever the host stands.
  session_timezone: "UTC",
};

/** A connection that can do nothing but read one database. */
export type AnalystConnection = {
  /**
   * Values are text in the engine's own escapes, as they come to a server: parsed by their declared types.
   * @throws whatever the engine says
   */
  run(
    query_id: string,
    sql: string,
    format: string,
    params: Record<string, string>,
  ): Promise<Omit<AnalystAnswer, "format">>;
};

type Deps = {
  connect(database: string): AnalystConnection;
  watch: Watch;
  query: Engine["query"];
  /** Runs a statement on the connection that may write. */
  define(sql: string): Promise<void>;
  /** The table engine over a tenant's files in the lake, where there is one. */
  lake_engine?: ((tenant: string) => string) | undefined;
  fail(error: unknown): never;
};

export class Analysts {
  readonly #deps: Deps;
  readonly #tenants = new Map<string, Promise<Analyst>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The tenant's analyst; its views are made with its first question. */
  of(tenant: string): Promise<Analyst> {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) return known;
    const opened = this.#open(tenant);
    this.#tenants.set(tenant, opened);
    opened.catch(() => this.#tenants.delete(tenant));
    return opened;
  }

  async #open(tenant: string): Promise<Analyst> {
    const { connect, watch, query, define, fail, lake_engine } = this.#deps;
    const database = databaseOf(tenant);
    const rows = await query<{ name: string; comment: string }>(
      "SELECT name, comment FROM system.tables WHERE database = {database:String}",
      { database },
    );
    const made = new Map(rows.map(({ name, comment }) => [name, comment]));
    for (const statement of missing(viewStatements(tenant, lake_engine?.(tenant)), made))
      await define(statement);
    const connection = connect(database);
    const admission = new Admission(ANALYST_LIMITS.running, ANALYST_LIMITS.waiting);
    const decoder = new TextDecoder();
    return {
      async ask({ query, params, format, left }): Promise<AnalystAnswer> {
        if (Buffer.byteLength(query) > ANALYST_LIMITS.query_bytes) throw notAQuery("the query is too long");
        const answer = async (next: () => string): Promise<AnalystAnswer> => {
          const run = (sql: string, chosen: string) =>
            connection.run(next(), sql, chosen, params).catch(fail);
          const text = async (sql: string): Promise<string> =>
            decoder.decode((await run(sql, "TabSeparated")).bytes);
          const passed = await judge(text, database, query, params);
          const chosen = format(passed.format);
          if (lake_engine && passed.sql.includes("observations_all")) {
            await define(lakeTable(tenant, lake_engine(tenant)));
          }
          return { ...(await run(passed.sql, chosen)), format: chosen };
        };
        return admission.run(() => watch.run(answer, left), left);
      },
    };
  }
}
