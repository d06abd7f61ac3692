// For tests: events that were set aside, put where a server that stands still keeps them.
import { type EventHeader, encodeData, encodeEvent } from "../../ingest/event.ts";
import type { NewEvent } from "../../ingest/store/store.ts";
import { openStoreOf } from "./kept.ts";
import { onCluster } from "./server.ts";

/** Analytics cannot read it, now or ever. */
const BROKEN = new TextEncoder().encode('{"signals":["execution"],"signal":[0],"t0":"yesterday"}');

/** An hour of today or yesterday, in which the good event's parts were made: a later one costs a roll-up less. */
export const FROM_MS = Math.floor(Date.now() / 3_600_000 - 2) * 3_600_000;
export const HOUR = `from=${new Date(FROM_MS).toISOString()}&to=${new Date(FROM_MS + 3_600_000).toISOString()}`;

/**
 * Of one machine: an event that is good but was set aside, one that analytics will refuse, and one of another tenant.
 * @param name a word that the broken event's error carries
 */
export async function putPoison(
  data_dir: string,
  machine_id: string,
  name = "refused by a test",
): Promise<void> {
  const good = encodeData({
    signals: ["part_count"],
    signal: [0, 0],
    t0: FROM_MS * 1_000,
    dt: [0, 60_000_000],
    seq0: 1,
    num: [10, 17],
  });
  const events = [
    made("default", machine_id, good),
    made("default", machine_id, BROKEN),
    made("plant-2", "press-2", good),
  ];
  if (onCluster) return putLetters(data_dir, events, name);
  const store = await openStoreOf(data_dir);
  const before = (await store.logState()).last;
  await store.commit({ events });
  const { events: read } = await store.readLog(
    { after: before, upto: before + events.length, since_ms: 0 },
    10,
    1 << 20,
  );
  for (const { position } of read) await store.setAside(position, name);
  await store.close();
}

/** Of one machine an event that analytics will refuse, on its way there when the server starts again. */
export async function putBroken(data_dir: string, machine_id: string): Promise<void> {
  const store = await openStoreOf(data_dir);
  await store.commit({ events: [made("default", machine_id, BROKEN)] });
  await store.close();
}

/** In a cluster a topic keeps them. */
async function putLetters(data_dir: string, events: NewEvent[], reason: string): Promise<void> {
  const [{ clusterOf }, { DeadLetterTopic }, { parseKafka }] = await Promise.all([
    import("./cluster.ts"),
    import("../../ingest/outbox/dead-letter-topic.ts"),
    import("../cluster-config.ts"),
  ]);
  const kafka = parseKafka((await clusterOf(data_dir)).settings);
  if (!kafka) throw new Error("a cluster has brokers");
  const letters = new DeadLetterTopic({ ...kafka, tenantOf: () => undefined });
  await letters.put(
    events.map(({ header: { id, machine_id, time_ms }, bytes }) => {
      return { key: `test/${id}`, value: bytes, reason, by: "test", machine_id, time_ms };
    }),
  );
  await letters.close();
}

function made(tenant_id: string, machine_id: string, data: Uint8Array): NewEvent {
  const time_ms = Date.now();
  const id = Bun.randomUUIDv7("hex").slice(0, 26).toUpperCase();
  const header: EventHeader = { id, type: "mtc.observations.v1", tenant_id, machine_id, time_ms };
  return { header, bytes: encodeEvent(header, data), rows: 2 };
}
