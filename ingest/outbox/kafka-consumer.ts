// How far analytics has read the topic, as the group's offsets tell: who waits for it, and how much it has not taken yet.
import type { Admin, Kafka } from "kafkajs";
import type { Backlog } from "./bus.ts";
import type { KafkaOptions } from "./kafka.ts";

const SETTLE_POLL_MS = 100;
/** So many looks back it is known where the topic ended; of a longer time the oldest is. */
const MAX_LOOKS = 600;

/** By partition where it ends, and how far analytics has taken it; what was deleted before that is taken. */
type Places = Map<number, { end: number; taken: number }>;
type Ends = Map<number, number>;
type Waiter = { ends: Ends; done: PromiseWithResolvers<void> };

const endsOf = (places: Places): Ends => new Map([...places].map(([partition, { end }]) => [partition, end]));

const isTaken = (ends: Ends, places: Places): boolean =>
  [...ends].every(([partition, end]) => (places.get(partition)?.taken ?? 0) >= end);

/** Nothing is connected before it is asked. */
export function followConsumer(kafka: Kafka, { topic, group }: Pick<KafkaOptions, "topic" | "group">) {
  let connected: Promise<Admin> | undefined;
  const waiters = new Set<Waiter>();
  /** Where the topic ended at which look, oldest first, as far as analytics has not taken all of it. */
  const looks: { at_ms: number; ends: Ends }[] = [];
  let arrived_ms = 0;
  let polling = false;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin();
    await admin.connect();
    return admin;
  }

  /** @throws while the brokers cannot tell */
  async function places(): Promise<Places> {
    const asked = (connected ??= connect());
    try {
      const admin = await asked;
      const ends = await admin.fetchTopicOffsets(topic);
      const [own] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const at = new Map(own?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return new Map(
        ends.map(({ partition, low, high }) => {
          const taken = Math.max(Number(low), at.get(partition) ?? 0);
          return [partition, { end: Number(high), taken }];
        }),
      );
    } catch (error) {
      if (connected === asked) connected = undefined;
      const old = await asked.catch(() => undefined);
      await old?.disconnect().catch(() => {});
      throw error;
    }
  }

  /** For all that wait. */
  async function poll(): Promise<void> {
    if (polling) return;
    polling = true;
    try {
      while (waiters.size > 0) {
        const now = await places();
        for (const waiter of waiters) if (isTaken(waiter.ends, now)) settle(waiter);
        if (waiters.size > 0) await Bun.sleep(SETTLE_POLL_MS);
      }
    } catch (error) {
      for (const waiter of waiters) settle(waiter, error);
    } finally {
      polling = false;
    }
  }

  function settle(waiter: Waiter, error?: unknown): void {
    waiters.delete(waiter);
    if (error === undefined) waiter.done.resolve();
    else waiter.done.reject(error);
  }

  return {
    /** As {@link Bus.settled}. */
    async settled(gone?: AbortSignal): Promise<void> {
      const now = await places();
      gone?.throwIfAborted();
      const ends = endsOf(now);
      if (isTaken(ends, now)) return;
      const waiter: Waiter = { ends, done: Promise.withResolvers() };
      waiters.add(waiter);
      gone?.addEventListener("abort", () => settle(waiter, gone.reason), { once: true });
      void poll();
      await waiter.done.promise;
    },
    /** As {@link Bus.backlog}. */
    async backlog(): Promise<Backlog> {
      const at_ms = Date.now();
      const now = await places();
      looks.push({ at_ms, ends: endsOf(now) });
      const taken = looks.findLastIndex(({ ends }) => isTaken(ends, now));
      if (taken >= 0) arrived_ms = looks.splice(0, taken + 1).at(-1)?.at_ms ?? arrived_ms;
      // The oldest tells since when analytics stands still.
      if (looks.length > MAX_LOOKS) looks.splice(1, 1);
      const events = [...now.values()].reduce((sum, { end, taken }) => sum + end - taken, 0);
      return { events, arrived_ms: arrived_ms || (looks[0]?.at_ms ?? at_ms) };
    },
    async close(): Promise<void> {
      const admin = await connected?.catch(() => undefined);
      await admin?.disconnect().catch(() => {});
    },
  };
}
