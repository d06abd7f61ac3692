// What the longest test files cost: how long each takes on a quiet machine, and how much of a core it keeps busy meanwhile.

/** Seconds, and cores: a file that mostly waits leaves room for another beside it. */
export type Cost = { seconds: number; cores: number };

/**
 * As `.ci/test.ts` last printed them; it does not see what a browser's own processes take, so those were measured by cgroup.
 * It may be wrong: then the suite takes longer, nothing else.
 */
const KNOWN: Record<string, Cost> = {
  "server/screens.browser.test.ts": { seconds: 75, cores: 1.3 },
  "server/drift.acceptance.test.ts": { seconds: 70, cores: 0.7 },
  // Its processes, broker and store take one core on average, and now and then both: only what waits may run beside it.
  "server/cluster.acceptance.test.ts": { seconds: 137, cores: 1.5 },
  "ingest/store/mongo.crash.test.ts": { seconds: 34, cores: 0.8 },
  "ingest/outbox/kafka.acceptance.test.ts": { seconds: 57, cores: 0.6 },
  "server/rebuild.acceptance.test.ts": { seconds: 50, cores: 1.2 },
  "server/crash.acceptance.test.ts": { seconds: 42, cores: 1.3 },
  "analytics-sql/lake/lake.test.ts": { seconds: 16, cores: 0.7 },
  "server/move.acceptance.test.ts": { seconds: 80, cores: 1 },
  "views/pages.browser.test.ts": { seconds: 80, cores: 0.7 },
  "analytics-sql/kafka/kafka.test.ts": { seconds: 75, cores: 0.5 },
  "server/recordings.acceptance.test.ts": { seconds: 64, cores: 0.85 },
  "server/recorded.acceptance.test.ts": { seconds: 63, cores: 0.5 },
  "analytics-sql/rebuild/shadow.test.ts": { seconds: 22, cores: 0.65 },
  "analytics-sql/queries/figures.test.ts": { seconds: 56, cores: 0.75 },
  "server/kafka.acceptance.test.ts": { seconds: 55, cores: 0.5 },
  "loadtest/bench.test.ts": { seconds: 47, cores: 1 },
  "server/stream.acceptance.test.ts": { seconds: 43, cores: 0.4 },
  "server/demo.browser.test.ts": { seconds: 40, cores: 0.85 },
  "server/parts.acceptance.test.ts": { seconds: 39, cores: 0.5 },
  "server/kiosk.browser.test.ts": { seconds: 38, cores: 0.85 },
  "server/operator.browser.test.ts": { seconds: 37, cores: 0.85 },
  "analytics-sql/queries/oee.test.ts": { seconds: 37, cores: 1 },
  "server/figures.acceptance.test.ts": { seconds: 36, cores: 0.65 },
  "server/downtime.acceptance.test.ts": { seconds: 33, cores: 0.65 },
  "server/setup.browser.test.ts": { seconds: 32, cores: 1 },
  "server/calendar.acceptance.test.ts": { seconds: 31, cores: 0.6 },
  "server/kafka-secured.test.ts": { seconds: 30, cores: 0.5 },
  "server/users.acceptance.test.ts": { seconds: 20, cores: 0.5 },
  "server/modbus.acceptance.test.ts": { seconds: 27, cores: 0.5 },
  "server/dead-letters-kafka.test.ts": { seconds: 25, cores: 0.5 },
  "ingest/outbox/kafka.test.ts": { seconds: 23, cores: 0.5 },
};

/** @returns what a file costs; of one that is not known a guess from its name */
export function costOf(file: string): Cost {
  const guess = /\.(acceptance|browser|crash|e2e)\.test\./.test(file) ? 20 : 5;
  return KNOWN[file] ?? { seconds: guess, cores: 1 };
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
