// Three brokers, the real outbox and its relay: one is killed under load, all are away and come back; a ledger of what
// was acknowledged finds nothing lost, and each machine's events in order.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limit_ms, pace, until } from "../../.ci/limits.ts";
import { encodeData, encodeEvent } from "../event.ts";
import { openSqlite } from "../store/sqlite.ts";
import { Overloaded, type Store } from "../store/store.ts";
import { type Brokers, hasKafka, startBrokers } from "../testing/brokers.ts";
import { readTopic } from "../testing/topic.ts";
import type { Bus } from "./bus.ts";
import { kafkaOf, openKafkaBus } from "./kafka.ts";
import { type Relay, startRelay } from "./relay.ts";

setDefaultTimeout(limit_ms(300));
const MACHINES = 10;
const MAX_OUTBOX_BYTES = 16 * 1024 * 1024;

describe.skipIf(!hasKafka)("with three Kafka brokers", () => {
  const dir = mkdtempSync(join(tmpdir(), "mtc-outage-"));
  let brokers: Brokers;
  let store: Store;
  let bus: Bus;
  let relay: Relay;
  /** Sequences acknowledged, by machine. */
  const ledger = new Map<string, number[]>();
  let sequence = 0;

  beforeAll(async () => {
    brokers = await startBrokers(3);
    const broken = (error: Error): never => {
      throw error;
    };
    store = await openSqlite({ file: join(dir, "log.sqlite"), max_outbox_bytes: MAX_OUTBOX_BYTES }, broken);
    bus = openKafkaBus({ brokers: brokers.addresses, topic: "raw_data", partitions: 6, group: "mtc" });
    relay = startRelay(store, bus, () => {}, { first_ms: 50, max_ms: 500 });
  });
  afterAll(async () => {
    await relay?.stop();
    await bus?.close();
    await store?.close();
    await brokers?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** One commit of an event of each machine; in the ledger once it is acknowledged. */
  async function commit(rows = 20): Promise<void> {
    const seq = ++sequence;
    const t0 = 1_767_592_800_000_000 + seq;
    const data = { signals: ["x"], signal: Array(rows).fill(0), t0, dt: Array(rows).fill(0), seq0: seq };
    const events = Array.from({ length: MACHINES }, (_, i) => {
      const id = `01J${String(seq * MACHINES + i).padStart(23, "0")}`;
      const header = { id, tenant_id: "plant-1", machine_id: `machine-${i}`, time_ms: Date.now() };
      const bytes = encodeEvent({ ...header, type: "mtc.observations.v1" }, encodeData(data));
      return { header: { ...header, type: "mtc.observations.v1" as const }, bytes, rows };
    });
    await store.commit({ events });
    for (const { header } of events)
      ledger.set(header.machine_id, [...(ledger.get(header.machine_id) ?? []), seq]);
    relay.wake();
  }

  const drained = () => until(async () => (await store.outboxDepth()).events === 0, 120);

  /** Every broker has all that the topic holds. */
  async function allInSync(): Promise<boolean> {
    const admin = kafkaOf(brokers.addresses).admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: ["raw_data"] });
      return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === 3));
    } finally {
      await admin.disconnect();
    }
  }

  /** Each machine's sequences as the topic has them first, whatever came again later. */
  async function heldAgainstTheLedger(): Promise<number> {
    const found = new Map<string, number[]>();
    const ids = new Set<string>();
    const messages = await readTopic(brokers.addresses, "raw_data");
    for (const { key, value } of messages) {
      const event = JSON.parse(value?.toString() ?? "") as { id: string; data: { seq0: number } };
      if (ids.has(event.id)) continue;
      ids.add(event.id);
      const machine = key?.toString() ?? "";
      const seqs = found.get(machine) ?? [];
      found.set(machine, seqs);
      seqs.push(event.data.seq0);
    }
    for (const [machine, acknowledged] of ledger)
      expect([machine, found.get(machine)]).toEqual([machine, acknowledged]);
    return messages.length - ids.size;
  }

  test("invariants 1 and 2: each of the brokers is killed in turn under load, and nothing stops for good", async () => {
    const delivered = (): number => relay.status().delivered_events;
    let loading = true;
    const load = (async () => {
      while (loading) {
        await commit();
        await pace(25);
      }
    })();
    for (let node = 0; node < 3; node++) {
      const flowing = delivered() + 300;
      await until(() => delivered() > flowing);
      const before = delivered();
      await brokers.kill(node);
      // Two of three serve: the relay goes on while it is away.
      await until(() => delivered() > before + 500);
      await brokers.start(node);
      // Until it has caught up, no other may go: of two copies one would be left, which is too few to acknowledge.
      await until(allInSync);
    }
    loading = false;
    await load;
    await drained();
    const twice = await heldAgainstTheLedger();
    console.info(`one of three killed, three times: ${sequence * MACHINES} events, ${twice} came twice`);
  });

  test("invariant 7: all brokers away: ingest goes on up to the bound, then refuses; they come back and it drains in order", async () => {
    for (let node = 0; node < 3; node++) await brokers.kill(node);
    let refused = 0;
    while (refused < 3) {
      await commit(1_000).catch((error: unknown) => {
        if (!(error instanceof Overloaded)) throw error;
        refused += 1;
      });
    }
    await until(() => relay.status().failing !== undefined);
    const waiting = await store.outboxDepth();
    expect(waiting.bytes).toBeGreaterThan(MAX_OUTBOX_BYTES / 2);
    expect(waiting.bytes).toBeLessThanOrEqual(MAX_OUTBOX_BYTES * 1.1);
    await Promise.all([0, 1, 2].map((node) => brokers.start(node)));
    const began = performance.now();
    await drained();
    const seconds = (performance.now() - began) / 1_000;
    console.info(
      `all away and back: ${waiting.events} events, ${waiting.bytes} bytes drained ${seconds.toFixed(1)} s after`,
    );
    await commit();
    await drained();
    expect(relay.status().failing).toBeUndefined();
    await heldAgainstTheLedger();
  });
});
