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
  await engine.maintain(
    `INSERT INTO mtc.observations (tenant_id, machine_id, ts)
     SELECT 't', toString(day), toDateTime64('2026-01-01', 6, 'UTC') + toIntervalDay(day) FROM (SELECT arrayJoin([0, 1]) AS day)`,
  );
  await engine.expire(Date.parse("2026-01-09T00:00:00Z"));
  expect(await engine.query("SELECT machine_id FROM mtc.observations", {})).toEqual([{ machine_id: "1" }]);
  await engine.close();
});
