// The one place that makes our statements those of a cluster of ClickHouse servers: ON CLUSTER, and replicated tables.
import { EngineError } from "./engine.ts";
import { literal } from "./literal.ts";

/** Lines of comment before a statement, and the statement's first words with the name of what it is about. */
const HEAD =
  /^((?:\s|--[^\n]*\n)*)((?:CREATE(?: OR REPLACE)?|DROP|ALTER|TRUNCATE) (?:DATABASE|TABLE|VIEW|MATERIALIZED VIEW|FUNCTION)(?: IF(?: NOT)? EXISTS)? [\w.]+)/;
/** What is the same on one server and on all: rows go to one, and are replicated. */
const DATA = /^(?:\s|--[^\n]*\n)*(?:INSERT|SELECT|WITH)\b/;
const ENGINE = /\bENGINE = (\w*MergeTree)\b(?:\(([^)]*)\))?/;
/** A database whose tables are for good. */
const LASTING = /^mtc\./;
const MOVED = /\b(?:ATTACH|REPLACE) PARTITION\b.* FROM ([\w.]+)/;
/** What one server does for all of them, in its own time. */
const REPLICATED_LATER = /^(?:ALTER|TRUNCATE) TABLE ([\w.]+)$/;

/**
 * Where a table's servers find each other. Of one that is for good the path is its name: a server that comes later, and makes
 * the same table, takes part, while by an id it would have a table of its own that nobody else knows. One that comes and goes
 * has a path by its id, since what a server that was away left under a name would come back into the next table of it.
 */
const placeOf = (table: string): string =>
  LASTING.test(table)
    ? `/clickhouse/tables/{shard}/${table.replace(".", "/")}`
    : "/clickhouse/tables/{uuid}/{shard}";

/** As servers write it down: where a table is replicated. */
const PLACE = /^Replicated(\w+)\('(?:[^'\\]|\\.)*', '(?:[^'\\]|\\.)*'(?:, )?([^)]*)\)/;

/**
 * A statement that makes a table like another one. `AS` alone would take over where that one is replicated, and be refused.
 * @param engine_full as the server writes the other one's engine down, in `system.tables`
 */
export function likeTable(made: string, like: string, engine_full: string): string {
  const engine = engine_full.replace(
    PLACE,
    (_, family: string, args: string) => family + (args && `(${args})`),
  );
  return `CREATE TABLE ${made} AS ${like} ENGINE = ${engine}`;
}

/**
 * A statement as a cluster runs it: on every server, tables of the MergeTree family replicated, by the servers' macros {shard}
 * and {replica}. Partitions are changed by any one of them: before it all have all of what it takes, and after it all have
 * what it made.
 * @param cluster as the servers' configuration calls it; undefined: there is one server, and nothing changes
 * @returns the statements to run, one after the other
 * @throws Error for a statement that this is not known of
 */
export function replicated(sql: string, cluster: string | undefined): string[] {
  if (cluster === undefined || DATA.test(sql)) return [sql];
  const [whole, comment = "", head = ""] = HEAD.exec(sql) ?? [];
  if (whole === undefined) throw new Error(`not known how a cluster runs this: ${sql.slice(0, 100)}`);
  const on_cluster = `ON CLUSTER ${literal(cluster)}`;
  const rest = sql.slice(whole.length);
  const place = `'${placeOf(head.slice(head.lastIndexOf(" ") + 1))}', '{replica}'`;
  const body = head.startsWith("CREATE TABLE")
    ? rest.replace(ENGINE, (_, engine: string, args?: string) => {
        const all = args ? `${place}, ${args}` : place;
        return `ENGINE = Replicated${engine}(${all})`;
      })
    : rest;
  const sync = (table: string | undefined): string[] =>
    table === undefined ? [] : [`SYSTEM SYNC REPLICA ${on_cluster} ${table}`];
  const changed = /^TRUNCATE|PARTITION ID/.test(head + rest) ? REPLICATED_LATER.exec(head)?.[1] : undefined;
  return [
    ...sync(changed === undefined ? undefined : MOVED.exec(rest)?.[1]),
    `${comment}${head} ${on_cluster}${body}`,
    ...sync(changed),
  ];
}

/** ClickHouse's code: a server has not come to know yet what was altered before. */
const CANNOT_ASSIGN_ALTER = 517;
const TRIES = 30;
const AGAIN_MS = 1_000;

/** Runs a statement, and again while a server is still behind with another change of the same table. @throws EngineError */
export async function whenCaughtUp(run: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const is_behind = error instanceof EngineError && error.code === CANNOT_ASSIGN_ALTER;
      if (!is_behind || tries === TRIES) throw error;
      await Bun.sleep(AGAIN_MS);
    }
  }
}
