// The embedded engine: the contract, its limits, and what is there after it was opened again.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { observations } from "../queries/observations.ts";
import { openChdb } from "./chdb.ts";
import { engineContract } from "./engine.contract.ts";

const path = mkdtempSync(join(tmpdir(), "mtc-engine-"));
let engine = await openChdb({ path, rawRetentionDays: 30 });
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

test("opened again, everything is there, and the new retention holds", async () => {
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
  await engine.close();
  engine = await openChdb({ path, rawRetentionDays: 31 });
  expect(await list()).toEqual(before);
  const [table] = await engine.query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE database = 'mtc' AND name = 'observations'",
    {},
  );
  expect(table?.text).toContain("toIntervalDay(31)");
});
