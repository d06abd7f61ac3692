// The bus as a Kafka topic: events as they are, keyed by machine, one request in flight, acknowledged by all replicas.
import {
  Kafka,
  logLevel,
  type Message,
  type PartitionerArgs,
  Partitioners,
  type Producer,
  type SASLOptions,
  type TopicMessages,
} from "kafkajs";
import { headerOf, type Stretch } from "../event.ts";
import type { Copies } from "./avro/copies.ts";
import type { Bus, Refusal } from "./bus.ts";
import { followConsumer } from "./kafka-consumer.ts";
import { avroOf, deadLettersOf, fullTopic, makeTopics } from "./kafka-topics.ts";

/** How brokers are to prove who they are, and we to them. */
export type KafkaSecurity = {
  tls: boolean;
  /** The authorities that vouch for the brokers, PEM; left out: those that the host knows. */
  ca?: string;
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
};

export type KafkaOptions = {
  /** host:port of some brokers; the others are found by them. */
  brokers: string[];
  /** Left out: neither TLS nor SASL. */
  security?: KafkaSecurity;
  topic: string;
  /** Where there is one, each event goes in Avro to `<topic>.avro` as well; with user and password. */
  schema_registry_url?: string;
  /** Of the topic, when it is made. */
  partitions: number;
  /** The consumer group by which analytics reads. */
  group: string;
};

/** A broker that does not answer within this is away. */
const REQUEST_TIMEOUT_MS = 10_000;
/** One delivery, with all that is tried; a stop of the program waits for it. */
const SEND_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** The relay tries again, for ever; in here only what a moved leader, a new topic or a closed connection takes. */
const RETRY = { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 };

export const CONTENT_TYPE = { "content-type": "application/cloudevents+json; charset=UTF-8" };

export const kafkaOf = (brokers: string[], { tls, ca, sasl }: KafkaSecurity = { tls: false }): Kafka =>
  new Kafka({
    brokers,
    ssl: tls && ca !== undefined ? { ca } : tls,
    // kafkajs has a type for each mechanism.
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
    clientId: "mtc",
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    // Whatever matters comes back as a rejection.
    logLevel: logLevel.NOTHING,
  });

/** Opens the bus. Nothing is connected before the first event: brokers may be away when the program starts. */
export function openKafkaBus(options: KafkaOptions): Bus {
  const kafka = kafkaOf(options.brokers, options.security);
  let producer: Producer | undefined;
  let copying: ((messages: Message[]) => Copies) | undefined;
  const { schema_registry_url: registry } = options;

  /** Partitions, `topic/partition`, that the send under way has something for. */
  const wanted = new Set<string>();
  const noting = () => {
    const partitioner = Partitioners.DefaultPartitioner();
    return (args: PartitionerArgs): number => {
      const partition = partitioner(args);
      wanted.add(`${args.topic}/${partition}`);
      return partition;
    };
  };

  async function connected(): Promise<Producer> {
    if (producer) return producer;
    const preparing = kafka.admin();
    try {
      await preparing.connect();
      await makeTopics(preparing, options.topic, options.partitions, registry !== undefined);
    } finally {
      await preparing.disconnect();
    }
    const made = kafka.producer({
      idempotent: true,
      // Without it an idempotent producer tries for ever, and nobody is told.
      retry: RETRY,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: noting,
    });
    try {
      await made.connect();
    } catch (error) {
      await made.disconnect().catch(() => {});
      throw error;
    }
    return (producer = made);
  }

  /**
   * After a failure nobody knows what the brokers have, and a producer would number what it sends next by what it
   * believes: other events under numbers that were used are taken for a repetition, and dropped. A new producer has
   * numbers of its own; what the relay then sends again may be there twice, but nothing is missing.
   */
  async function forget(): Promise<void> {
    const old = producer;
    producer = undefined;
    await old?.disconnect().catch(() => {});
  }

  /** What there is to be sent of these: they themselves, and their copies beside them. */
  async function all(messages: Message[]): Promise<TopicMessages[]> {
    const topicMessages = [{ topic: options.topic, messages }];
    if (registry === undefined) return topicMessages;
    if (!copying) {
      const { openCopies } = await import("./avro/copies.ts");
      copying = await openCopies(registry, avroOf(options.topic));
    }
    const { copies, uncopied } = copying(messages);
    topicMessages.push({ topic: avroOf(options.topic), messages: copies });
    // The event itself goes its way; that there is no copy of it is told where dead letters are looked at.
    const letters = uncopied.map(({ message, reason }) => letterOf(message, "avro", reason));
    topicMessages.push({ topic: deadLettersOf(options.topic), messages: letters });
    return topicMessages.filter((one) => one.messages.length > 0);
  }

  async function send(topicMessages: TopicMessages[]): Promise<void> {
    const late = Promise.withResolvers<never>();
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      late.reject(new Error("the brokers take too long"));
    }, SEND_TIMEOUT_MS);
    const sending = connected().then(async (made) => {
      // By now the same may be on its way again.
      if (expired) return;
      wanted.clear();
      const written = await made.sendBatch({ topicMessages, acks: -1, timeout: REQUEST_TIMEOUT_MS });
      // Where a partition's leader falls while others have answered already, and one of those becomes its leader, kafkajs
      // believes that one done, leaves the partition out, and says nothing: it is missing from the answer alone.
      const there = new Set(written.map(({ topicName, partition }) => `${topicName}/${partition}`));
      for (const partition of wanted)
        if (!there.has(partition)) throw new Error(`partition ${partition} was left out`);
    });
    // Where it is late nobody waits for how it ends.
    sending.catch(() => {});
    try {
      await Promise.race([sending, late.promise]);
    } catch (error) {
      await forget();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  const consumer = followConsumer(kafka, options);

  return {
    async deliver(stretch) {
      const messages = messagesOf(stretch);
      if (messages.length === 0) return;
      try {
        await send(await all(messages));
      } catch (error) {
        const why = refusalOf(error);
        const [only, ...more] = messages;
        if (!only || more.length > 0 || !why.too_large) throw why;
        // No fewer can be sent: it goes where it is looked at (its reason beside it), and the others go on.
        const letter = letterOf(only, "broker", why.message);
        await send([{ topic: deadLettersOf(options.topic), messages: [letter] }]).catch(
          (refused: unknown) => {
            throw Object.assign(refusalOf(refused), refusalOf(refused).too_large ? { poison: true } : {});
          },
        );
      }
    },
    settled: consumer.settled,
    backlog: consumer.backlog,
    async close() {
      await forget();
      await consumer.close();
    },
  };
}

/** @returns the first of our topics that has a message; undefined where none has, or none is there @throws KafkaJSError */
export async function lookAtKafka({
  brokers,
  security,
  topic,
}: Pick<KafkaOptions, "brokers" | "security" | "topic">): Promise<string | undefined> {
  const admin = kafkaOf(brokers, security).admin();
  try {
    await admin.connect();
    return await fullTopic(admin, topic);
  } finally {
    await admin.disconnect();
  }
}

/** An event a message, the bytes untouched and not even copied (invariant 8). */
function messagesOf({ bytes, events }: Stretch): Message[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return events.map(({ start, end }) => {
    const value = all.subarray(start, end);
    return { key: keyOf(value), value, headers: CONTENT_TYPE };
  });
}

/** What is about all of a tenant's machines has a key that no machine has: compaction keeps one of each. */
function keyOf(event: Uint8Array): string {
  const { machine_id, tenant_id } = headerOf(event);
  return machine_id === "" ? `/tenants/${tenant_id}` : machine_id;
}

const letterOf = (message: Message, by: string, reason: string): Message => ({
  ...message,
  key: `${by}/${idOf(message)}`,
  headers: { reason, "refused-by": by, "machine-id": message.key ?? "" },
});

const idOf = ({ value }: Message): string => (value instanceof Buffer ? headerOf(value).id : "");

/** MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE. */
const TOO_LARGE_CODES = [10, 18];

/** kafkajs wraps what the broker said in what it did about it. */
function refusalOf(error: unknown): Refusal {
  const said = error as Error & { code?: number; cause?: Refusal & { code?: number } };
  const code = said.code ?? said.cause?.code ?? 0;
  const why: Refusal = new Error(`Kafka: ${said.message}`, { cause: error });
  return TOO_LARGE_CODES.includes(code) ? Object.assign(why, { too_large: true }) : why;
}
