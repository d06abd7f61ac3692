// `bun run move`: takes an embedded installation to a cluster's MongoDB and ClickHouse, and proves that nothing differs.
import { parseArgs } from "node:util";
import { openClickHouse } from "../analytics-sql/engine/clickhouse.ts";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { beginOn, endOn, type Print, standingOf, Tables } from "../analytics-sql/move/tables.ts";
import type { MongoTarget } from "../ingest/store/mongo/moving.ts";
import { openMongoTarget } from "../ingest/store/mongo.ts";
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
import { holdFigures } from "./move/figures.ts";
import { holdBelongings, holdLog, type Logs, refuseStrangers, sendLog } from "./move/log.ts";
import { openSource, type Source } from "./move/source.ts";
import { storeVersion } from "./schema-version.ts";

const HELP = `MTC_DATA_DIR=/var/lib/mtc MTC_MONGO_URL=mongodb://… MTC_CLICKHOUSE_URL=http://… bun run move

Takes the embedded installation in MTC_DATA_DIR to the MongoDB and the ClickHouse server of a cluster, and holds both
against each other: every event byte for byte, every table, every figure of every machine over all known time. Ends with 1
and tells machine, cut and column where anything differs. Stop the server first, and start the cluster afterwards. The
source stays as it is. Cut off anywhere, run it again: it goes on; once it was done, it only compares. Takes the
environment that the cluster is started with; nothing is sent through Kafka.`;

const DAY_MS = 86_400_000;
/** Of each kind. */
const TOLD_DIFFERENCES = 20;

type Target = { mongo: MongoTarget; engine: Engine; mongo_name: string; url: string };

const told = (line: string): void => console.log(`  ${line}`);

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
  const rawRetentionDays = heldDays(config);
  console.log(`from ${config.data_dir}`);
  const source = await openSource(config.data_dir, told);
  const mongo = await openMongoTarget(mongo_url, config.raw_retention_days, storeVersion).catch(
    async (error: Error) => {
      await source.close();
      throw new Error(`MTC_MONGO_URL: ${error.message}`);
    },
  );
  let engine: Engine | undefined;
  try {
    const logs: Logs = { source: source.log, target: mongo.target, told };
    // Asked before anything is made there.
    const done = await standing(logs, clickhouse_url);
    engine = await openClickHouse({ url: clickhouse_url, rawRetentionDays, ...(cluster ? { cluster } : {}) });
    const target = { mongo: mongo.target, engine, mongo_name: mongo.name, url: clickhouse_url };
    const as_of_ms = Date.now();
    const tables = await Tables.open({
      from: source.engine,
      url: clickhouse_url,
      to: engine,
      observed: {
        from: dayOf(as_of_ms - rawRetentionDays * DAY_MS),
        surely_from: dayOf(as_of_ms - (rawRetentionDays - 1) * DAY_MS),
      },
    });
    try {
      if (!done) await send(source, target, logs, tables);
      return await prove(source, target, logs, tables, as_of_ms);
    } finally {
      await tables.close();
    }
  } finally {
    await engine?.close();
    await mongo.close();
    await source.close();
  }
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

async function send(source: Source, target: Target, logs: Logs, tables: Tables): Promise<void> {
  const { events, bytes } = source.log.size();
  const token = (await target.mongo.moved())?.token ?? crypto.randomUUID();
  await target.mongo.begin(token);
  await beginOn(target.engine, token);
  console.log(`to ${target.mongo_name}: ${events} events, ${(bytes / 1e6).toFixed(1)} MB`);
  const { refused } = source;
  const sent = await sendLog(logs, ({ id }) => refused.has(id));
  await target.mongo.settle(source.log.belongings());
  told(`${sent} events sent, ${events - sent} were there already`);
  console.log(`to ${new URL(target.url).host}: tables`);
  told(`${await tables.copy(told)} rows sent`);
}

/** @returns the command's exit code */
async function prove(
  source: Source,
  target: Target,
  logs: Logs,
  tables: Tables,
  as_of_ms: number,
): Promise<number> {
  console.log("comparing");
  const log = await holdLog(logs, TOLD_DIFFERENCES);
  told(`${log.events} events, ${(log.bytes / 1e6).toFixed(1)} MB, byte for byte`);
  const beside = await holdBelongings(logs);
  told(`${beside.compared} machines, keys, users, checkpoints and open gaps`);
  const { before, after } = await tables.prints();
  const rows = before.reduce((sum, print) => sum + print.rows, 0);
  told(
    `${rows} rows of ${new Set(before.map(({ table }) => table)).size} tables, ${count(before, "observations")} observations among them`,
  );
  await tables.forgetRolled();
  const figures = await holdFigures(
    { before: source.engine, after: target.engine, as_of_us: as_of_ms * 1_000 },
    TOLD_DIFFERENCES,
    told,
  );
  told(`${figures.rows} rows of figures (${figures.figures} values) of ${figures.machines} machines`);

  const differences = [
    ...log.differences,
    ...beside.differences,
    ...differingPrints(before, after),
    ...figures.differences.map(
      ({ machine, cut, row, column, before: was, after: is }) =>
        `${machine}, ${cut}${row === "" ? "" : ` ${row}`}: ${column} ${JSON.stringify(was)} before, ${JSON.stringify(is)} after`,
    ),
  ];
  if (differences.length > 0) {
    console.error(`${differences.length} differences:\n${differences.map((one) => `  ${one}`).join("\n")}`);
    return 1;
  }
  await target.mongo.end();
  await endOn(target.engine);
  console.log("equal: the cluster may be started");
  return 0;
}

const count = (prints: Print[], table: string): number =>
  prints.filter((one) => one.table === table).reduce((sum, { rows }) => sum + rows, 0);

function differingPrints(before: Print[], after: Print[]): string[] {
  const keyOf = ({ table, partition, tenant, machine }: Print): string =>
    [machine || `all machines of ${tenant}`, `table ${table}`, `partition ${partition}`].join(", ");
  const [was, is] = [before, after].map((prints) => new Map(prints.map((print) => [keyOf(print), print])));
  const differences: string[] = [];
  for (const key of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
    const [a, b] = [was?.get(key), is?.get(key)];
    if (a?.hash === b?.hash && a?.rows === b?.rows) continue;
    differences.push(
      `${key}: ${a?.rows ?? 0} rows before, ${b?.rows ?? 0} after${a?.rows === b?.rows ? ", others" : ""}`,
    );
  }
  return differences.slice(0, TOLD_DIFFERENCES);
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");

runCommand(main);
