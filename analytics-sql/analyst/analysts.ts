// The analysts' own connections to chDB, one for each tenant: read-only, bounded, and with nothing but its views.
import { type ChdbConnection, createChdbConnection } from "chdb/connection";
import type { Analyst, AnalystAnswer } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { judge, notAQuery } from "./gate.ts";
import { databaseOf, lakeTable, viewStatements } from "./views.ts";

/** What one query of an analyst may take (invariant 7); ingest and screens go first. */
export const ANALYST_LIMITS = {
  execution_s: 30,
  memory_bytes: 1024 ** 3,
  result_rows: 1_000_000,
  result_bytes: 256 * 1024 ** 2,
  query_bytes: 256 * 1024,
  /** Of one tenant: one runs, these wait. */
  waiting: 4,
} as const;

const SETTINGS = [
  "SET max_threads = 1",
  `SET max_execution_time = ${ANALYST_LIMITS.execution_s}`,
  "SET timeout_overflow_mode = 'throw'",
  `SET max_memory_usage = ${ANALYST_LIMITS.memory_bytes}`,
  `SET max_result_rows = ${ANALYST_LIMITS.result_rows}`,
  `SET max_result_bytes = ${ANALYST_LIMITS.result_bytes}`,
  "SET result_overflow_mode = 'throw'",
  `SET max_query_size = ${4 * ANALYST_LIMITS.query_bytes}`,
  "SET os_threads_nice_value_query = 10",
  // As every answer says of itself, wherever the host stands.
  "SET session_timezone = 'UTC'",
  // Last: from here on nothing can be changed, not even this.
  "SET readonly = 1",
];

/** Too many questions at once: 429. */
export class TooManyQueries extends Error {
  override readonly name = "TooManyQueries";
}

type Deps = {
  path: string;
  /** Runs a statement on the connection that may write. */
  define(sql: string): Promise<void>;
  /** The table engine over a tenant's files in the lake, where there is one. */
  lake_engine?: ((tenant: string) => string) | undefined;
  fail(error: unknown): never;
};

export class Analysts {
  readonly #deps: Deps;
  readonly #tenants = new Map<string, Promise<Analyst>>();
  readonly #connections = new Set<ChdbConnection>();

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

  async close(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
  }

  /** A connection that can do nothing but read the database. */
  async #connect(database: string): Promise<ChdbConnection> {
    const connection = createChdbConnection({ path: this.#deps.path });
    this.#connections.add(connection);
    for (const query of [`USE ${database}`, ...SETTINGS]) {
      await connection.chdb.queryAsync(query, { format: "TabSeparated" }).catch(this.#deps.fail);
    }
    return connection;
  }

  async #open(tenant: string): Promise<Analyst> {
    const { define, fail, lake_engine } = this.#deps;
    for (const statement of viewStatements(tenant, lake_engine?.(tenant))) await define(statement);
    const database = databaseOf(tenant);
    let connection = await this.#connect(database);
    const run = (sql: string, format: string) => connection.chdb.queryAsync(sql, { format }).catch(fail);
    const text = async (sql: string): Promise<string> => (await run(sql, "TabSeparated")).text();
    // After a result that was over its bound chDB answers the next question with nothing: it gets a new connection.
    const renewed = async <T>(asking: Promise<T>): Promise<T> => {
      try {
        return await asking;
      } catch (error) {
        this.#connections.delete(connection);
        await connection.close();
        connection = await this.#connect(database);
        throw error;
      }
    };

    let last: Promise<unknown> = Promise.resolve();
    let waiting = 0;
    return {
      async ask({ query, params, format }): Promise<AnalystAnswer> {
        if (Buffer.byteLength(query) > ANALYST_LIMITS.query_bytes) throw notAQuery("the query is too long");
        if (waiting > ANALYST_LIMITS.waiting) throw new TooManyQueries(`${waiting} queries wait already`);
        waiting += 1;
        const turn = last.then(async () => {
          // Values are text in the engine's own escapes, as they come to a server: parsed by their declared types.
          const bound = Object.entries(params).map(([name, value]) => `param_${name} = ${literal(value)}`);
          if (bound.length > 0) await run(`SET ${bound.join(", ")}`, "TabSeparated");
          const passed = await judge(text, database, query, params);
          const chosen = format(passed.format);
          if (lake_engine && passed.sql.includes("observations_all")) {
            await define(lakeTable(tenant, lake_engine(tenant)));
          }
          const result = await renewed(run(passed.sql, chosen));
          return {
            bytes: result.bytes(),
            format: chosen,
            read_rows: result.rowsRead,
            read_bytes: result.bytesRead,
            elapsed_s: result.elapsed,
          };
        });
        last = turn.catch(() => undefined);
        try {
          return await turn;
        } finally {
          waiting -= 1;
        }
      },
    };
  }
}
