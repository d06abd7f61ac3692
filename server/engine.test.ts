// Which engine is opened follows from the settings; a ClickHouse server is reached over HTTP and makes the same tables.
import { afterAll, expect, test } from "bun:test";
import { startClickHouseStandIn } from "../analytics-sql/testing/clickhouse-http.ts";
import { parseConfig } from "./config.ts";
import { openEngine } from "./engine.ts";

const server = startClickHouseStandIn();
afterAll(() => server.stop());

test("with MTC_CLICKHOUSE_URL it is the server, with the retention that is set", async () => {
  const config = { ...parseConfig({ MTC_RAW_RETENTION_DAYS: "7" }), clickhouse_url: server.url };
  const path = "/nowhere/that/may/be/written";
  const engine = await openEngine(config, { path, again: async () => {} }, undefined);
  const [table] = await engine.query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE database = 'mtc' AND name = 'observations'",
    {},
  );
  expect(table?.text).toContain("toIntervalDay(7)");
  await engine.close();
});
