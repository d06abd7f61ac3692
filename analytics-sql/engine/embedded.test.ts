// The embedded engine: the contract, its limits, and what is there after it was opened again.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../.ci/limits.ts";
import { observations } from "../queries/observations.ts";
import { openEmbedded } from "./embedded.ts";
import { engineContract } from "./engine.contract.ts";

const path = mkdtempSync(join(tmpdir(), "mtc-engine-"));
let engine = await openEmbedded({ path, rawRetentionDays: 30 });
afterAll(async () => {
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

engineContract(engine);

test("limits are set (invariant 7)", async () => {
  const [limits] = await engine.query<{ server: number; one: number }>(
    `SELECT toInt64(value) AS server, toInt64(getSetting('max_memory_usage')) AS one
     FROM system.server_settings WHERE name = 'max_server_memory_usage'`,
    {},
  );
  expect(limits).toEqual({ server: 3 * 1024 ** 3, one: 2 * 1024 ** 3 });
});

test.skipIf(process.platform !== "linux")("what a query needed is given back (invariant 7)", async () => {
  const held = (): number => engine.process?.().resident_bytes ?? 0;
  await engine.query("SELECT length(groupArray(x)) AS n FROM (SELECT arrayJoin(range(60000000)) AS x)", {});
  expect(held()).toBeGreaterThan(400 * 1024 ** 2);
  await until(() => held() < 200 * 1024 ** 2);
});

test("opened again, everything is there, and a TTL that a release before gave the table is not", async () => {
  const list = () =>
    observations(engine, {
      tenant: "plant-1",
      machine: "pages",
      signal: "",
      from_us: 946_684_800_000_000,
      to_us: 4_102_444_800_000_000,
      limit: 1_000,
      cursor: null,
    });
  const before = await list();
  expect(before.rows).toHaveLength(25);
  const table = () =>
    engine.query<{ text: string }>(
      "SELECT create_table_query AS text FROM system.tables WHERE database = 'mtc' AND name = 'observations'",
      {},
    );
  await engine.maintain(
    `ALTER TABLE mtc.observations MODIFY TTL toDateTime64(ts, 0, 'UTC') + INTERVAL 30 DAY
     SETTINGS materialize_ttl_after_modify = 0`,
  );
  expect((await table())[0]?.text).toContain("toIntervalDay(30)");
  await engine.close();
  engine = await openEmbedded({ path, rawRetentionDays: 31 });
  expect(await list()).toEqual(before);
  expect((await table())[0]?.text).not.toContain("TTL");
});

test("what an earlier release made goes: its one door, and the views that hung on it", async () => {
  const made = async (): Promise<string[]> => {
    const rows = await engine.query<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = 'mtc'
       AND (name = 'events_in' OR create_table_query LIKE '% FROM mtc.events_in%') ORDER BY name`,
      {},
    );
    return rows.map(({ name }) => name);
  };
  await engine.maintain(
    "CREATE TABLE mtc.events_in (id String, type String, tenantid String, subject String, t0 Int64) ENGINE = Null",
  );
  const old: [view: string, table: string, columns: string][] = [
    ["observations_v2_mv", "observations", "fromUnixTimestamp64Micro(t0, 'UTC') AS ts"],
    ["gaps_mv", "gaps", "t0 AS from_us"],
    ["touched_by_entries_mv", "touched", "now('UTC') AS at"],
  ];
  for (const [view, table, columns] of old)
    await engine.maintain(
      `CREATE MATERIALIZED VIEW mtc.${view} TO mtc.${table} AS
       SELECT tenantid AS tenant_id, subject AS machine_id, ${columns} FROM mtc.events_in`,
    );
  expect(await made()).toEqual(["events_in", ...old.map(([view]) => view)].sort());
  await engine.maintain("DROP TABLE mtc.meta SYNC");
  await engine.close();
  engine = await openEmbedded({ path, rawRetentionDays: 31 });
  expect(await made()).toEqual([]);
});

test("marks of the release before, which say their second alone, hold to its end", async () => {
  const at_s = Math.floor(Date.now() / 1_000);
  for (const sql of [
    "DROP VIEW mtc.touched_by_signals_v2_mv",
    "DROP VIEW mtc.touched_by_entries_v2_mv",
    "ALTER TABLE mtc.touched DROP COLUMN last_us",
    "DROP TABLE mtc.meta SYNC",
    "INSERT INTO mtc.touched SELECT 'plant-1', 'before', toDateTime({at_s:Int64}, 'UTC'), 1, 2",
  ])
    await engine.maintain(sql, { at_s });
  await engine.close();
  engine = await openEmbedded({ path, rawRetentionDays: 31 });
  const marks = await engine.query(
    "SELECT from_us, counters_from_us, last_us FROM mtc.touched WHERE machine_id = 'before'",
    {},
  );
  expect(marks).toEqual([{ from_us: 1, counters_from_us: 2, last_us: at_s * 1_000_000 + 999_999 }]);
});
