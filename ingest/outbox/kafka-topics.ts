// The topics that MTC uses and the policies they are made with.
import type { Admin } from "kafkajs";

const DAY_MS = 86_400_000;
/** An event is at most a body of 8 MiB and its envelope, and so is what the relay sends at once. */
const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;
/** Copies of each partition, where there are as many brokers; one of them may be away and nothing stops. */
const REPLICAS = 3;

/**
 * Of a partition, beside its time: what waits for ClickHouse, as the outbox does, must not fill the brokers' disk. The oldest
 * goes, which a rebuild brings back from the log.
 */
const RAW_PARTITION_BYTES = 8 * 1024 ** 3;
const DEAD_LETTER_BYTES = 1024 ** 3;

/** `raw_data` keeps all of a week, and of each key the latest until it is a week old as well. */
const RAW_POLICY = {
  "cleanup.policy": "compact,delete",
  "min.compaction.lag.ms": 7 * DAY_MS,
  "retention.ms": 7 * DAY_MS,
  "retention.bytes": RAW_PARTITION_BYTES,
  // By the broker, once for all copies and readers: what is sent is not packed.
  "compression.type": "zstd",
  "max.message.bytes": MESSAGE_MAX_BYTES,
};
/** Dead letters stay for a month; what is settled is a tombstone, and stays as long. Twice as much fits in. */
const DEAD_LETTER_POLICY = {
  "cleanup.policy": "compact,delete",
  "min.compaction.lag.ms": DAY_MS,
  "retention.ms": 30 * DAY_MS,
  "retention.bytes": DEAD_LETTER_BYTES,
  // Read by kafkajs, which unpacks nothing else.
  "compression.type": "gzip",
  "delete.retention.ms": 30 * DAY_MS,
  "max.message.bytes": 2 * MESSAGE_MAX_BYTES,
};

export const deadLettersOf = (topic: string): string => `${topic}.dlq`;
export const avroOf = (topic: string): string => `${topic}.avro`;

/** Makes the topics that are not there yet; those that are stay as somebody made them. @throws KafkaJSError */
export async function makeTopics(
  admin: Admin,
  topic: string,
  partitions: number,
  with_avro = false,
): Promise<void> {
  const there = new Set(await admin.listTopics());
  const { brokers } = await admin.describeCluster();
  const replicas = Math.min(REPLICAS, brokers.length);
  const wanted = [
    { name: topic, partitions, policy: RAW_POLICY },
    ...(with_avro ? [{ name: avroOf(topic), partitions, policy: RAW_POLICY }] : []),
    { name: deadLettersOf(topic), partitions: 1, policy: DEAD_LETTER_POLICY },
  ];
  const topics = wanted
    .filter(({ name }) => !there.has(name))
    .map(({ name, partitions, policy }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replicas,
      configEntries: Object.entries({ ...policy, "min.insync.replicas": Math.max(1, replicas - 1) }).map(
        ([key, value]) => ({ name: key, value: String(value) }),
      ),
    }));
  if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
}

/** @returns the first of our topics that has a message; undefined where none has, or none is there @throws KafkaJSError */
export async function fullTopic(admin: Admin, topic: string): Promise<string | undefined> {
  const there = new Set(await admin.listTopics());
  for (const name of [topic, deadLettersOf(topic), avroOf(topic)].filter((name) => there.has(name))) {
    const partitions = await admin.fetchTopicOffsets(name);
    if (partitions.some(({ low, high }) => low !== high)) return name;
  }
  return undefined;
}
