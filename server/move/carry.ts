// An installation that stands still into a cluster's MongoDB and ClickHouse, and both held against each other.
import { openClickHouse } from "../../analytics-sql/engine/clickhouse.ts";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { beginOn, endOn, type Print, Tables } from "../../analytics-sql/move/tables.ts";
import type { MongoTarget } from "../../ingest/store/mongo/moving.ts";
import { openMongoTarget } from "../../ingest/store/mongo.ts";
import { storeVersion } from "../schema-version.ts";
import { holdFigures } from "./figures.ts";
import { holdBelongings, holdLog, type Logs, sendLog } from "./log.ts";
import { openSource, type Source } from "./source.ts";

const DAY_MS = 86_400_000;
/** Of each kind. */
const TOLD_DIFFERENCES = 20;

/** Where to: the servers' URLs with users and passwords, and for how long they keep raw data. */
export type Place = {
  mongo_url: string;
  clickhouse_url: string;
  cluster: string | undefined;
  raw_retention_days: number;
  held_days: number;
};

export type Carrying = {
  /** The data directory. */
  from: string;
  to: Place;
  /**
   * Asked before anything is made at ClickHouse.
   * @returns whether all was sent before, and is to be compared alone
   * @throws Error where the place is not one for it
   */
  begin(logs: Logs): Promise<boolean>;
  /** Of a new one. */
  token(): string;
  /** Figures of all known time are held against each other as well, which takes seconds for each machine. */
  with_figures: boolean;
  told: (line: string) => void;
};

type Target = { mongo: MongoTarget; engine: Engine; mongo_name: string; url: string };
/** Both sides, while they are open. */
type Both = { source: Source; target: Target; logs: Logs; tables: Tables; as_of_ms: number };

/**
 * Nobody works with the target before all of it is there and equal.
 * @returns 0 where all is equal; 1 where something differs, which is told
 * @throws Error with what is in the way
 */
export async function carry(carrying: Carrying): Promise<number> {
  const { from, to, begin, told } = carrying;
  const { clickhouse_url: url, cluster, held_days: rawRetentionDays } = to;
  const source = await openSource(from, told);
  const mongo = await openMongoTarget(to.mongo_url, to.raw_retention_days, storeVersion).catch(
    async (error: Error) => {
      await source.close();
      throw new Error(`MTC_MONGO_URL: ${error.message}`);
    },
  );
  let engine: Engine | undefined;
  try {
    const logs: Logs = { source: source.log, target: mongo.target, told };
    const done = await begin(logs);
    engine = await openClickHouse({ url, rawRetentionDays, ...(cluster ? { cluster } : {}) });
    const target = { mongo: mongo.target, engine, mongo_name: mongo.name, url };
    const as_of_ms = Date.now();
    const tables = await Tables.open({
      from: source.engine,
      url,
      to: engine,
      observed: {
        from: dayOf(as_of_ms - rawRetentionDays * DAY_MS),
        surely_from: dayOf(as_of_ms - (rawRetentionDays - 1) * DAY_MS),
      },
    });
    const both = { source, target, logs, tables, as_of_ms };
    try {
      if (!done) await send(both, carrying);
      return await prove(both, carrying);
    } finally {
      await tables.close();
    }
  } finally {
    await engine?.close();
    await mongo.close();
    await source.close();
  }
}

async function send({ source, target, logs, tables }: Both, { token: made, told }: Carrying): Promise<void> {
  const { events, bytes } = source.log.size();
  const token = (await target.mongo.moved())?.token ?? made();
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

/** @returns as {@link carry} */
async function prove(
  { source, target, logs, tables, as_of_ms }: Both,
  { with_figures, told }: Carrying,
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
  const figures = with_figures ? await figuresOf(source, target, as_of_ms, told) : [];

  const differences = [
    ...log.differences,
    ...beside.differences,
    ...differingPrints(before, after),
    ...figures,
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

/** @returns what differs, in words */
async function figuresOf(
  source: Source,
  target: Target,
  as_of_ms: number,
  told: (line: string) => void,
): Promise<string[]> {
  const { rows, figures, machines, differences } = await holdFigures(
    { before: source.engine, after: target.engine, as_of_us: as_of_ms * 1_000 },
    TOLD_DIFFERENCES,
    told,
  );
  told(`${rows} rows of figures (${figures} values) of ${machines} machines`);
  return differences.map(
    ({ machine, cut, row, column, before: was, after: is }) =>
      `${machine}, ${cut}${row === "" ? "" : ` ${row}`}: ${column} ${JSON.stringify(was)} before, ${JSON.stringify(is)} after`,
  );
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
