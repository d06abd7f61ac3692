// The one place that makes our statements those of a cluster of ClickHouse servers: ON CLUSTER, and replicated tables.
import { literal } from "./literal.ts";

/** Lines of comment before a statement, and the statement's first words with the name of what it is about. */
const HEAD =
  /^((?:\s|--[^\n]*\n)*)((?:CREATE(?: OR REPLACE)?|DROP|ALTER|TRUNCATE) (?:DATABASE|TABLE|VIEW|MATERIALIZED VIEW|FUNCTION)(?: IF(?: NOT)? EXISTS)? [\w.]+)/;
/** What is the same on one server and on all: rows go to one, and are replicated. */
const DATA = /^(?:\s|--[^\n]*\n)*(?:INSERT|SELECT|WITH)\b/;
const ENGINE = /\bENGINE = (\w*MergeTree)\b/;
const MOVED = /\b(?:ATTACH|REPLACE) PARTITION\b.* FROM ([\w.]+)/;
/** What one server does for all of them, in its own time. */
const REPLICATED_LATER = /^(?:ALTER|TRUNCATE) TABLE ([\w.]+)$/;

/**
 * A statement as a cluster runs it: on every server, tables of the MergeTree family replicated, under the path that the
 * servers' own settings have for that (by the macros {uuid}, {shard} and {replica}). Partitions are changed by any one of
 * them: before it all have all of what it takes, and after it all have what it made.
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
  const body = head.startsWith("CREATE TABLE")
    ? rest.replace(ENGINE, (_, engine: string) => `ENGINE = Replicated${engine}`)
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
