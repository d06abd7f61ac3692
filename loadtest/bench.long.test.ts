// The bench of the way by Kafka, at a size that proves nothing but that it works.
import { expect, test } from "bun:test";
import { hasKafka } from "../ingest/testing/brokers.ts";
import { bench } from "./lib/tiny.ts";

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
