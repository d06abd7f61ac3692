// The embedded engine: ClickHouse in this process, through chDB.
import { Session } from "chdb";
import { createChdbConnection } from "chdb/connection";
import { Analysts } from "../analyst/analysts.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { type Engine, EngineError } from "./engine.ts";
import { Lanes, type Params } from "./lanes.ts";

export type ChdbOptions = {
  /** The data directory; one for each process. */
  path: string;
  /** Raw observations are dropped this many days after their own time. */
  rawRetentionDays: number;
  /** The table engine over a tenant's files in the lake, for analysts; without a lake left out. */
  lake_engine?: ((tenant: string) => string) | undefined;
};

/** What the whole engine may hold, and one query of it (invariant 7). */
const SERVER_MEMORY_BYTES = 3 * 1024 ** 3;
const QUERY_MEMORY_BYTES = 2 * 1024 ** 3;
const QUERY_TIME_MAX_S = 60;
/** Queries planned at once: planning is the work of one core, and there are two. */
const READERS = 2;
/** How much the threads of a roll-up step back, on the system's scale of 19. */
const ROLL_UP_NICE = 10;
/** What grouping and sorting for the lake may hold before they go to the disk. */
const ASIDE_SPILL_BYTES = 256 * 1024 ** 2;

/**
 * ClickHouse's errors that say something of the bytes; everything else (memory, disk, a bug) is the engine's.
 * 6, 25–27, 38, 41, 72, 467 CANNOT_PARSE_…; 32, 33, 117, 130 torn or malformed; 53, 70, 321, 349, 407 of another type
 * or out of its range; 69, 128, 131, 190 arrays and strings that are too long or do not fit together.
 */
const POISON_CODES = new Set([
  6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 190, 321, 349, 407, 467,
]);

/**
 * Rewrites of the analyzer that our queries do not need: they walk shared expressions again for each use, and took
 * 1.1 of the 1.4 s that planning the OEE query once took on an empty table.
 */
const PASSES_OFF = [
  "cross_to_inner_join_rewrite",
  "optimize_aggregators_of_group_by_keys",
  "optimize_and_compare_chain",
  "optimize_arithmetic_operations_in_aggregate_functions",
  "optimize_empty_string_comparisons",
  "optimize_extract_common_expressions",
  "optimize_functions_to_subcolumns",
  "optimize_group_by_function_keys",
  "optimize_injective_functions_in_group_by",
  "optimize_multiif_to_if",
  "optimize_normalize_count_variants",
  "optimize_or_like_chain",
  "optimize_redundant_comparisons",
  "optimize_redundant_functions_in_order_by",
  "optimize_rewrite_aggregate_function_with_if",
  "optimize_rewrite_array_exists_to_has",
  "optimize_rewrite_has_to_in",
  "optimize_rewrite_like_perfect_affix",
  "optimize_rewrite_regexp_functions",
  "optimize_rewrite_sum_if_to_count_if",
  "optimize_syntax_fuse_functions",
  "optimize_time_filter_with_preimage",
];

/**
 * Opens the engine, brings its schema up to date and sets its limits.
 * @throws EngineError where the directory cannot be opened
 */
export async function openChdb({ path, rawRetentionDays, lake_engine }: ChdbOptions): Promise<Engine> {
  if (!Number.isInteger(rawRetentionDays) || rawRetentionDays < 1) {
    throw new RangeError(`rawRetentionDays must be a whole number of days, got ${rawRetentionDays}`);
  }
  // The server's own limit can only be given as an argument to the connection that starts it; this one stays open.
  const server = new Session(path, {
    connectionArgs: [`--max_server_memory_usage=${SERVER_MEMORY_BYTES}`],
  });
  // Settings stick to a connection, so writing and reading have their own.
  const writing = createChdbConnection({ path });
  for (const query of [
    `SET max_memory_usage = ${QUERY_MEMORY_BYTES}`,
    // Late data may belong to any number of days and months.
    "SET max_partitions_per_insert_block = 0",
    "CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic",
    ...SCHEMA_STATEMENTS,
    `ALTER TABLE mtc.observations MODIFY TTL toDateTime64(ts, 0, 'UTC') + INTERVAL ${rawRetentionDays} DAY
     SETTINGS materialize_ttl_after_modify = 0`,
  ]) {
    await writing.command({ query }).catch(fail);
  }
  const asking = [
    `SET max_memory_usage = ${QUERY_MEMORY_BYTES}`,
    `SET max_execution_time = ${QUERY_TIME_MAX_S}`,
    // A key holds its day, and partitions are days, months or years: no two of them hold rows of one key.
    "SET do_not_merge_across_partitions_select_final = 1",
    ...PASSES_OFF.map((pass) => `SET ${pass} = 0`),
  ];
  const readers = new Lanes(path, READERS, [...asking, "SET output_format_json_quote_64bit_integers = 0"]);
  // A roll-up may be of any number of months, and steps back for those who read.
  const roller = new Lanes(path, 1, [
    ...asking,
    "SET max_partitions_per_insert_block = 0",
    `SET os_threads_nice_value_query = ${ROLL_UP_NICE}`,
  ]);
  const aside = new Lanes(path, 1, [
    `SET max_memory_usage = ${QUERY_MEMORY_BYTES}`,
    "SET max_threads = 1",
    `SET os_threads_nice_value_query = ${ROLL_UP_NICE}`,
    `SET max_bytes_before_external_group_by = ${ASIDE_SPILL_BYTES}`,
    `SET max_bytes_before_external_sort = ${ASIDE_SPILL_BYTES}`,
    "SET output_format_json_quote_64bit_integers = 0",
    "SET output_format_parquet_compression_method = 'zstd'",
  ]);
  const maintainer = new Lanes(path, 1, [
    `SET max_memory_usage = ${QUERY_MEMORY_BYTES}`,
    "SET max_partitions_per_insert_block = 0",
    `SET os_threads_nice_value_query = ${ROLL_UP_NICE}`,
  ]);
  // A rebuild's events go in beside those that arrive.
  const rebuilding = createChdbConnection({ path });
  await Promise.all([
    readers.ready(),
    roller.ready(),
    aside.ready(),
    maintainer.ready(),
    rebuilding.command({ query: `SET max_memory_usage = ${QUERY_MEMORY_BYTES}` }),
  ]).catch(fail);
  const analysts = new Analysts({
    path,
    define: (sql) => maintainer.run(sql, {}).catch(fail),
    fail,
    lake_engine,
  });
  const inserting = new Set<{ since_ms: number }>();

  return {
    async insertEvents(bytes, into = "mtc") {
      if (bytes.length === 0) return;
      const insert = { since_ms: Date.now() };
      if (into === "mtc") inserting.add(insert);
      try {
        await (into === "mtc" ? writing : rebuilding).chdb.rawInsert({
          table: `${into}.events_in`,
          values: bytes,
          format: "JSONEachRow",
          settings: { input_format_skip_unknown_fields: 1, max_partitions_per_insert_block: 0 },
        });
      } catch (error) {
        fail(error);
      } finally {
        inserting.delete(insert);
      }
    },
    query: <Row>(sql: string, params: Params) => readers.query<Row>(sql, params).catch(fail),
    run: (sql, params) => roller.run(sql, params).catch(fail),
    aside: {
      query: <Row>(sql: string, params: Params) => aside.query<Row>(sql, params).catch(fail),
      run: (sql, params) => aside.run(sql, params).catch(fail),
    },
    maintain: (sql, params = {}) => maintainer.run(sql, params).catch(fail),
    visibleUntil_us: () => 1_000 * Math.min(Date.now(), ...[...inserting].map(({ since_ms }) => since_ms)),
    analyst: (tenant) => analysts.of(tenant),
    async close() {
      await analysts.close();
      await readers.close();
      await roller.close();
      await aside.close();
      await maintainer.close();
      await rebuilding.close();
      await writing.close();
      server.close();
    },
  };
}

/** Turns whatever the engine threw into an EngineError. */
function fail(error: unknown): never {
  const { message, code, clickhouseCode } = error as {
    message: string;
    code?: string | number;
    clickhouseCode?: number;
  };
  const number = clickhouseCode ?? (Number(code) || Number(/Code: (\d+)/.exec(message)?.[1] ?? 0));
  throw new EngineError(message, number, POISON_CODES.has(number), error);
}
