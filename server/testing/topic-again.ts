// For tests: a cluster's topic, read again from its first message, with each message there twice more.
import type { KafkaMessage } from "kafkajs";
import { openClickHouse } from "../../analytics-sql/engine/clickhouse.ts";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { closeSource, openSource } from "../../analytics-sql/kafka/source.ts";
import { kafkaOf, openKafkaBus } from "../../ingest/outbox/kafka.ts";
import { readTopic } from "../../ingest/testing/topic.ts";
import { type KafkaConfig, parseKafka } from "../cluster-config.ts";
import { KAFKA_CONSUMERS } from "../engine.ts";
import type { Cluster } from "./cluster.ts";

/** All that the topic's events say; figures are made of it. */
const TABLES = [
  "observations",
  "signal_points",
  "machines",
  "calendars",
  "cycle_times",
  "policies",
  "downtime",
  "reasons",
  "rejects",
  "lots",
  "spike_decisions",
  "gaps",
  "assets",
];

/**
 * Sends each message of the topic twice more, and has ClickHouse read all of it in another group, from the start.
 * @param read resolves when the group that it always has is done with it as well
 * @returns messages that there were, and of each table its rows and their sum, before and after
 */
export async function replayTwice(cluster: Cluster, read: () => Promise<void>) {
  const kafka = parseKafka(cluster.settings);
  if (!kafka) throw new Error("a cluster has brokers");
  const url = cluster.settings.MTC_CLICKHOUSE_URL ?? "";
  const engine = await openClickHouse({ url, rawRetentionDays: 36_500 });
  const source = { ...kafka, consumers: KAFKA_CONSUMERS };
  const again = { ...source, group: "mtc-again" };
  const bus = openKafkaBus(again);
  try {
    const before = await sumsOf(engine);
    const messages = await readTopic(kafka.brokers, kafka.topic);
    await closeSource(engine);
    await sendTwice(kafka, messages);
    await openSource(engine, again);
    await bus.settled();
    await closeSource(engine);
    await openSource(engine, source);
    await read();
    return { messages: messages.length, before, after: await sumsOf(engine) };
  } finally {
    await Promise.all([bus.close(), engine.close()]);
  }
}

/** Sends each message twice more, in the order in which they are given. */
export async function sendTwice({ brokers, topic }: KafkaConfig, messages: KafkaMessage[]): Promise<void> {
  const producer = kafkaOf(brokers).producer();
  await producer.connect();
  try {
    for (const { key, value, headers = {} } of messages) {
      const message = { key, value, headers };
      await producer.send({ topic, messages: [message, message] });
    }
  } finally {
    await producer.disconnect();
  }
}

async function sumsOf(engine: Pick<Engine, "query">): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of TABLES)
    [found[table]] = await engine.query(
      `SELECT count() AS rows, toString(sum(cityHash64(*))) AS sum FROM mtc.${table} FINAL`,
      {},
    );
  return found;
}
