// The Kafka bus against real brokers: the contract, the topics, the messages, what a broker refuses.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ConfigResourceTypes, type Consumer, type KafkaMessage } from "kafkajs";
import { limit_ms, until } from "../../.ci/limits.ts";
import { type Brokers, hasKafka, startBrokers } from "../testing/brokers.ts";
import { joined } from "../testing/stretch.ts";
import "../testing/zstd.ts";
import { busContract, line } from "./bus.contract.ts";
import type { Bus } from "./bus.ts";
import { kafkaOf, openKafkaBus } from "./kafka.ts";

setDefaultTimeout(limit_ms(120));
const options = { topic: "raw_data", partitions: 3, group: "mtc" };

describe.skipIf(!hasKafka)("with a Kafka broker", () => {
  let brokers: Brokers;
  let bus: Bus;
  let consumer: Consumer;
  const seen: { partition: number; message: KafkaMessage }[] = [];
  const dead: KafkaMessage[] = [];

  beforeAll(async () => {
    brokers = await startBrokers(1);
    bus = openKafkaBus({ ...options, brokers: brokers.addresses });
    await bus.deliver(joined([line("before", 1)]));
    consumer = kafkaOf(brokers.addresses).consumer({ groupId: options.group });
    await consumer.connect();
    await consumer.subscribe({ topics: ["raw_data", "raw_data.dlq"], fromBeginning: true });
    await consumer.run({
      autoCommitThreshold: 1,
      eachMessage: async ({ topic, partition, message }) => {
        if (topic === "raw_data.dlq") dead.push(message);
        else seen.push({ partition, message });
      },
    });
  });
  afterAll(async () => {
    await consumer?.disconnect();
    await bus?.close();
    await brokers?.stop();
  });

  const text = (message: KafkaMessage): string => message.value?.toString() ?? "";
  const ofMachine = (machine: string) => seen.filter(({ message }) => message.key?.toString() === machine);
  const seqOf = (message: KafkaMessage): number =>
    (JSON.parse(text(message)) as { data: { seq: number[] } }).data.seq[0] ?? 0;

  busContract(async () => ({
    bus,
    read: async (machine) =>
      [...new Set(ofMachine(machine).map(({ message }) => seqOf(message)))].sort((a, b) => a - b),
  }));

  test("invariant 8: the bytes are the event's, the key is the machine, the content type says what it is", async () => {
    const event = line("bytes", 7);
    await bus.deliver(joined([event]));
    await until(() => ofMachine("bytes").length > 0);
    const [{ message } = { message: undefined }] = ofMachine("bytes");
    expect(message?.value).toEqual(Buffer.from(event.slice(0, -1)));
    expect(message?.headers?.["content-type"]?.toString()).toBe(
      "application/cloudevents+json; charset=UTF-8",
    );
  });

  test("a machine's events are in one partition, in order", async () => {
    const machines = Array.from({ length: 20 }, (_, i) => `machine-${i}`);
    for (let batch = 0; batch < 10; batch++)
      await bus.deliver(
        joined([1, 2, 3].flatMap((n) => machines.map((machine) => line(machine, 3 * batch + n)))),
      );
    await until(() => machines.every((machine) => ofMachine(machine).length >= 30));
    for (const machine of machines) {
      expect(new Set(ofMachine(machine).map(({ partition }) => partition)).size).toBe(1);
      const seqs = ofMachine(machine).map(({ message }) => seqOf(message));
      expect(seqs).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    }
    expect(new Set(seen.map(({ partition }) => partition)).size).toBe(3);
  });

  test("the topics have their policies", async () => {
    const admin = kafkaOf(brokers.addresses).admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: ["raw_data", "raw_data.dlq"].map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    });
    const [raw, letters] = resources.map(({ configEntries }) =>
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    );
    const week = String(7 * 86_400_000);
    expect(raw).toMatchObject({
      "cleanup.policy": "compact,delete",
      "retention.ms": week,
      "min.compaction.lag.ms": week,
      "max.message.bytes": "16777216",
      "retention.bytes": String(8 * 1024 ** 3),
      "compression.type": "zstd",
    });
    expect(letters).toMatchObject({
      "cleanup.policy": "compact,delete",
      "max.message.bytes": "33554432",
      "retention.bytes": String(1024 ** 3),
      "compression.type": "gzip",
    });
    // The broker's health check, as in compose.yaml.
    const port = brokers.addresses[0]?.split(":")[1] ?? "";
    const check = Bun.spawn(["bash", `${import.meta.dir}/../../deploy/kafka/answers.sh`, port]);
    expect(await check.exited).toBe(0);
    // Opened again, they stay as somebody made them.
    await admin.createPartitions({ topicPartitions: [{ topic: "raw_data", count: 4 }] });
    await admin.disconnect();
    const again = openKafkaBus({ ...options, brokers: brokers.addresses });
    await again.deliver(joined([line("again-open", 1)]));
    await again.close();
  });

  test("what is too large for the topic goes to the dead letters with its reason; with others it is split first", async () => {
    const huge = line("huge", 1, "x".repeat(17 * 1024 * 1024));
    await expect(bus.deliver(joined([line("small", 1), huge]))).rejects.toMatchObject({
      too_large: true,
    });
    await bus.deliver(joined([huge]));
    await until(() => dead.length > 0);
    const [letter] = dead;
    expect(letter?.value?.length).toBe(huge.length - 1);
    expect(letter?.headers?.reason?.toString()).toContain("larger than the max message size");
    expect(letter?.headers?.["refused-by"]?.toString()).toBe("broker");
    // And what not even they take is poison.
    await expect(
      bus.deliver(joined([line("monster", 1, "x".repeat(40 * 1024 * 1024))])),
    ).rejects.toMatchObject({
      poison: true,
    });
    await bus.deliver(joined([line("small", 1)]));
    await until(() => ofMachine("small").length > 0);
  });
});
