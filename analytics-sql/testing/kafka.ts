// chDB as the consumer of real brokers: an engine whose background work has the profile that a server is given.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClickHouse } from "../engine/clickhouse.ts";
import type { Engine } from "../engine/engine.ts";
import { startClickHouseStandIn } from "./clickhouse-http.ts";

const PROFILE = new URL("../kafka/server-profile.xml", import.meta.url);

/** An embedded server reads its users from its one file; a ClickHouse server has them elsewhere. */
const USERS = (file: string): string => `
  <users_config>${file}</users_config>
  <users><default>
    <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
  </default></users>
  <quotas><default></default></quotas>
</clickhouse>`;

export async function openConsumer(): Promise<{ engine: Engine; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "mtc-consumer-"));
  const file = join(dir, "config.xml");
  writeFileSync(file, readFileSync(PROFILE, "utf8").replace("</clickhouse>", USERS(file)));
  const server = startClickHouseStandIn({ dir, port: 0 }, [`--config-file=${file}`]);
  const engine = await openClickHouse({ url: server.url, rawRetentionDays: 36_500 });
  return {
    engine,
    async close() {
      await engine.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
