// The copy of the topic in Avro: through a real registry and a real broker, read back by ClickHouse and by its schema's id.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "avsc";
import { until } from "../../.ci/limits.ts";
import { encodeData, encodeEvent } from "../../ingest/event.ts";
import { line } from "../../ingest/outbox/bus.contract.ts";
import { openKafkaBus } from "../../ingest/outbox/kafka.ts";
import { type Brokers, hasKafka, startBrokers } from "../../ingest/testing/brokers.ts";
import { hasSchemaRegistry, startSchemaRegistry } from "../../ingest/testing/schema-registry.ts";
import { joined } from "../../ingest/testing/stretch.ts";
import { readTopic } from "../../ingest/testing/topic.ts";
import { openConsumer } from "../testing/kafka.ts";

type Event = { id: string; subject: string; data: { seq: number[] } };

describe.skipIf(!hasKafka || !hasSchemaRegistry)("with a Kafka broker and a schema registry", () => {
  let brokers: Brokers;
  let registry: Awaited<ReturnType<typeof startSchemaRegistry>>;
  const options = () => ({ brokers: brokers.addresses, topic: "raw_data", partitions: 3, group: "mtc" });
  const openBus = (schema_registry_url = registry.url) => openKafkaBus({ ...options(), schema_registry_url });
  const asked = async <T>(path: string): Promise<T> => (await (await fetch(registry.url + path)).json()) as T;

  beforeAll(async () => {
    [brokers, registry] = await Promise.all([startBrokers(1), startSchemaRegistry()]);
  });
  afterAll(async () => {
    await brokers?.stop();
    await registry?.stop();
  });

  const machines = ["mill-1", "mill-2", "mill-3", "mill-4"];

  test("each event is in both topics, under its key, in its machine's order; the JSON stays as it was (invariant 8)", async () => {
    const bus = openBus();
    const json = Array.from({ length: 25 }, (_, i) => machines.map((machine) => line(machine, i + 1))).flat();
    for (let from = 0; from < json.length; from += 20) await bus.deliver(joined(json.slice(from, from + 20)));
    await bus.close();

    const own = await readTopic(brokers.addresses, "raw_data");
    expect(own.map(({ value }) => `${value}\n`).sort()).toEqual(
      json.map((one) => Buffer.from(one).toString()).sort(),
    );
    const copies = await readTopic(brokers.addresses, "raw_data.avro");
    expect(copies.length).toBe(json.length);
    const [schema_id] = new Set(copies.map(({ value }) => value?.readUInt32BE(1)));
    const { schema } = await asked<{ schema: string }>(`/schemas/ids/${schema_id}`);
    const type = Type.forSchema(JSON.parse(schema));
    const events = copies.map(({ key, value }) => {
      const event = type.fromBuffer((value ?? Buffer.alloc(5)).subarray(5)) as Event;
      expect(event.subject).toBe(key?.toString() ?? "");
      return event;
    });
    for (const machine of machines) {
      const seqs = events.filter(({ subject }) => subject === machine).flatMap(({ data }) => data.seq);
      expect(seqs).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(json.length);
    const { compatibilityLevel } = await asked<{ compatibilityLevel: string }>("/config/raw_data.avro-value");
    expect(compatibilityLevel).toBe("BACKWARD");
    expect(await asked<number[]>("/subjects/raw_data.avro-value/versions")).toEqual([1]);
  });

  test("ClickHouse reads the copies by AvroConfluent", async () => {
    const { engine, close } = await openConsumer();
    try {
      await engine.maintain("CREATE DATABASE other ENGINE = Atomic");
      await engine.maintain(
        `CREATE TABLE other.queue (id String, subject String, \`data.signals\` Array(String),
           \`data.t0\` Nullable(Int64), \`data.seq\` Array(Int64), \`data.words\` Array(String))
         ENGINE = Kafka SETTINGS kafka_broker_list = '${brokers.addresses.join()}', kafka_topic_list = 'raw_data.avro',
           kafka_group_name = 'other', kafka_format = 'AvroConfluent', kafka_flush_interval_ms = 200,
           format_avro_schema_registry_url = '${registry.url}'`,
      );
      await engine.maintain(
        `CREATE MATERIALIZED VIEW other.events (id String, machine String, t0 Int64, seq Int64, word String)
         ENGINE = MergeTree ORDER BY id AS
         SELECT id, subject AS machine, assumeNotNull(\`data.t0\`) AS t0, \`data.seq\`[1] AS seq, \`data.words\`[1] AS word FROM other.queue`,
      );
      const count = async () =>
        (await engine.query<{ n: number }>("SELECT count() AS n FROM other.events", {}))[0]?.n;
      await until(async () => (await count()) === 100);
      const rows = await engine.query(
        "SELECT machine, uniqExact(seq) AS seqs, any(word) AS word, any(t0) AS t0 FROM other.events GROUP BY machine ORDER BY machine",
        {},
      );
      const row = { seqs: 25, word: "ACTIVE", t0: 1_767_592_800_000_000 };
      expect(rows).toEqual(machines.map((machine) => ({ machine, ...row })));
      const exceptions = await engine.query(
        "SELECT exceptions.text FROM system.kafka_consumers WHERE notEmpty(exceptions.text)",
        {},
      );
      expect(exceptions).toEqual([]);
    } finally {
      await engine.maintain("DROP DATABASE IF EXISTS other SYNC");
      await close();
    }
  });

  test("while the registry is away nothing is delivered, and then all of it; what has no copy is a dead letter", async () => {
    const away = openBus("http://127.0.0.1:9");
    const refused = await away.deliver(joined([line("away", 1)])).catch((error: Error) => error);
    expect(String(refused)).toContain("schema registry");
    expect(refused).not.toHaveProperty("poison");
    await away.close();

    const bus = openBus();
    const strange = encodeEvent(
      { id: "01JSTRANGE", type: "mtc.gap.v1", tenant_id: "plant-1", machine_id: "strange", time_ms: 1 },
      encodeData({ gap: { from_us: "now" } } as never),
    );
    await bus.deliver(joined([line("away", 1), strange]));
    await bus.close();
    const keys = async (topic: string) =>
      (await readTopic(brokers.addresses, topic)).map(({ key }) => key?.toString());
    expect(await keys("raw_data")).toEqual(expect.arrayContaining(["away", "strange"]));
    expect(await keys("raw_data.avro")).toContain("away");
    expect(await keys("raw_data.avro")).not.toContain("strange");
    const letters = await readTopic(brokers.addresses, "raw_data.dlq");
    expect(letters.map(({ key, headers }) => [key?.toString(), headers?.["refused-by"]?.toString()])).toEqual(
      [["avro/01JSTRANGE", "avro"]],
    );
  });

  test("a subject that holds another schema refuses ours, and says why", async () => {
    const other = {
      type: "record",
      name: "Event",
      namespace: "mtc.v1",
      fields: [{ name: "x", type: "int" }],
    };
    const subject = `${registry.url}/subjects/other.avro-value/versions`;
    await fetch(subject, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ schema: JSON.stringify(other) }),
    });
    await fetch(`${registry.url}/config/other.avro-value`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: '{"compatibility":"BACKWARD"}',
    });
    const bus = openKafkaBus({ ...options(), topic: "other", schema_registry_url: registry.url });
    await expect(bus.deliver(joined([line("mill-1", 1)]))).rejects.toThrow("schema registry: 409");
    await bus.close();
  });
});
