// `bun run move`: takes an embedded installation to a cluster's MongoDB and ClickHouse, and proves that nothing differs.
import { parseArgs } from "node:util";
import { standingOf } from "../analytics-sql/move/tables.ts";
import { isRestore } from "../ingest/store/mongo/moving.ts";
import {
  CLUSTER_SETTINGS,
  parseClickHouseCluster,
  parseClickHouseUrl,
  parseKafka,
  parseMongoUrl,
} from "./cluster-config.ts";
import { runCommand } from "./command.ts";
import { type Config, parseConfig } from "./config.ts";
import { heldDays } from "./engine.ts";
import { carry } from "./move/carry.ts";
import { type Logs, refuseStrangers } from "./move/log.ts";

const HELP = `MTC_DATA_DIR=/var/lib/mtc MTC_MONGO_URL=mongodb://… MTC_CLICKHOUSE_URL=http://… bun run move

Takes the embedded installation in MTC_DATA_DIR to the MongoDB and the ClickHouse server of a cluster, and holds both
against each other: every event byte for byte, every table, every figure of every machine over all known time. Ends with 1
and tells machine, cut and column where anything differs. Stop the server first, and start the cluster afterwards. The
source stays as it is. Cut off anywhere, run it again: it goes on; once it was done, it only compares. Takes the
environment that the cluster is started with; nothing is sent through Kafka.`;

/** The source's settings, and where to. @throws Error with what is wrong */
function parse(env: Record<string, string | undefined>): {
  config: Config;
  mongo_url: string;
  clickhouse_url: string;
  cluster: string | undefined;
} {
  const own = Object.entries(env).filter(
    ([name]) => ![...CLUSTER_SETTINGS, "MTC_PROFILE", "MTC_ROLES", "MTC_DEMO"].includes(name),
  );
  const config = parseConfig(Object.fromEntries(own));
  const [mongo_url, clickhouse_url] = [parseMongoUrl(env), parseClickHouseUrl(env)];
  parseKafka(env);
  if (mongo_url === undefined) throw new Error("MTC_MONGO_URL: where the store is moved to");
  if (clickhouse_url === undefined) throw new Error("MTC_CLICKHOUSE_URL: where analytics is moved to");
  return { config, mongo_url, clickhouse_url, cluster: parseClickHouseCluster(env) };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ args: process.argv.slice(2), options: { help: { type: "boolean" } } });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { config, mongo_url, clickhouse_url, cluster } = parse(process.env);
  console.log(`from ${config.data_dir}`);
  const { raw_retention_days } = config;
  return carry({
    from: config.data_dir,
    to: { mongo_url, clickhouse_url, cluster, raw_retention_days, held_days: heldDays(config) },
    begin: (logs) => standing(logs, clickhouse_url),
    token: () => crypto.randomUUID(),
    with_figures: true,
    told: (line) => console.log(`  ${line}`),
  });
}

/**
 * @returns whether this installation was moved there before, to its end
 * @throws Error where the target is in use, or holds something else
 */
async function standing(logs: Logs, clickhouse_url: string): Promise<boolean> {
  const { source, target } = logs;
  const moved = await target.moved();
  const analytics = await standingOf(clickhouse_url);
  if (!moved) {
    const held = await target.holds();
    if (held !== "") throw new Error(`MTC_MONGO_URL: the database holds another installation's ${held}`);
    if (analytics.filled)
      throw new Error("MTC_CLICKHOUSE_URL: the server holds another installation's figures");
    return false;
  }
  if (isRestore(moved))
    throw new Error("a backup was restored there, or is being restored: drop the target's databases first");
  await refuseStrangers(logs);
  if (await target.isInUse()) throw new Error("a cluster works with the target: stop it first");
  if (!moved.done) {
    if (analytics.filled && analytics.token !== moved.token)
      throw new Error("MTC_CLICKHOUSE_URL: the server holds figures that this move did not bring there");
    return false;
  }
  if (source.read(await target.last(), 1, 1).length > 0) {
    throw new Error(
      "the installation has taken events since it was moved: drop the target's databases, and move it again",
    );
  }
  console.log("it was moved before: nothing is sent, both are compared");
  return true;
}

runCommand(main);
