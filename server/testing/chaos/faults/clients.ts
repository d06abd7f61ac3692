// For tests: what clients do to a program, wherever it runs: too much, too slowly, by half, or wrong.
import { pace, until } from "../../../../.ci/limits.ts";
import { askSql, LONG, MEMORY, newReader } from "../../hostile-sql.ts";
import { TEST_KEY, type TestServer } from "../../server.ts";
import { readSlowly, sendHalf } from "../../slow-clients.ts";
import { between_ms, type Fault, must } from "../fault.ts";

/** What clients know of a program; it may be away at any time. */
export type Served = { origins: readonly string[]; call: TestServer["call"] };

/** Whose figures would show what of a bad batch was kept. */
export const VICTIM = "chaos-0";
const DATA = `/internal/machines/${VICTIM}/data`;

const good = { signal: "part_count", ts: "2026-01-05T06:00:00Z", value: 1_000_000 };
/** Each would be half right. */
const BAD: [body: string, statuses: number[], headers?: Record<string, string>][] = [
  [JSON.stringify({ observations: [good, { signal: "part_count", value: 1 }] }), [422]],
  [JSON.stringify({ observations: [good, { ...good, ts: "2026-02-30T06:00:00Z" }] }), [422]],
  [JSON.stringify({ observations: [good, { ...good, value: "x".repeat(5_000) }] }), [422]],
  [
    JSON.stringify({
      signals: ["part_count"],
      signal: [0, 1],
      t0: 1_767_592_800_000_000,
      dt: [0, 1],
      num: [1, 2],
    }),
    [422],
  ],
  [`{"observations":[${JSON.stringify(good)},`, [400, 422]],
  [JSON.stringify({ observations: [good] }), [400, 422], { "content-encoding": "gzip" }],
];

export const poisonBatch: Fault<Served> = {
  name: "bad batches",
  async run(plant) {
    for (const [body, statuses, headers] of BAD) {
      const status = await until(async () => {
        const answer = await post(plant, body, headers).catch(() => undefined);
        return answer !== 503 && answer;
      });
      must(statuses.includes(status), `a bad batch is answered with ${status}: ${body.slice(0, 200)}`);
    }
    return performance.now();
  },
};

async function post(
  { origins }: Served,
  body: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(`${origins[0]}${DATA}`, {
    method: "POST",
    headers: { "x-api-key": TEST_KEY, "content-type": "application/json", ...headers },
    body,
  });
  await response.text();
  return response.status;
}

const LEAVE_MS = 700;

/** More memory than a question may have, and one that is left before there is an answer. */
export const greedyQuestion: Fault<Served> = {
  name: "greedy questions at /sql/",
  async run({ origins, call }) {
    const origin = origins[0] ?? "";
    const key = await until(() => newReader({ call }, "greedy").catch(() => undefined));
    await askSql(origin, key, MEMORY).catch(() => undefined);
    await askSql(origin, key, LONG, AbortSignal.timeout(LEAVE_MS)).catch(() => undefined);
    return performance.now();
  },
};

const READERS = 20;
const SLOW_MS = [500, 3_000] as const;
const portOf = ({ origins }: Served): number => Number(new URL(origins[0] ?? "").port);

export const slowReaders: Fault<Served> = {
  name: "streams that nobody reads",
  async run(plant, random) {
    const port = portOf(plant);
    const readers = Array.from({ length: READERS }, () =>
      readSlowly(port, "/api/v1/stream", TEST_KEY, Number.POSITIVE_INFINITY),
    );
    await pace(between_ms(random, ...SLOW_MS));
    for (const reader of readers) reader.destroy();
    return performance.now();
  },
};

/** Half of a batch that would be right, from clients that are gone then. */
export const halfUpload: Fault<Served> = {
  name: "clients that leave within a body",
  async run(plant, random) {
    const body = JSON.stringify({ observations: [good] });
    const clients = Array.from({ length: READERS }, () =>
      sendHalf(portOf(plant), DATA, { type: "application/json", body, key: TEST_KEY }),
    );
    await pace(between_ms(random, ...SLOW_MS));
    for (const client of clients) client.destroy();
    return performance.now();
  },
};

export const CLIENTS: Fault<Served>[] = [poisonBatch, greedyQuestion, slowReaders, halfUpload];
