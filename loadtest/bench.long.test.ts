// Every bench that `bench.test.ts` leaves out, and the way by Kafka, at a size that proves nothing but that it works.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { hasKafka } from "../ingest/testing/brokers.ts";
import { bench, expectFigures } from "./lib/tiny.ts";

test.skipIf(!hasKafka)("the way by Kafka says its figures, and every row is there, once", async () => {
  const lines = await bench("kafka");
  expect(lines.map(({ name }) => name)).toEqual([
    "kafka.delivered",
    "kafka.drained",
    "kafka.queryable",
    "kafka.delay_p50",
    "kafka.delay_p99",
  ]);
  for (const { value } of lines) expect(value).toBeGreaterThan(0);
});

test(
  "invariants 1 and 2: every bench says its figures, and what was acknowledged is there, once",
  () =>
    expectFigures({
      start: [["start.ready", "s"]],
      burst: [
        ["burst.columns", "observations/s"],
        ["burst.ack_p99", "ms"],
      ],
      single: [["single.requests", "requests/s"]],
      ingest: [
        ["ingest.columns", "observations/s"],
        ["ingest.rows", "observations/s"],
        ["ingest.raw", "observations/s"],
      ],
      delay: [["delay.p99", "ms"]],
      queries: [
        ["queries.oee.plant_by_hour", "ms"],
        ["queries.states.machine", "ms"],
        ["queries.page.hmi", "ms"],
        ["queries.page.dashboard", "ms"],
      ],
      "roll-ups": [["roll-ups.by_day.20x3", "ms"]],
      memory: [["memory.rss", "MB"]],
      cost: [
        ["cost.insert.16", "CPU ms"],
        ["cost.cpu.2", "CPU s per machine-minute"],
        ["cost.memory.2", "MB"],
      ],
    }),
  limit_ms(300),
);
