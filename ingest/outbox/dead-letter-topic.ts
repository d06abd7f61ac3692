// Dead letters as a Kafka topic: what was refused, why and by whom, until somebody has settled it.
import type { Consumer, IHeaders, Message } from "kafkajs";
import { type EventType, headerOf } from "../event.ts";
import type { Poison, Store } from "../store/store.ts";
import { CONTENT_TYPE, type KafkaSecurity, kafkaOf } from "./kafka.ts";
import { deadLettersOf, makeTopics } from "./kafka-topics.ts";

/** A message that somebody refused. */
export type Refused = {
  /** Tells it from all others: the same again takes its place. */
  key: string;
  value: Uint8Array;
  reason: string;
  /** Who refused it: `broker`, `clickhouse`. */
  by: string;
  /** The key it travelled under: the machine, where its own bytes cannot tell. */
  machine_id: string;
  time_ms: number;
};

/** The same as the embedded store does for what it set aside; a letter's position is its place in the topic, from 1. */
export type Letters = Pick<Store, "poison" | "poisonBytes" | "retryPoison" | "discardPoison"> & {
  /** The newest letter's position. */
  logState(): Promise<{ last: number }>;
};

type Letter = Poison & { key: string; tenant_id: string; bytes: Buffer };

export type DeadLetterOptions = {
  brokers: string[];
  security?: KafkaSecurity;
  /** The topic whose dead letters they are, and its partitions, where it is made with them. */
  topic: string;
  partitions: number;
  /** Whose machine it is, for what cannot tell by itself. */
  tenantOf(machine_id: string): string | undefined;
};

/** Bytes of letters that are looked at at once (invariant 7); those beyond come up when the first are settled. */
const KEPT_BYTES = 64 * 1024 * 1024;
const PORTION_BYTES = 8 * 1024 * 1024;
/** A reader of its own for each process: every one of them sees all letters. */
const GROUP = "mtc-dead-letters-";

/** Reads the topic from its start, and goes on reading; nothing is connected before the first call. */
export class DeadLetterTopic implements Letters {
  readonly #options: DeadLetterOptions;
  readonly #topic: string;
  readonly #letters = new Map<string, Letter>();
  /** Every key that there ever was, settled or not, while the topic keeps them. */
  readonly #known = new Set<string>();
  #bytes = 0;
  #next = 0;
  #reading: Promise<Consumer> | undefined;
  #arrived = Promise.withResolvers<void>();

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.#topic = deadLettersOf(options.topic);
  }

  /** Puts those that were never there; settled ones stay settled. @throws KafkaJSError */
  async put(refused: Refused[]): Promise<void> {
    await this.#read();
    const messages = refused.filter(({ key }) => !this.#known.has(key)).map(messageOf);
    await this.#write(this.#topic, messages);
  }

  async poison(tenant_id: string, max_events: number): Promise<Poison[]> {
    await this.#read();
    const own = [...this.#letters.values()].filter((letter) => letter.tenant_id === tenant_id);
    return own
      .sort((a, b) => a.position - b.position)
      .slice(0, max_events)
      .map(({ key: _, tenant_id: __, bytes: ___, ...poison }) => poison);
  }

  async poisonBytes(tenant_id: string, position: number): Promise<Uint8Array | undefined> {
    return (await this.#at(tenant_id, position))?.bytes;
  }

  async retryPoison(tenant_id: string, position: number): Promise<boolean> {
    const letter = await this.#at(tenant_id, position);
    if (!letter) return false;
    // As it came, under the key it had: it need not be an event.
    await this.#write(this.#options.topic, [
      { key: letter.machine_id, value: letter.bytes, headers: CONTENT_TYPE },
    ]);
    await this.#write(this.#topic, [{ key: letter.key, value: null }]);
    return true;
  }

  async discardPoison(tenant_id: string, position: number): Promise<boolean> {
    const letter = await this.#at(tenant_id, position);
    if (letter) await this.#write(this.#topic, [{ key: letter.key, value: null }]);
    return letter !== undefined;
  }

  async logState(): Promise<{ last: number }> {
    await this.#read();
    return { last: this.#next };
  }

  async close(): Promise<void> {
    const consumer = await this.#reading?.catch(() => undefined);
    await consumer?.disconnect();
  }

  async #at(tenant_id: string, position: number): Promise<Letter | undefined> {
    await this.#read();
    return [...this.#letters.values()].find(
      (letter) => letter.tenant_id === tenant_id && letter.position === position,
    );
  }

  async #write(topic: string, messages: Message[]): Promise<void> {
    if (messages.length === 0) return;
    const producer = kafkaOf(this.#options.brokers, this.#options.security).producer();
    try {
      await producer.connect();
      for (const some of portions(messages)) await producer.send({ topic, messages: some, acks: -1 });
    } finally {
      await producer.disconnect();
    }
  }

  /** Resolves when all that was in the topic at the call is known. */
  async #read(): Promise<void> {
    const admin = kafkaOf(this.#options.brokers, this.#options.security).admin();
    try {
      await admin.connect();
      if (!this.#reading) await makeTopics(admin, this.#options.topic, this.#options.partitions);
      const [end] = await admin.fetchTopicOffsets(this.#topic);
      this.#next = Math.max(this.#next, Number(end?.low ?? 0));
      this.#reading ??= this.#start();
      await this.#reading.catch((error: unknown) => {
        this.#reading = undefined;
        throw error;
      });
      while (this.#next < Number(end?.high ?? 0)) await this.#arrived.promise;
    } finally {
      await admin.disconnect();
    }
  }

  async #start(): Promise<Consumer> {
    const groupId = GROUP + crypto.randomUUID();
    const consumer = kafkaOf(this.#options.brokers, this.#options.security).consumer({ groupId });
    await consumer.connect();
    await consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value, headers, offset, timestamp } of batch.messages)
          this.#take(key?.toString() ?? "", value, headers ?? {}, Number(offset), Number(timestamp));
        this.#next = Number(batch.lastOffset()) + 1;
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
      },
    });
    return consumer;
  }

  #take(key: string, value: Buffer | null, headers: IHeaders, offset: number, time_ms: number): void {
    this.#known.add(key);
    const before = this.#letters.get(key);
    if (before) {
      this.#letters.delete(key);
      this.#bytes -= before.size_bytes;
    }
    if (!value || this.#bytes + value.length > KEPT_BYTES) return;
    this.#bytes += value.length;
    const error = `${headers.reason ?? ""} (${headers["refused-by"] ?? "?"})`;
    const named = nameOf(value, headers["machine-id"]?.toString() ?? "");
    const tenant_id = named.tenant_id ?? this.#options.tenantOf(named.machine_id) ?? "";
    const size_bytes = value.length;
    const letter = {
      ...named,
      position: offset + 1,
      key,
      tenant_id,
      size_bytes,
      error,
      time_ms,
      bytes: value,
    };
    this.#letters.set(key, letter);
  }
}

const messageOf = ({ key, value, reason, by, machine_id, time_ms }: Refused): Message => ({
  key,
  value: Buffer.from(value),
  timestamp: String(time_ms),
  headers: { reason, "refused-by": by, "machine-id": machine_id },
});

/** As many at once as a topic takes. */
function portions(messages: Message[]): Message[][] {
  const all: Message[][] = [[]];
  let bytes = 0;
  for (const message of messages) {
    bytes += message.value?.length ?? 0;
    if (bytes > PORTION_BYTES && all.at(-1)?.length) {
      all.push([]);
      bytes = message.value?.length ?? 0;
    }
    all.at(-1)?.push(message);
  }
  return all;
}

/** What the message says of itself, as far as it can be read. */
function nameOf(
  value: Buffer,
  machine_id: string,
): { id: string; type: EventType; machine_id: string; tenant_id?: string } {
  try {
    return headerOf(value);
  } catch {
    return { id: "", type: "mtc.observations.v1", machine_id };
  }
}
