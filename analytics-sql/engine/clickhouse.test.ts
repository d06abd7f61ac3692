// The engine over HTTP: the client is held against ClickHouse's HTTP interface before chDB, since there is no server
// here. The schema, the queries, the settings and the engine behind them are real; of the protocol it is our reading.
import { afterAll, expect, test } from "bun:test";
import { compileCalendar } from "../../ingest/calendar.ts";
import { ALL_DAYS, clear, Shadow } from "../rebuild/shadow.ts";
import { startClickHouseStandIn } from "../testing/clickhouse-http.ts";
import { type Calendar, events, joined, type Plant, us } from "../testing/plant.ts";
import { oee, states } from "../testing/rolled.ts";
import { openClickHouse } from "./clickhouse.ts";
import { engineContract } from "./engine.contract.ts";

const server = startClickHouseStandIn();
const engine = await openClickHouse({ url: server.url, rawRetentionDays: 30 });
afterAll(async () => {
  await engine.close();
  await server.stop();
});

engineContract(engine);

const T0 = us("2026-01-05T06:00:00Z");
const MIN_US = 60_000_000;
const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);
const plant: Plant = {
  machine: "rounded",
  seen: [
    { signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" },
    { signal: "part_count", ts_us: T0, seq: 0, value: 0 },
    { signal: "part_count_bad", ts_us: T0, seq: 0, value: 0 },
    { signal: "part_count", ts_us: T0 + 419 * MIN_US, seq: 0, value: 400 },
    { signal: "part_count_bad", ts_us: T0 + 419 * MIN_US, seq: 0, value: 20 },
    { signal: "execution", ts_us: T0 + 420 * MIN_US, seq: 0, value: "READY" },
  ],
  calendar: {
    timezone: "UTC",
    shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00", breaks: [] }],
    exceptions: [],
  },
  cycle_times: [{ part: "", valid_from_us: 0, ideal_cycle_s: 60 }],
};
const WINDOW = {
  tenant: "plant-1",
  machines: ["rounded"],
  from_us: T0,
  to_us: T0 + 480 * MIN_US,
  as_of_us: us("2026-02-01T00:00:00Z"),
};

test("invariants 5 and 6: a published case, rolled up and read over HTTP, and the same after a rebuild", async () => {
  const log = joined(events("plant-1", plant, compile));
  await engine.insertEvents(log);
  const ask = async () => ({
    ...(await oee(engine, { ...WINDOW, by: "total" })),
    ...(await states(engine, WINDOW)),
  });
  const before = await oee(engine, { ...WINDOW, by: "total" });
  expect(before.rows[0]).toMatchObject({ availability: 420 / 480, good_count: 380, oee: 380 / 480 });
  const all = await ask();
  const shadow = await Shadow.open(engine, ALL_DAYS);
  await shadow.insert(log);
  await shadow.gather("");
  await shadow.absorb();
  await shadow.swap();
  await clear(engine);
  expect(await ask()).toEqual(all);
});

test("user and password go as headers, and a server that is away is no poison", async () => {
  expect(server.strangers()).toBe(0);
  const wrong = server.url.replace("s%2Fcret", "guess");
  await expect(openClickHouse({ url: wrong, rawRetentionDays: 30 })).rejects.toMatchObject({ code: 516 });
  const nobody = openClickHouse({ url: "http://127.0.0.1:9", rawRetentionDays: 30 });
  await expect(nobody).rejects.toMatchObject({ poison: false });
});

test("with a cluster's name the first statement is the cluster's already, which has to know it", async () => {
  const stranger = openClickHouse({ url: server.url, rawRetentionDays: 30, cluster: "nowhere" });
  await expect(stranger).rejects.toThrow("nowhere");
});
