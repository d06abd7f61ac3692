// What the program's connections to ClickHouse are set to, embedded or not, and what its errors mean.
import { EngineAway, EngineError } from "./engine.ts";

export type Settings = Record<string, string | number>;

/** What one query may hold (invariant 7). */
const QUERY_MEMORY_BYTES = 2 * 1024 ** 3;
const QUERY_TIME_MAX_S = 60;
/** How much the threads of what nobody waits for step back, on the system's scale of 19. */
export const BACKGROUND_NICE = 10;
/** What grouping and sorting for the lake may hold before they go to the disk. */
const ASIDE_SPILL_BYTES = 256 * 1024 ** 2;

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
 * Machine code is made of an expression the fourth time it is met, for each shape of each query: 0.5 s of a core in the
 * fourth roll-up after a start, 0.1 s in the third of every kind of report. It won nothing back: 200 machines with 2,000
 * observations a day each roll up no faster by it.
 */
const NO_MACHINE_CODE: Settings = { compile_expressions: 0, compile_aggregate_expressions: 0 };

const QUERY = { max_memory_usage: QUERY_MEMORY_BYTES };
/** Late data may belong to any number of days and months. */
const ANY_PARTITIONS = { max_partitions_per_insert_block: 0 };
const NUMBERS = { output_format_json_quote_64bit_integers: 0 };
const ASKING: Settings = {
  ...QUERY,
  max_execution_time: QUERY_TIME_MAX_S,
  // A key holds its day, and partitions are days, months or years: no two of them hold rows of one key.
  do_not_merge_across_partitions_select_final: 1,
  ...NO_MACHINE_CODE,
  ...Object.fromEntries(PASSES_OFF.map((pass) => [pass, 0])),
};

/** With every insert of events: keys this release does not know are passed over. */
export const INSERTING: Settings = { input_format_skip_unknown_fields: 1, ...ANY_PARTITIONS };
/** Events in. */
export const WRITING: Settings = { ...QUERY, ...ANY_PARTITIONS };
/** A rebuild's events go in beside those that arrive. */
export const REBUILDING: Settings = QUERY;
export const READING: Settings = { ...ASKING, ...NUMBERS };
/**
 * A roll-up may be of any number of months. Its sweep goes through each machine's time in order, so a second thread only hands
 * over: on two cores 100 machines of 30 days take 5.0 s with one and 6.3 s with two, 3 machines of a day the same.
 */
export const ROLLING: Settings = { ...ASKING, ...ANY_PARTITIONS, max_threads: 1 };
export const ASIDE: Settings = {
  ...QUERY,
  max_threads: 1,
  os_threads_nice_value_query: BACKGROUND_NICE,
  max_bytes_before_external_group_by: ASIDE_SPILL_BYTES,
  max_bytes_before_external_sort: ASIDE_SPILL_BYTES,
  ...NUMBERS,
  output_format_parquet_compression_method: "zstd",
};
/** Alike with nothing else: the embedded engine gives each kind connections of its own. */
export const PINGING: Settings = { max_threads: 1, max_execution_time: 5 };
export const MAINTAINING: Settings = {
  ...QUERY,
  ...ANY_PARTITIONS,
  os_threads_nice_value_query: BACKGROUND_NICE,
};

/**
 * ClickHouse's errors that say something of the bytes; everything else (memory, disk, a bug) is the engine's.
 * 6, 25–27, 38, 41, 72, 467 CANNOT_PARSE_…; 32, 33, 117, 130 torn or malformed; 53, 70, 321, 349, 407 of another type
 * or out of its range; 69, 128, 131, 190 arrays and strings that are too long or do not fit together.
 */
const POISON_CODES = new Set([
  6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 190, 321, 349, 407, 467,
]);

/** What is said where no answer came: of the system, of Bun's fetch, of node's client. */
const AWAY = /ECONN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|Connection|Socket|socket|Timeout/;

/** Of a refusal without a body, the client tells no more: a server's own always has words. */
const WORDLESS =
  "the request was refused without a word, as by a proxy before the server whose bounds it is over, or that does not reach it";

/** Turns whatever the engine threw into an EngineError. */
export function fail(error: unknown): never {
  if (error instanceof EngineError) throw error;
  const { message: said, code } = error as { message: string; code?: string | number };
  const message = said.trim() || WORDLESS;
  const number = Number(code) || Number(/Code: (\d+)/.exec(message)?.[1] ?? 0);
  if (number === 0 && AWAY.test(`${code} ${message}`)) throw new EngineAway(message, error);
  throw new EngineError(message, number, POISON_CODES.has(number), error);
}
