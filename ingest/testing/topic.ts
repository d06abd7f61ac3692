// Reads a Kafka topic as it is by now, from its first message to its last.
import type { KafkaMessage } from "kafkajs";
import { kafkaOf } from "../outbox/kafka.ts";
import "./zstd.ts";

/** @returns all messages up to the ends that the partitions have now, of each partition in its order */
export async function readTopic(addresses: string[], topic: string): Promise<KafkaMessage[]> {
  const kafka = kafkaOf(addresses);
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const open = new Map(
    offsets
      .filter(({ low, high }) => Number(high) > Number(low))
      .map(({ partition, high }) => [partition, Number(high)]),
  );
  const messages: KafkaMessage[] = [];
  if (open.size === 0) return messages;
  const consumer = kafka.consumer({ groupId: `reader-${crypto.randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const end = open.get(batch.partition);
      messages.push(...batch.messages.filter(({ offset }) => Number(offset) < (end ?? 0)));
      if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) open.delete(batch.partition);
      if (open.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return messages;
}
