// What the longest test files cost: how long each takes on a quiet machine, and how much of a core it keeps busy meanwhile.

/** Seconds, and cores: a file that mostly waits leaves room for another beside it. */
export type Cost = { seconds: number; cores: number };

/**
 * One file at a time, by cgroup: `.ci/test.ts` does not see what processes take that are killed, or a browser's own.
 * It may be wrong: then the suite takes longer, nothing else.
 */
const KNOWN: Record<string, Cost> = {
  // Its processes, broker and store take one core on average, and now and then both: only what waits may run beside it.
  "server/cluster.acceptance.test.ts": { seconds: 137, cores: 1.5 },
  "server/screens.browser.test.ts": { seconds: 75, cores: 1.3 },
  "server/drift.acceptance.test.ts": { seconds: 70, cores: 0.7 },
  "ingest/outbox/kafka.acceptance.test.ts": { seconds: 57, cores: 0.6 },
  "server/kafka.acceptance.test.ts": { seconds: 57, cores: 0.6 },
  "analytics-sql/kafka/kafka.test.ts": { seconds: 56, cores: 0.35 },
  "views/pages.browser.test.ts": { seconds: 53, cores: 0.65 },
  "server/rebuild.acceptance.test.ts": { seconds: 50, cores: 1.2 },
  "server/crash.acceptance.test.ts": { seconds: 42, cores: 1.3 },
  "server/stream.acceptance.test.ts": { seconds: 39, cores: 0.3 },
  "server/setup.browser.test.ts": { seconds: 36, cores: 1.3 },
  "ingest/store/mongo.crash.test.ts": { seconds: 34, cores: 0.8 },
  "analytics-sql/queries/figures.test.ts": { seconds: 34, cores: 0.8 },
  "server/recordings.acceptance.test.ts": { seconds: 33, cores: 1.1 },
  "server/operator.browser.test.ts": { seconds: 33, cores: 1.2 },
  "loadtest/bench.test.ts": { seconds: 32, cores: 1 },
  "server/kiosk.browser.test.ts": { seconds: 32, cores: 0.65 },
  "server/move.acceptance.test.ts": { seconds: 31, cores: 1.1 },
  "server/figures.acceptance.test.ts": { seconds: 27, cores: 0.7 },
  "server/demo.browser.test.ts": { seconds: 26, cores: 1.2 },
  "server/recorded.acceptance.test.ts": { seconds: 25, cores: 0.8 },
  "server/downtime.acceptance.test.ts": { seconds: 25, cores: 0.6 },
  "server/dead-letters-kafka.test.ts": { seconds: 25, cores: 0.5 },
  "analytics-sql/queries/oee.test.ts": { seconds: 23, cores: 1 },
  "ingest/outbox/kafka.test.ts": { seconds: 23, cores: 0.5 },
  "analytics-sql/rebuild/shadow.test.ts": { seconds: 22, cores: 0.65 },
  "server/calendar.acceptance.test.ts": { seconds: 22, cores: 0.65 },
  "server/parts.acceptance.test.ts": { seconds: 20, cores: 0.6 },
  "server/users.acceptance.test.ts": { seconds: 20, cores: 0.5 },
  "server/modbus.acceptance.test.ts": { seconds: 20, cores: 0.75 },
  "server/kafka-secured.test.ts": { seconds: 18, cores: 0.35 },
  "analytics-sql/lake/lake.test.ts": { seconds: 16, cores: 0.7 },
};

/** @returns what a file costs; of one that is not known a guess from its name */
export function costOf(file: string): Cost {
  const guess = /\.(acceptance|crash|e2e)\.test\./.test(file)
    ? { seconds: 20, cores: 0.65 }
    : { seconds: file.includes(".browser.") ? 20 : 5, cores: 1 };
  return KNOWN[file] ?? guess;
}

/**
 * Takes the next file out of those that wait: the longest that there is room for.
 * @param waiting longest first
 * @param running costs of those that run
 */
export function takeNext(
  waiting: string[],
  running: Iterable<Cost>,
  { cores, files }: { cores: number; files: number },
): string | undefined {
  const busy = [...running];
  if (busy.length >= files) return undefined;
  const used = busy.reduce((sum, cost) => sum + cost.cores, 0);
  // Sums of fractions are not exact.
  const next = waiting.findIndex((file) => busy.length === 0 || used + costOf(file).cores <= cores + 0.001);
  return next < 0 ? undefined : waiting.splice(next, 1)[0];
}
