// The in-process bus keeps the contract; which bus is opened follows from the settings.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "../analytics-sql/engine/embedded.ts";
import { EngineError } from "../analytics-sql/engine/engine.ts";
import { encodeData, encodeEvent, type GapData } from "../ingest/event.ts";
import { busContract, line } from "../ingest/outbox/bus.contract.ts";
import { startRelay } from "../ingest/outbox/relay.ts";
import { joined } from "../ingest/testing/stretch.ts";
import { openBus } from "./bus.ts";
import { parseClickHouseCluster, parseClickHouseUrl, parseKafka } from "./cluster-config.ts";

const path = mkdtempSync(join(tmpdir(), "mtc-bus-"));
const engine = await openEmbedded({ path: join(path, "chdb"), rawRetentionDays: 36_500 });
const bus = await openBus(engine, undefined);
afterAll(async () => {
  await bus.close();
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

busContract(async () => ({
  bus,
  async read(machine) {
    const rows = await engine.query<{ seq: number }>(
      "SELECT DISTINCT seq FROM mtc.observations WHERE machine_id = {machine:String} ORDER BY seq",
      { machine },
    );
    return rows.map(({ seq }) => seq);
  },
}));

test("what the engine cannot read is poison, what it has no memory for is too large at once", async () => {
  const torn = line("torn", 1).slice(0, 100);
  await expect(bus.deliver(joined([torn]))).rejects.toMatchObject({ poison: true });
  const short = new EngineError("memory", 241, false, null);
  const full = await openBus({ ...engine, insertEvents: () => Promise.reject(short) }, undefined);
  await expect(full.deliver(joined([torn]))).rejects.toMatchObject({ poison: false, too_large: true });
});

test("invariants 1, 2 and 3: of both kinds at once what is poison is set aside, the rest is in, and only then the watermark moves", async () => {
  const gap = (from_us: number | string): Uint8Array =>
    encodeEvent(
      { id: `01JGAP${from_us}`, type: "mtc.gap.v1", tenant_id: "plant-1", machine_id: "both", time_ms: 1 },
      encodeData({ gap: { from_us, to_us: 0, cause: "unreachable", detail: "" } } as GapData),
    );
  const torn = Buffer.from(new TextDecoder().decode(line("both", 3)).replace('"dt":[3]', '"dt":[]'));
  const sent = [gap(1), line("both", 1), gap("now"), line("both", 2), torn, gap(2)];
  const { bytes, events } = joined(sent);
  const placed = events.map((event, i) => ({ ...event, id: String(i), position: i + 1 }));
  const aside: number[] = [];
  const log: string[] = [];
  const delivered = Promise.withResolvers<number>();
  const count = async (table: string): Promise<number> => {
    const sql = `SELECT count() AS n FROM mtc.${table} FINAL WHERE machine_id = 'both'`;
    return (await engine.query<{ n: number }>(sql, {}))[0]?.n ?? 0;
  };
  let left = placed;
  const relay = startRelay(
    {
      readOutbox: async () => ({ bytes, events: left }),
      async setAside(position) {
        aside.push(position);
      },
      async delivered(position) {
        log.push(`${await count("observations")} observations, ${await count("gaps")} gaps`);
        left = [];
        delivered.resolve(position);
      },
    },
    bus,
    () => {},
  );
  expect(await delivered.promise).toBe(6);
  await relay.stop();
  expect(aside).toEqual([3, 5]);
  expect(log).toEqual(["2 observations, 2 gaps"]);
});

test("settings of Kafka and ClickHouse, secrets from files too, and what they must not be", () => {
  const file = join(path, "url");
  writeFileSync(file, "http://mtc:secret@clickhouse:8123\n");
  expect(parseKafka({})).toBeUndefined();
  expect(parseKafka({ MTC_KAFKA_BROKERS: "a:9092, b:9092,[::1]:9092" })).toEqual({
    brokers: ["a:9092", "b:9092", "[::1]:9092"],
    topic: "raw_data",
    partitions: 12,
    group: "mtc",
  });
  expect(parseKafka({ MTC_KAFKA_BROKERS: "a:1", MTC_KAFKA_PARTITIONS: "48" })?.partitions).toBe(48);
  expect(parseClickHouseUrl({ MTC_CLICKHOUSE_URL_FILE: file })).toBe("http://mtc:secret@clickhouse:8123");
  for (const wrong of ["", "a", "http://a:9092", "a:9092,", "a:9092;b:9092"])
    expect(() => parseKafka({ MTC_KAFKA_BROKERS: wrong })).toThrow("MTC_KAFKA_BROKERS");
  for (const wrong of ["0", "1.5", "many", "5000"])
    expect(() => parseKafka({ MTC_KAFKA_BROKERS: "a:1", MTC_KAFKA_PARTITIONS: wrong })).toThrow("PARTITIONS");
  expect(() => parseClickHouseUrl({ MTC_CLICKHOUSE_URL: "tcp://u:secret@h:9000" })).toThrow(/^[^:]*: must/);
  expect(() => parseClickHouseUrl({ MTC_CLICKHOUSE_URL: "x", MTC_CLICKHOUSE_URL_FILE: file })).toThrow(
    "one of",
  );
  const registry = (url: string) => parseKafka({ MTC_KAFKA_BROKERS: "a:1", MTC_SCHEMA_REGISTRY_URL: url });
  expect(registry("https://u:secret@r:8081/api")?.schema_registry_url).toBe("https://u:secret@r:8081/api");
  expect(() => registry("u:secret@r:8081")).toThrow(/^MTC_SCHEMA_REGISTRY_URL: must be http[^s]*s\):/);
  for (const name of ["plants", "all-plants", "{cluster}"])
    expect(parseClickHouseCluster({ MTC_CLICKHOUSE_CLUSTER: name })).toBe(name);
  for (const wrong of ["", "a b", "x'", "{", "{a}b"])
    expect(() => parseClickHouseCluster({ MTC_CLICKHOUSE_CLUSTER: wrong })).toThrow("MTC_CLICKHOUSE_CLUSTER");
  expect(() => parseKafka({ MTC_KAFKA_BROKERS_FILE: `${file}-not` })).toThrow("no such file");
});
