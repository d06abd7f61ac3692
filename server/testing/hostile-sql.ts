// For tests: what a read key asks of /sql/ to stop the program with, each by another way round the engine's bounds.
import type { TestServer } from "./server.ts";

/** Sorts millions of numbers by a lambda, again and again and each time otherwise: longer than a query may take on any machine. */
const SORTED = Array.from({ length: 20 }, (_, i) => i).reduce(
  (of, i) => `arraySort(x -> cityHash64(x, ${i}), ${of})`,
  "range(10000000)",
);
export const LAMBDA = `SELECT length(${SORTED})`;

const ALTERNATIVES = Array.from({ length: 5_000 }, (_, i) => `a.*${i}x`).join("|");
/**
 * Heeds no cancelling: one call of a function, with a pattern that the engine's library takes minutes for. It is a
 * constant, so whoever judges the query by explaining it computes it.
 */
export const PATTERN = `SELECT match(repeat('abcdefghij', 100000), '(${ALTERNATIVES})')`;

/** Long, and cancelled at once when it is asked to. */
export const LONG =
  "SELECT count() FROM (SELECT arrayJoin(range(100000)) AS a) AS x CROSS JOIN (SELECT arrayJoin(range(100000)) AS b) AS y WHERE cityHash64(a, b) = 0";

/** More memory than a query may have. */
export const MEMORY = "SELECT length(groupArray(x)) FROM (SELECT arrayJoin(range(400000000)) AS x)";

const RING = "arrayMap(i -> (toFloat64(i), toFloat64(i * 7919 % 1000)), range(20000))";
/** Functions that allocate beside every bound, and are no functions for analysts. */
export const NATIVE: [what: string, query: string][] = [
  [
    "polygonsUnionCartesian of 20,000 points",
    `SELECT length(polygonsUnionCartesian([[${RING}]], [[${RING}]]))`,
  ],
  ["printf of two billion digits", "SELECT length(printf('%2000000000d', 1))"],
];

/** What explaining would compute, were it asked to. */
export const EXPLAINED = `EXPLAIN QUERY TREE ${PATTERN}`;

/** ClickHouse's code of an answer; undefined of one that is none of its errors. */
export const codeOf = ({ headers }: Response): string | undefined =>
  headers.get("x-clickhouse-exception-code") ?? undefined;

/** Asks /sql/ with a key. */
export const askSql = (origin: string, key: string, query: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${origin}/sql/`, {
    method: "POST",
    headers: { "x-api-key": key },
    body: query,
    ...(signal ? { signal } : {}),
  });

/** A key that may read, and no more. */
export async function newReader({ call }: Pick<TestServer, "call">, name: string): Promise<string> {
  const { body } = await call<{ key: string }>("POST", "/api/v1/keys", { name, scopes: ["read"] });
  return body.key;
}
