// From a real broker through ClickHouse's own Kafka engine: the same figures as in-process, whatever comes twice.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms, until } from "../../.ci/limits.ts";
import { compileCalendar } from "../../ingest/calendar.ts";
import type { Bus } from "../../ingest/outbox/bus.ts";
import { kafkaOf, openKafkaBus } from "../../ingest/outbox/kafka.ts";
import { type Brokers, hasKafka, startBrokers } from "../../ingest/testing/brokers.ts";
import type { Engine } from "../engine/engine.ts";
import { OEE_CUTS } from "../queries/oee.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { arrival, shuffled } from "../testing/arrival.ts";
import { openConsumer } from "../testing/kafka.ts";
import {
  type Calendar,
  columns,
  event,
  events,
  joined,
  type Plant,
  type Seen,
  us,
} from "../testing/plant.ts";
import { oee, states } from "../testing/rolled.ts";
import { closeSource, isStale, type KafkaSource, openSource, sourceStatements } from "./source.ts";

setDefaultTimeout(limit_ms(120));
const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);
const TOPIC = "raw_data";
const T0 = us("2026-01-30T00:00:00Z");
const HOUR_US = 3_600_000_000;
const WINDOW = {
  machines: ["mill-1", "mill-2"],
  from_us: T0,
  to_us: T0 + 96 * HOUR_US,
  as_of_us: T0 + 120 * HOUR_US,
};

/** Four days: runs by the hour, stops, faults, counts with a reset and a leap, makes two parts. */
function seen(shift_us: number): Seen[] {
  const rows: Seen[] = [];
  for (let hour = 0; hour < 96; hour++) {
    const t = T0 + shift_us + hour * HOUR_US;
    const see = (after_s: number, signal: string, value: Seen["value"]) =>
      rows.push({ signal, ts_us: t + after_s * 1_000_000, seq: 0, value });
    see(0, "execution", "ACTIVE");
    see(0, "part_number", hour % 5 === 0 ? "A" : "B");
    see(1_800, "part_count", hour === 50 ? 599_999 : (hour * 7) % 300);
    see(60, "spindle_speed", 995.5 + hour);
    see(3_000, "execution", "INTERRUPTED");
    if (hour % 9 === 0) see(3_100, "condition:x", "FAULT");
    if (hour % 9 === 1) see(10, "condition:x", "NORMAL");
  }
  return rows;
}

const plant = (machine: string, shift_us: number): Plant => ({
  machine,
  seen: seen(shift_us),
  calendar: {
    timezone: "Europe/Berlin",
    shifts: [
      {
        name: "early",
        days: ["mon", "fri", "sat"],
        start: "06:00",
        end: "14:00",
        breaks: [{ start: "09:00", end: "09:15" }],
      },
      { name: "night", days: ["mon", "fri", "sun"], start: "22:00", end: "06:00", breaks: [] },
    ],
    exceptions: [],
  },
  cycle_times: [{ part: "", valid_from_us: 0, ideal_cycle_s: 300 }],
  downtime: [{ from_us: T0 + 9 * HOUR_US, to_us: T0 + 12 * HOUR_US, reason: "tool" }],
  rejects: [{ ts_us: T0 + 10 * HOUR_US, count: 2 }],
  lots: [{ lot: "L1", part: "B", from_us: T0 + 20 * HOUR_US, order_id: "O1" }],
  gaps: [{ from_us: T0 + 30 * HOUR_US, to_us: T0 + 31 * HOUR_US, cause: "unreachable" }],
});

const logOf = (tenant: string): Uint8Array[] =>
  ["mill-1", "mill-2"].flatMap((machine, i) => events(tenant, plant(machine, i * 60_000_000), compile, 37));

test("invariant 2: while the source is made or removed nothing is read that not everybody behind it is given", async () => {
  const source = { brokers: ["127.0.0.1:9"], topic: TOPIC, group: "mtc", consumers: 1 };
  const reading = sourceStatements(source).filter((sql) =>
    /MATERIALIZED VIEW.*FROM mtc\.events_kafka$/s.test(sql.trim()),
  );
  // One view makes the reader read, and it comes last; the reader itself goes first.
  expect(reading).toEqual(sourceStatements(source).slice(-1));
  const removed: string[] = [];
  await closeSource({ maintain: async (sql) => void removed.push(/mtc\.(\w+)/.exec(sql)?.[1] ?? "") });
  expect(removed[0]).toBe("events_kafka");
  const made = sourceStatements(source).flatMap((sql) => /CREATE [A-Z ]+ mtc\.(\w+)/.exec(sql)?.[1] ?? []);
  expect(removed.toSorted()).toEqual(made.filter((name) => name !== "dead_letters").toSorted());
});

describe.skipIf(!hasKafka)("with a Kafka broker and the Kafka engine", () => {
  let brokers: Brokers;
  let consumer: Awaited<ReturnType<typeof openConsumer>>;
  let engine: Engine;
  let bus: Bus;
  let source: KafkaSource;

  beforeAll(async () => {
    brokers = await startBrokers(1);
    bus = openKafkaBus({ brokers: brokers.addresses, topic: TOPIC, partitions: 3, group: "mtc" });
    consumer = await openConsumer();
    engine = consumer.engine;
    source = { brokers: brokers.addresses, topic: TOPIC, group: "mtc", consumers: 1 };
    // The first event makes the topic.
    await bus.deliver(
      joined([event("nobody", "first", "mtc.machine.v1", { machine: { name: "first", deleted: false } })]),
    );
    await openSource(engine, source);
  });
  afterAll(async () => {
    if (engine) await closeSource(engine);
    await consumer?.close();
    await bus?.close();
    await brokers?.stop();
  });

  /** Everything that is in the topic has been read, and noted as read. */
  async function read(group = "mtc"): Promise<void> {
    const own = openKafkaBus({ brokers: brokers.addresses, topic: TOPIC, partitions: 3, group });
    await until(async () => (await own.backlog()).events === 0);
    await own.close();
  }

  const figures = async (tenant: string) => {
    const rows: Record<string, unknown> = {};
    // The plant is called as its tenant is.
    for (const by of OEE_CUTS)
      rows[by] = (await oee(engine, { ...WINDOW, tenant, by, groups: ["", ""] })).rows.map((row) => ({
        ...row,
        key: by === "plant" ? "" : row.key,
      }));
    return { ...rows, states: (await states(engine, { ...WINDOW, tenant })).rows };
  };

  const names = async (): Promise<string[]> =>
    (await engine.query<{ name: string }>("SELECT name FROM system.tables WHERE database = 'mtc'", {})).map(
      ({ name }) => name,
    );

  /** Tables as they are once each row is there once. */
  const sums = async (): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for (const table of [
      "observations",
      "signal_points",
      "calendars",
      "downtime",
      "rejects",
      "lots",
      "gaps",
    ]) {
      const [row] = await engine.query<{ sum: string }>(
        `SELECT concat(toString(count()), ' ', toString(sum(cityHash64(*)))) AS sum FROM mtc.${table} FINAL WHERE tenant_id = 'kafka'`,
        {},
      );
      found[table] = row?.sum ?? "";
    }
    return found;
  };

  test("invariants 2, 3 and 5: each event twice, in any order, through the broker: the same figures as in-process", async () => {
    await engine.insertEvents(joined(logOf("in-process")));
    const random = arrival();
    const twice = [...logOf("kafka")].flatMap((line) => [line, line]);
    for (let from = 0, all = shuffled(twice, random); from < all.length; from += 10)
      await bus.deliver(joined(all.slice(from, from + 10)));
    await read();
    const expected = await figures("in-process");
    expect(expected.states.length).toBeGreaterThan(200);
    expect(await figures("kafka")).toEqual(expected);
  });

  test("what cannot be read is a dead letter with its reason, and the partition goes on", async () => {
    const kafka = kafkaOf(brokers.addresses);
    const producer = kafka.producer();
    await producer.connect();
    const good = new TextDecoder().decode(
      event("kafka", "dead", "mtc.observations.v1", columns(seen(0).slice(0, 2))),
    );
    const bad = [
      "{nope",
      good.slice(0, 200),
      good.replace(/"dt":\[[^\]]*\]/, '"dt":[0]'),
      good.replace(/"t0":\d+/, '"t0":"noon"'),
    ];
    const messages = [...bad, null, good].map((value) => ({ key: "dead", value }));
    await producer.send({ topic: TOPIC, messages });
    await producer.disconnect();
    await read();
    const letters = await engine.query<{ key: string; error: string; message: string; age_s: number }>(
      `SELECT key, error, message, dateDiff('second', at, now64(3, 'UTC')) AS age_s
       FROM mtc.dead_letters FINAL ORDER BY partition, offset`,
      {},
    );
    expect(letters.map(({ key, error }) => [key, error.slice(0, 13)])).toEqual([
      ["dead", "Cannot parse "],
      ["dead", "Cannot parse "],
      ["dead", "the columns a"],
      ["dead", "Cannot parse "],
    ]);
    expect(letters[0]?.message).toBe("{nope");
    expect(letters[0]?.age_s).toBeLessThan(120);
    expect(JSON.parse(letters[2]?.message ?? "")).toMatchObject({
      subject: "dead",
      tenantid: "kafka",
      data: { dt: [0] },
    });
    const [rows] = await engine.query<{ n: number }>(
      "SELECT count() AS n FROM mtc.observations FINAL WHERE machine_id = 'dead'",
      {},
    );
    expect(rows?.n).toBe(2);
  });

  test("late data of three hundred days in one message", async () => {
    const days = Array.from({ length: 300 }, (_, i) => ({
      signal: "execution",
      ts_us: us("2024-01-01T00:00:00Z") + i * 24 * HOUR_US,
      seq: i,
      value: "ACTIVE",
    }));
    await bus.deliver(joined([event("kafka", "late", "mtc.observations.v1", columns(days))]));
    await read();
    const [row] = await engine.query<{ n: number }>(
      "SELECT uniqExact(ts) AS n FROM mtc.observations WHERE machine_id = 'late'",
      {},
    );
    expect(row?.n).toBe(300);
  });

  test("invariants 2 and 6: the topic from its start again changes nothing; of nothing left it makes everything", async () => {
    const before = { figures: await figures("kafka"), sums: await sums() };
    await closeSource(engine);
    await openSource(engine, { ...source, group: "mtc-again" });
    await read("mtc-again");
    expect({ figures: await figures("kafka"), sums: await sums() }).toEqual(before);

    await closeSource(engine);
    for (const table of [
      "observations",
      "signal_points",
      "signal_days",
      "calendars",
      "cycle_times",
      "downtime",
      "rejects",
      "lots",
      "gaps",
      "rolls_v2",
      "machine_days",
      "machine_day_sums",
      "machine_day_totals",
    ])
      await engine.maintain(`TRUNCATE TABLE mtc.${table} SYNC`);
    expect((await states(engine, { ...WINDOW, tenant: "kafka" })).rows).not.toEqual(before.figures.states);
    await openSource(engine, { ...source, group: "mtc-rebuild" });
    await read("mtc-rebuild");
    expect({ figures: await figures("kafka"), sums: await sums() }).toEqual(before);
  });

  test("invariant 2: a source of another release is closed before views move to other doors, and nothing is left out", async () => {
    // The one that the test before this left, by its own settings and by others.
    expect(await isStale(engine, { ...source, group: "mtc-rebuild" })).toBe(false);
    expect(await isStale(engine, source)).toBe(true);
    await closeSource(engine);
    expect(await names()).not.toContain("events_kafka");
    expect(await isStale(engine, source)).toBe(false);
    for (const comment of ["of another release", "0.9 x"]) {
      await engine.maintain(
        `CREATE TABLE mtc.events_kafka (id String, type LowCardinality(String)) ENGINE = Null COMMENT '${comment}'`,
      );
      expect(await isStale(engine, source)).toBe(true);
      await closeSource(engine);
    }
    await bus.deliver(
      joined([event("kafka", "meanwhile", "mtc.observations.v1", columns(seen(0).slice(0, 5)))]),
    );
    for (const statement of SCHEMA_STATEMENTS) await engine.maintain(statement);
    await openSource(engine, source);
    await openSource(engine, source);
    await read();
    const [row] = await engine.query<{ n: number }>(
      "SELECT count() AS n FROM mtc.observations FINAL WHERE machine_id = 'meanwhile'",
      {},
    );
    expect(row?.n).toBe(5);
  });
});
