// Events through a real Kafka broker into ClickHouse's Kafka engine: how many, and how long one takes.
import { hasKafka } from "../../ingest/testing/brokers.ts";
import type { KafkaJob, KafkaRun } from "../lib/kafka.process.ts";
import { runProcess } from "../lib/process.ts";
import { type Bench, round } from "../lib/report.ts";
import { spread } from "../lib/stats.ts";

const NOTE =
  "one broker, 12 partitions, chDB as the consumer; broker, producer and consumer on the same two cores";

export const kafka: Bench = {
  name: "kafka",
  async run({ sizes, report, progress }) {
    if (!hasKafka) return progress("left out: there is no Kafka here (`bun run test` fetches it)");
    const runs: KafkaRun[] = [];
    for (let round = 0; round < sizes.rounds; round++) {
      progress(`round ${round + 1} of ${sizes.rounds}`);
      const series = { kind: "telemetry" as const, machines: 100, rows: 500, base_us: 1_767_592_800_000_000 };
      const job: KafkaJob = {
        series,
        warmup_batches: sizes.warmup_batches,
        batches: sizes.columns_batches,
        singles: 20 * sizes.rounds,
      };
      runs.push(await runProcess<KafkaJob, KafkaRun>("kafka.process.ts", job));
    }
    const per_second = (of: (run: KafkaRun) => number) => spread(runs.map((run) => run.rows / of(run)));
    const unit = "observations/s";
    report({
      name: "kafka.delivered",
      ...per_second((run) => run.delivered_s),
      unit,
      note: `acknowledged; ${NOTE}`,
    });
    report({
      name: "kafka.drained",
      ...per_second((run) => run.drained_s),
      unit,
      note: `a backlog, until all can be queried; ${NOTE}`,
    });
    report({
      name: "kafka.queryable",
      ...per_second((run) => run.queryable_s),
      unit,
      note: `delivered while it is read, until all can be queried; ${NOTE}`,
    });
    const [last] = runs.slice(-1);
    for (const [name, value] of Object.entries(last?.delay_ms ?? {}))
      report({
        name: `kafka.delay_${name}`,
        value: round(value),
        unit: "ms",
        note: "one event, from its delivery until it can be queried",
      });
  },
};
