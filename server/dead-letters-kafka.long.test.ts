// Dead letters with Kafka: what ClickHouse cannot read is in the topic, is looked at, mended, sent again, thrown away.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limit_ms, until } from "../.ci/limits.ts";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { closeSource, openSource } from "../analytics-sql/kafka/source.ts";
import { openConsumer } from "../analytics-sql/testing/kafka.ts";
import type { BackgroundLoop } from "../domain/lib/background-loop.ts";
import { LiveHub } from "../ingest/live/hub.ts";
import { line } from "../ingest/outbox/bus.contract.ts";
import type { Bus } from "../ingest/outbox/bus.ts";
import { DeadLetterTopic } from "../ingest/outbox/dead-letter-topic.ts";
import { kafkaOf, openKafkaBus } from "../ingest/outbox/kafka.ts";
import { type Relay, startRelay } from "../ingest/outbox/relay.ts";
import { createPipeline } from "../ingest/pipeline.ts";
import { BadInput } from "../ingest/problem.ts";
import { openSqlite } from "../ingest/store/sqlite.ts";
import type { Machine, Store } from "../ingest/store/store.ts";
import { type Brokers, hasKafka, startBrokers } from "../ingest/testing/brokers.ts";
import { joined } from "../ingest/testing/stretch.ts";
import { readTopic } from "../ingest/testing/topic.ts";
import { moveDeadLetters } from "./dead-letter-mover.ts";
import { DeadLetters } from "./modules/dead-letters/service.ts";

setDefaultTimeout(limit_ms(120));
const TENANT = "plant-1";
const ONE = { topic: "raw_data", partitions: 2 };

describe.skipIf(!hasKafka)("dead letters with a Kafka broker and the Kafka engine", () => {
  const dir = mkdtempSync(join(tmpdir(), "mtc-letters-"));
  let brokers: Brokers;
  let consumer: Awaited<ReturnType<typeof openConsumer>>;
  let store: Store;
  let bus: Bus;
  let relay: Relay;
  let topic: DeadLetterTopic;
  let mover: BackgroundLoop;
  let letters: DeadLetters;
  const errors: string[] = [];

  const openTopic = () =>
    new DeadLetterTopic({
      ...ONE,
      brokers: brokers.addresses,
      tenantOf: (machine) => (machine === "mill-1" ? TENANT : undefined),
    });

  beforeAll(async () => {
    brokers = await startBrokers(1);
    consumer = await openConsumer();
    const die = (error: Error): never => {
      throw error;
    };
    store = await openSqlite({ file: join(dir, "log.sqlite"), max_outbox_bytes: 1e8 }, die);
    bus = openKafkaBus({ ...ONE, brokers: brokers.addresses, group: "mtc" });
    relay = startRelay(store, bus, (message) => errors.push(message));
    topic = openTopic();
    const hub = new LiveHub(() => TENANT);
    const pipeline = await createPipeline({ store, hub, wake: relay.wake, now_ms: Date.now });
    const machine = { tenant_id: TENANT } as Machine;
    const machines = { byId: (id: string) => (id === "mill-1" ? machine : undefined) };
    letters = new DeadLetters({ letters: topic, pipeline, machines, wake: relay.wake });
    await bus.deliver(joined([line("mill-1", 1)]));
    await openSource(consumer.engine, {
      brokers: brokers.addresses,
      topic: "raw_data",
      group: "mtc",
      consumers: 1,
    });
    mover = moveDeadLetters(consumer.engine, topic, { log: (message: string) => errors.push(message) }, 300);
  });
  afterAll(async () => {
    await mover?.stop();
    await relay?.stop();
    await bus?.close();
    await topic?.close();
    if (consumer) await closeSource(consumer.engine);
    await consumer?.close();
    await store?.close();
    await brokers?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const listed = () => letters.list(TENANT);
  const count = async (n: number) =>
    until(async () => ((await listed()).length === n ? listed() : undefined));
  const seqs = async (machine = "mill-1"): Promise<number[]> => {
    const rows = await consumer.engine.query<{ seq: number }>(
      "SELECT DISTINCT seq FROM mtc.observations WHERE machine_id = {machine:String} ORDER BY seq",
      { machine },
    );
    return rows.map(({ seq }) => seq);
  };
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();

  test("what ClickHouse cannot read is in the topic with its reason, of the tenant whose machine it is", async () => {
    const good = text(line("mill-1", 2));
    const bad = good.replace(/"dt":\[[^\]]*\]/, '"dt":[2,3]');
    const foreign = text(line("lathe-9", 3)).replace('"tenantid":"plant-1"', '"tenantid":"plant-2"');
    const producer = kafkaOf(brokers.addresses).producer();
    await producer.connect();
    await producer.send({
      topic: "raw_data",
      messages: [
        { key: "mill-1", value: bad },
        { key: "mill-1", value: "{nope" },
        { key: "lathe-9", value: foreign.replace(/"dt":\[[^\]]*\]/, '"dt":{}') },
      ],
    });
    await producer.disconnect();
    await count(2);
    const found = await listed();
    expect(found.map(({ machine_id, type }) => [machine_id, type])).toEqual([
      ["mill-1", "mtc.observations.v1"],
      ["mill-1", "mtc.observations.v1"],
    ]);
    const errors_of = found.map(({ error }) => error).sort();
    expect(errors_of[0]).toStartWith("Cannot parse");
    expect(errors_of[1]).toBe("the columns are of unequal length (clickhouse)");
    expect(await until(async () => ((await topic.poison("plant-2", 9)).length === 1 ? 1 : undefined))).toBe(
      1,
    );
    const [raw] = (await readTopic(brokers.addresses, "raw_data.dlq")).filter(
      ({ value }) => value?.toString() === "{nope",
    );
    expect(raw?.headers?.["refused-by"]?.toString()).toBe("clickhouse");
    expect(raw?.headers?.reason?.toString()).toContain("Cannot parse");
    expect(raw?.key?.toString()).toMatch(/^raw_data\/\d\/\d+$/);
  });

  test("invariant 2: a second process sees the same, and moves nothing twice", async () => {
    const other = openTopic();
    let looks = 0;
    const query: Engine["query"] = (...asked) => {
      looks += 1;
      return consumer.engine.query(...asked);
    };
    const again = moveDeadLetters({ query }, other, { log: (message: string) => errors.push(message) }, 100);
    await until(() => looks >= 4);
    await again.stop();
    expect(await other.poison(TENANT, 9)).toEqual(await listed());
    await other.close();
    expect(await readTopic(brokers.addresses, "raw_data.dlq")).toHaveLength(3);
  });

  test("what is mended arrives, under its own id; what is still wrong is told, and nothing is settled", async () => {
    const position = (await listed()).find(({ error }) => error.startsWith("the columns"))?.position ?? 0;
    const event = JSON.parse(text(await letters.bytes(TENANT, position)));
    const mend = (change: object) =>
      letters.mend(TENANT, position, new TextEncoder().encode(JSON.stringify({ ...event, ...change })));
    const data = {
      signals: ["execution"],
      signal: [0],
      t0: 1_767_592_800_000_000,
      dt: [0],
      seq: [2],
      words: ["READY"],
      word: [1],
    };
    const whole = { time: "2026-01-05T06:00:00Z", data };
    const wrong: [object, string][] = [
      [{ ...whole, data: { ...data, dt: [0, 1] } }, "/data"],
      [{ ...whole, data: { ...data, t0: 1 } }, "/data"],
      [{ ...whole, tenantid: "plant-2" }, "/tenantid"],
      [{ ...whole, subject: "lathe-9" }, "/subject"],
      [
        { ...whole, type: "mtc.rejects.v1", data: { rejects: { ts_us: 1, count: "2", reason: "" } } },
        "/data/rejects/count",
      ],
      [{ ...whole, id: "1" }, "/id"],
    ];
    for (const [change, path] of wrong) {
      const error = await mend(change).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BadInput);
      expect((error as BadInput).errors[0]?.path).toStartWith(path);
    }
    expect(await listed()).toHaveLength(2);
    await mend(whole);
    await count(1);
    await until(async () => ((await seqs()).includes(2) ? true : undefined));
    expect(await seqs()).toEqual([1, 2]);
    const ids = (await readTopic(brokers.addresses, "raw_data")).filter(({ value }) =>
      value?.includes(event.id),
    );
    expect(ids).toHaveLength(2);
  });

  test("sent again as it is, it is refused again; thrown away, it is gone, for a new process as well", async () => {
    const [{ position } = { position: 0 }] = await listed();
    await letters.retry(TENANT, position);
    const [again] = await until(async () => {
      const now = await listed();
      return now.length === 1 && now[0]?.position !== position ? now : undefined;
    });
    await letters.discard(TENANT, again?.position ?? 0);
    expect(await listed()).toEqual([]);
    await expect(letters.discard(TENANT, again?.position ?? 0)).rejects.toThrow();
    const other = openTopic();
    expect(await other.poison(TENANT, 9)).toEqual([]);
    await other.close();
    expect(errors).toEqual([]);
  });
});
