// The engine over HTTP: the client is held against ClickHouse's HTTP interface before chDB, since there is no server
// here. The schema, the queries, the settings and the engine behind them are real; of the protocol it is our reading.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { compileCalendar } from "../../ingest/calendar.ts";
import { saveTables } from "../backup/tables.ts";
import { policies } from "../queries/policies.ts";
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
  await shadow.swap(() => {});
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

/** Behind a server that takes 16 kB of headers, as proxies do, and Bun's does here. */
test("2,000 machines in one report: what is asked for them travels in bodies", async () => {
  const machines = Array.from({ length: 2_000 }, (_, i) => `hall-${i % 7}/line-${i}/machining-centre`);
  const seen: Plant["seen"] = [
    { signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" },
    { signal: "execution", ts_us: T0 + 60 * MIN_US, seq: 0, value: "READY" },
  ];
  await engine.insertEvents(
    joined(machines.flatMap((machine) => events("plant-1", { machine, seen }, compile))),
  );
  const window = { ...WINDOW, machines, groups: machines.map(() => "all") };
  const { rows } = await oee(engine, { ...window, by: "group" });
  expect(rows).toMatchObject([{ calendar_time_s: 2_000 * 480 * 60, run_time_s: 2_000 * 60 * 60 }]);
  expect(new Set((await states(engine, window)).rows.map(({ machine_id }) => machine_id)).size).toBe(2_000);
  expect(await policies(engine, { tenant: "plant-1", machines })).toHaveLength(2_000);
});

test("a refusal without a word has words all the same", async () => {
  const wordless = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response("", { status: 431 }),
  });
  const refused = openClickHouse({ url: `http://127.0.0.1:${wordless.port}`, rawRetentionDays: 30 });
  await expect(refused).rejects.toThrow("refused without a word");
  await wordless.stop(true);
});

test("with a cluster's name the first definition is the cluster's already, which has to know it", async () => {
  await engine.maintain("TRUNCATE TABLE mtc.meta SYNC");
  const stranger = openClickHouse({ url: server.url, rawRetentionDays: 30, cluster: "nowhere" });
  await expect(stranger).rejects.toThrow("nowhere");
});

test("invariant 8: what comes over HTTP into a backup's files is each row of each table", async () => {
  const folder = mkdtempSync(`${tmpdir()}/mtc-saved-`);
  try {
    const saved = await saveTables(engine, { folder, by: "us", hasRoomFor: () => true, goOn() {} });
    expect(saved.map(({ name }) => name)).toContain("observations");
    const hash = (columns: string[]): string =>
      `SELECT count() AS rows, hex(sum(cityHash64(formatRowNoNewline('RowBinary', ${columns.join()})))) AS hash`;
    for (const { name, columns, partition, path } of saved) {
      const table = `${hash(columns)} FROM mtc.${name} WHERE _partition_id = {partition:String}`;
      const own = `${hash(columns)} FROM file({file:String}, 'Native')`;
      const [shall] = await engine.query<{ rows: number }>(table, { partition });
      expect([path, ...(await engine.query(own, { file: `${folder}/${path}` }))]).toEqual([path, shall]);
      expect(shall?.rows).toBeGreaterThan(0);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
