// Puts a backup of either profile into an empty cluster: into a data directory of its own first, and from there as a move goes.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import { standingOf } from "../../analytics-sql/move/tables.ts";
import { lookAtKafka } from "../../ingest/outbox/kafka.ts";
import { isRestore, restoreToken } from "../../ingest/store/mongo/moving.ts";
import { lookAtMongo } from "../../ingest/store/mongo.ts";
import type { Config } from "../config.ts";
import { takeDataDir } from "../data-dir.ts";
import { carry } from "../move/carry.ts";
import type { Logs } from "../move/log.ts";
import { FOR_EVER_DAYS } from "../move/source.ts";
import { putBack, type Restore } from "./put-back.ts";

/** In the data directory, while it is restored. */
const SCRATCH = "restore-scratch";

/**
 * All that the backup's log had waiting is in ClickHouse then, and nothing in Kafka: the log, analytics and the topic say the same.
 * @throws Error with what is in the way; what was made in MongoDB and ClickHouse by then starts no process, and goes with the
 * next restore
 */
export async function putBackCluster(
  config: Config,
  restore: Restore,
  told: (line: string) => void,
): Promise<void> {
  await refuseFullCluster(config);
  const scratch = `${config.data_dir}/${SCRATCH}`;
  clear(scratch);
  const leave = (): void => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", leave);
  try {
    await putBack({ data_dir: scratch, lake: config.lake }, restore, told);
    // Up to a time, analytics may be made of the log alone.
    if (!existsSync(`${scratch}/chdb`)) await makeEmpty(`${scratch}/chdb`);
    const { mongo_url = "", clickhouse_url = "", clickhouse_cluster: cluster, raw_retention_days } = config;
    const code = await carry({
      from: scratch,
      // All that the backup has: what is too old goes by retention's own time, whatever this host's clock says.
      to: { mongo_url, clickhouse_url, cluster, raw_retention_days, held_days: FOR_EVER_DAYS },
      begin: (logs) => beginAnew(config, logs),
      token: restoreToken,
      with_figures: false,
      told,
    });
    if (code !== 0) throw new Error("what arrived is not what the backup holds: no process starts on it");
  } finally {
    process.off("exit", leave);
    leave();
  }
}

/** What one that was killed left. @throws ConfigError where one is under way */
function clear(scratch: string): void {
  if (!existsSync(scratch)) return;
  takeDataDir(scratch).free();
  rmSync(scratch, { recursive: true, force: true });
}

/** @throws Error naming what is not empty, but for what a restore left that was cut off */
async function refuseFullCluster({ mongo_url = "", clickhouse_url = "", kafka }: Config): Promise<void> {
  const { holds, moved } = await lookAtMongo(mongo_url).catch((error: Error) => {
    throw new Error(`MTC_MONGO_URL: ${error.message}`);
  });
  const is_half = moved !== undefined && !moved.done && isRestore(moved);
  if (!is_half && (holds !== "" || moved !== undefined))
    throw new Error(
      `MTC_MONGO_URL: the database is not empty (${holds || "counters"}); a restore takes an empty one: drop it, or name another one`,
    );
  const { filled, token } = await standingOf(clickhouse_url);
  if (filled && !(is_half && token === moved.token))
    throw new Error(
      "MTC_CLICKHOUSE_URL: the database mtc is not empty; a restore takes an empty one: drop mtc, and mtc_move if it is there",
    );
  const full =
    kafka &&
    (await lookAtKafka(kafka).catch((error: Error) => {
      throw new Error(`MTC_KAFKA_BROKERS: ${error.message}`);
    }));
  if (full !== undefined)
    throw new Error(
      `MTC_KAFKA_BROKERS: the topic ${full} is not empty; what it holds the backup's log may not know, and ClickHouse would read it again: delete the topic`,
    );
}

/** @returns false: nothing was sent before */
async function beginAnew(config: Config, { target }: Logs): Promise<boolean> {
  // Restoring may have taken long: somebody may have started the cluster.
  await refuseFullCluster(config);
  if (await target.isInUse())
    throw new Error("MTC_MONGO_URL: processes of a cluster work with the database: stop them first");
  if (await target.moved()) await target.empty();
  return false;
}

async function makeEmpty(path: string): Promise<void> {
  mkdirSync(path, { mode: 0o700 });
  const engine = await openEmbedded({ path, rawRetentionDays: FOR_EVER_DAYS });
  await engine.close();
}
