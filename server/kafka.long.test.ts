// The whole program with Kafka as its bus and the Kafka engine as the reader: HTTP in, figures out, the broker away
// meanwhile, a dead letter mended over HTTP.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { closeSource, openSource } from "../analytics-sql/kafka/source.ts";
import { kafkaOf } from "../ingest/outbox/kafka.ts";
import { type Brokers, hasKafka, startBrokers } from "../ingest/testing/brokers.ts";
import { createApp } from "./app.ts";
import { KAFKA_DEFAULTS } from "./cluster-config.ts";
import { parseConfig } from "./config.ts";
import { type Services, startServices } from "./services.ts";
import { callTo, emptied, TEST_KEY, type TestServer, tempDir } from "./testing/server.ts";

setDefaultTimeout(limit_ms(240));
const T0_MS = Date.parse("2026-01-05T06:00:00Z");
const WINDOW = "from=2026-01-05T06:00:00Z&to=2026-01-05T14:00:00Z";

describe.skipIf(!hasKafka)("the program on a Kafka broker", () => {
  const data_dir = tempDir();
  let brokers: Brokers;
  let services: Services;
  let app: ReturnType<typeof createApp>;
  let origin = "";

  beforeAll(async () => {
    brokers = await startBrokers(1);
    const config = parseConfig({ MTC_DATA_DIR: data_dir, MTC_ADMIN_KEY: TEST_KEY, MTC_DEMO: "off" });
    const kafka = { ...KAFKA_DEFAULTS, brokers: brokers.addresses };
    services = await startServices({ ...config, raw_retention_days: 36_500, kafka }, () => {});
    app = createApp(services).listen({ hostname: "127.0.0.1", port: 0 });
    origin = `http://127.0.0.1:${app.server?.port}`;
    await openSource(services.engine, { ...kafka, consumers: 1 });
  });
  afterAll(async () => {
    if (services) await closeSource(services.engine);
    await app?.stop(true);
    await services?.stop();
    await brokers?.stop();
    rmSync(data_dir, { recursive: true, force: true });
  });

  const call: TestServer["call"] = (...asked) => callTo(origin)(...asked);
  /** All that was acknowledged has been read by analytics. */
  const settled = () => emptied(call, 120);
  const at = (minute: number, signal: string, value: string | number) => ({
    signal,
    ts: new Date(T0_MS + minute * 60_000).toISOString(),
    value,
  });
  type Row = { oee: number; availability: number; good_count: number; total_count: number };
  const oee = async (): Promise<Row | undefined> => {
    await settled();
    return (await call<{ rows: Row[] }>("GET", `/api/v1/machines/mill-1/oee?${WINDOW}`)).body.rows[0];
  };

  test("invariants 1, 2 and 5: a published case, posted while the broker is away for the half of it", async () => {
    await call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
    await call("PUT", "/api/v1/machines/mill-1/calendar", {
      timezone: "UTC",
      shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00", breaks: [] }],
    });
    await call("PUT", "/api/v1/machines/mill-1/cycle-times", [
      { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 60 },
    ]);
    const post = async (observations: object[]): Promise<void> => {
      const { status } = await call("POST", "/internal/machines/mill-1/data", { observations });
      expect(status).toBe(202);
    };
    await post([at(0, "execution", "ACTIVE"), at(0, "part_count", 0), at(0, "part_count_bad", 0)]);
    await settled();
    await brokers.kill(0);
    await post([at(419, "part_count", 400), at(419, "part_count_bad", 20)]);
    await post([at(420, "execution", "READY")]);
    const error = await until(async () => {
      const { body } = await call<{ outbox: { error: string } }>("GET", "/readyz");
      return body.outbox.error || undefined;
    });
    expect(error).toStartWith("Kafka: ");
    await until(async () =>
      /^mtc_consumer_lag_events NaN$/im.test((await call<string>("GET", "/metrics")).body),
    );
    await brokers.start(0);
    expect(await oee()).toMatchObject({ availability: 420 / 480, good_count: 380, oee: 380 / 480 });
  });

  test("a message that is none of ours is a dead letter of the machine's tenant; mended, it counts", async () => {
    const producer = kafkaOf(brokers.addresses).producer();
    await producer.connect();
    await producer.send({ topic: KAFKA_DEFAULTS.topic, messages: [{ key: "mill-1", value: "{torn" }] });
    await producer.disconnect();
    type Letter = { position: number; error: string; machine_id: string };
    const [letter] = await until(async () => {
      const { rows } = (await call<{ rows: Letter[] }>("GET", "/api/v1/dead-letters")).body;
      return rows.length > 0 ? rows : undefined;
    });
    expect(letter).toMatchObject({ machine_id: "mill-1" });
    expect(letter?.error).toEndWith("(clickhouse)");
    // It is called an event, and need not be one.
    const torn = `${origin}/api/v1/dead-letters/${letter?.position}`;
    expect(await (await fetch(torn, { headers: { "x-api-key": TEST_KEY } })).text()).toBe("{torn");
    const mended = {
      id: "01KE6HQ0000000000000000000",
      type: "mtc.observations.v1",
      subject: "mill-1",
      tenantid: "default",
      time: "2026-01-05T14:00:00Z",
      data: { signals: ["part_count"], signal: [0], t0: (T0_MS + 479 * 60_000) * 1_000, dt: [0], num: [410] },
    };
    expect((await call("PUT", `/api/v1/dead-letters/${letter?.position}`, mended)).status).toBe(202);
    expect((await call<{ rows: Letter[] }>("GET", "/api/v1/dead-letters")).body.rows).toEqual([]);
    expect(await oee()).toMatchObject({ total_count: 410 });
  });

  test("invariant 6: rebuilt from the log, the figures are the same", async () => {
    const before = await oee();
    expect((await call("POST", "/api/v1/rebuild", {})).status).toBe(202);
    const done = await until(async () => {
      const { body } = await call<{ phase: string; error: string }>("GET", "/api/v1/rebuild");
      return ["done", "failed"].includes(body.phase) ? body : undefined;
    }, 120);
    expect(done).toMatchObject({ phase: "done", error: "" });
    expect(await oee()).toEqual(before);
  });
});
