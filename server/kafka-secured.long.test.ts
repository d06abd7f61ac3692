// Kafka by TLS and SASL: settings as the program reads them, every mechanism, ClickHouse's own reader, and who is refused.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../.ci/limits.ts";
import { closeSource, isStale, openSource } from "../analytics-sql/kafka/source.ts";
import { openConsumer } from "../analytics-sql/testing/kafka.ts";
import { line } from "../ingest/outbox/bus.contract.ts";
import { DeadLetterTopic } from "../ingest/outbox/dead-letter-topic.ts";
import { openKafkaBus } from "../ingest/outbox/kafka.ts";
import {
  type Brokers,
  hasKafka,
  makeSecured,
  type Secured,
  startBrokers,
} from "../ingest/testing/brokers.ts";
import { joined } from "../ingest/testing/stretch.ts";
import { parseKafka } from "./cluster-config.ts";

const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"];

describe.skipIf(!hasKafka)("with a Kafka broker that takes TLS and SASL only", () => {
  const dir = mkdtempSync(join(tmpdir(), "mtc-secured-"));
  const password_file = join(dir, "password");
  let secured: Secured;
  let brokers: Brokers;

  beforeAll(async () => {
    secured = makeSecured(dir);
    writeFileSync(password_file, `${secured.password}\n`);
    brokers = await startBrokers(1, secured);
  });
  afterAll(async () => {
    await brokers?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const settings = (mechanism = "scram-sha-512"): Record<string, string> => ({
    MTC_KAFKA_BROKERS: brokers.addresses.join(),
    MTC_KAFKA_PARTITIONS: "2",
    MTC_KAFKA_TLS: "on",
    MTC_KAFKA_CA_FILE: secured.ca_file,
    MTC_KAFKA_USERNAME: secured.username,
    MTC_KAFKA_PASSWORD_FILE: password_file,
    MTC_KAFKA_MECHANISM: mechanism,
  });
  const kafkaBy = (env: Record<string, string>) => {
    const kafka = parseKafka(env);
    if (!kafka) throw new Error("no Kafka");
    return kafka;
  };

  test("the bus and the dead letters, by every mechanism", async () => {
    for (const [i, mechanism] of MECHANISMS.entries()) {
      const kafka = kafkaBy(settings(mechanism));
      const bus = openKafkaBus(kafka);
      await bus.deliver(joined([line("mill-1", i + 1)]));
      await until(async () => (await bus.backlog()).events === i + 1 || undefined);
      await bus.close();
    }
    const letters = new DeadLetterTopic({ ...kafkaBy(settings()), tenantOf: () => "plant-1" });
    const letter = {
      key: "raw_data/0/7",
      reason: "torn",
      by: "clickhouse",
      machine_id: "mill-1",
      time_ms: 1,
    };
    await letters.put([{ ...letter, value: Buffer.from("{torn") }]);
    expect(await letters.poison("plant-1", 10)).toMatchObject([{ machine_id: "mill-1" }]);
    await letters.close();
  });

  test("ClickHouse's Kafka engine reads by SASL; with other settings its table is made anew", async () => {
    const { engine, close } = await openConsumer();
    const one = async (sql: string): Promise<Record<string, string>> =>
      (await engine.query<Record<string, string>>(sql, {}))[0] ?? {};
    const table = () => one("SELECT * FROM system.tables WHERE database = 'mtc' AND name = 'events_kafka'");
    const source = (env: Record<string, string>) => ({ ...kafkaBy(env), consumers: 1 });
    const { MTC_KAFKA_TLS: _, MTC_KAFKA_CA_FILE: __, ...named } = settings("plain");
    const plain = { ...named, MTC_KAFKA_BROKERS: brokers.without_tls.join() };
    const open = async (env: Record<string, string>): Promise<void> => {
      if (await isStale(engine, source(env))) await closeSource(engine);
      await openSource(engine, source(env));
    };
    try {
      const bus = openKafkaBus(kafkaBy(plain));
      await bus.deliver(joined([line("mill-2", 1)]));
      await bus.close();
      await open(plain);
      const rows = "SELECT count() AS n FROM mtc.observations WHERE machine_id = 'mill-2'";
      await until(async () => Number((await one(rows)).n) > 0 || undefined);
      const made = await table();
      expect(JSON.stringify(made)).not.toContain("secret");
      await open(plain);
      expect((await table()).uuid).toBe(made.uuid ?? "");

      await open(settings());
      const anew = await table();
      expect(anew.uuid).not.toBe(made.uuid ?? "");
      for (const setting of [
        "kafka_security_protocol = 'sasl_ssl'",
        "kafka_sasl_mechanism = 'SCRAM-SHA-512'",
      ])
        expect(anew.create_table_query).toContain(setting);
      expect(JSON.stringify(anew)).not.toContain("secret");
      // That is as far as chDB goes: its Kafka client is built without TLS and SCRAM, a ClickHouse server's is not.
      const said =
        "SELECT arrayStringConcat(exceptions.text) AS text FROM system.kafka_consumers WHERE text != ''";
      const { text } = await until(async () => {
        const found = await one(said);
        return found.text ? found : undefined;
      });
      expect(text).toContain("Current build options: PLAIN,");
    } finally {
      await closeSource(engine);
      await close();
    }
  });

  test("a wrong password, an unknown authority and a client without TLS are refused, and it is no poison", async () => {
    const wrong = settings("scram-sha-256");
    const { MTC_KAFKA_PASSWORD_FILE: _, ...named } = wrong;
    const { MTC_KAFKA_CA_FILE: __, ...strangers } = wrong;
    for (const [env, said] of [
      [{ ...named, MTC_KAFKA_PASSWORD: "guess" }, /authentication/i],
      [strangers, /self.signed certificate/i],
      [{ MTC_KAFKA_BROKERS: brokers.addresses.join() }, /./],
    ] as const) {
      const bus = openKafkaBus(kafkaBy(env));
      const refused = await bus.deliver(joined([line("mill-1", 99)])).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(Error);
      expect(String(refused)).toMatch(said);
      expect(String(refused)).not.toContain("guess");
      expect(refused).not.toHaveProperty("poison");
      await bus.close();
    }
  });
});

test("settings of TLS and SASL, and what they must not be", () => {
  const kafka = (env: Record<string, string>) => parseKafka({ MTC_KAFKA_BROKERS: "a:9092", ...env });
  const user = { MTC_KAFKA_USERNAME: "mtc", MTC_KAFKA_PASSWORD: "secret" };
  expect(kafka({})?.security).toBeUndefined();
  expect(kafka({ MTC_KAFKA_TLS: "on" })?.security).toEqual({ tls: true });
  expect(kafka({ ...user, MTC_KAFKA_MECHANISM: "plain" })?.security).toEqual({
    tls: false,
    sasl: { mechanism: "plain", username: "mtc", password: "secret" },
  });
  for (const [env, said] of [
    [{ MTC_KAFKA_TLS: "yes" }, "MTC_KAFKA_TLS=yes: must be off or on"],
    [{ MTC_KAFKA_CA_FILE: "/ca.pem" }, "MTC_KAFKA_CA_FILE: only with MTC_KAFKA_TLS=on"],
    [{ MTC_KAFKA_TLS: "on", MTC_KAFKA_CA_FILE: "/no/ca.pem" }, "/no/ca.pem: there is no such file"],
    [{ MTC_KAFKA_TLS: "on", MTC_KAFKA_CA_FILE: import.meta.path }, "must hold certificates in PEM"],
    [user, "MTC_KAFKA_MECHANISM: needed with MTC_KAFKA_USERNAME and MTC_KAFKA_PASSWORD"],
    [{ MTC_KAFKA_MECHANISM: "plain", MTC_KAFKA_USERNAME: "mtc" }, "MTC_KAFKA_PASSWORD: needed with"],
    [{ MTC_KAFKA_PASSWORD: "secret" }, "MTC_KAFKA_USERNAME: needed with"],
    [{ ...user, MTC_KAFKA_PASSWORD: "" }, "MTC_KAFKA_PASSWORD: needed with"],
    [{ ...user, MTC_KAFKA_MECHANISM: "gssapi" }, "must be plain or scram-sha-256 or scram-sha-512"],
  ] as [Record<string, string>, string][]) {
    expect(() => kafka(env)).toThrow(said);
    expect(() => kafka(env)).not.toThrow("secret");
  }
});
