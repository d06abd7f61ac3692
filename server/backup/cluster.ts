// What a cluster's backup is copied from: ClickHouse's tables over HTTP, then MongoDB's log, while its processes go on.
import { mkdirSync } from "node:fs";
import { type SavedPartition, saveTables } from "../../analytics-sql/backup/tables.ts";
import { connect } from "../../analytics-sql/engine/clickhouse.ts";
import { SCHEMA_VERSION } from "../../analytics-sql/schema/schema.ts";
import { textOf } from "../../analytics-sql/schema/version.ts";
import { openKafkaBus } from "../../ingest/outbox/kafka.ts";
import type { MongoSource } from "../../ingest/store/mongo/copying.ts";
import { openMongoSource } from "../../ingest/store/mongo.ts";
import { hasRoomFor } from "../../ingest/store/room.ts";
import { SqliteFilling } from "../../ingest/store/sqlite-fill.ts";
import type { Config } from "../config.ts";
import { ANALYTICS } from "../modules/backup/model.ts";
import type { From } from "./take.ts";

/** One read, one write. */
const BATCH_EVENTS = 2_000;
const BATCH_BYTES = 16 * 1024 ** 2;
/** How often it says how far it is. */
const TOLD_MS = 5_000;

/** @throws Error where a server does not answer, or what it has is not to be backed up by this program */
export async function openCluster(config: Config, told: (line: string) => void): Promise<From> {
  const { mongo_url = "", clickhouse_url = "", raw_retention_days } = config;
  const mongo = await openMongoSource(mongo_url).catch((error: Error) => {
    throw new Error(`MTC_MONGO_URL: ${error.message}`);
  });
  const engine = connect({ url: clickhouse_url, rawRetentionDays: raw_retention_days });
  const close = async (): Promise<void> => {
    await engine.close();
    await mongo.close();
  };
  try {
    await refuseOther(mongo.source);
    const standing = await mongo.source.standing();
    told(`the log ends at ${standing.last}; waiting until ClickHouse has what of it is with Kafka`);
    // Before the first delivery there is no topic that could be asked.
    if (standing.delivered > 0) await settled(config);
    return {
      schema: SCHEMA_VERSION,
      // Each batch is asked about instead: what a collection takes is packed otherwise.
      log_bytes: () => 0,
      hasRoomFor,
      delivered: standing.delivered,
      data_dir: undefined,
      save(partial): Promise<SavedPartition[]> {
        const folder = `${partial}/${ANALYTICS}`;
        mkdirSync(folder);
        return saveTables(engine, {
          folder,
          by: "us",
          hasRoomFor: (bytes) => hasRoomFor(folder, bytes),
          goOn() {},
        });
      },
      async copyLog(file) {
        await copyLog(mongo.source, file, standing.delivered, told);
        await mongo.source.refusePurged(standing);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws Error for what is half, or of another release */
async function refuseOther(source: MongoSource): Promise<void> {
  await source.refuseHalf();
  const found = await source.version();
  if (found === undefined) throw new Error("MTC_MONGO_URL: there is no installation in the database");
  if (found !== textOf(SCHEMA_VERSION))
    throw new Error(
      `MTC_MONGO_URL: the database has the schema ${found}, and this program knows ${textOf(SCHEMA_VERSION)}: back it up by the release that runs on it`,
    );
}

/** Delivered is with Kafka; what is there by now comes into ClickHouse before its tables are copied. */
async function settled({ kafka }: Config): Promise<void> {
  if (!kafka) return;
  const bus = openKafkaBus(kafka);
  try {
    await bus.settled();
  } finally {
    await bus.close();
  }
}

/**
 * The log as far as it went when what is beside it was read: all that analytics has by now is before that. What came since the
 * backup began waits in the copy, and counts once (invariant 2).
 */
async function copyLog(
  source: MongoSource,
  file: string,
  delivered: number,
  told: (line: string) => void,
): Promise<void> {
  const { last, belongings } = await source.cut();
  const copy = new SqliteFilling(file);
  try {
    let told_ms = performance.now();
    for (let at = 0; ; ) {
      const events = await source.read(at, last, BATCH_EVENTS, BATCH_BYTES);
      const newest = events.at(-1);
      if (!newest) break;
      const bytes = events.reduce((sum, event) => sum + event.bytes.length, 0);
      if (!hasRoomFor(file, bytes)) throw new Error(`${file}: too little room for the log`);
      copy.take(events);
      at = newest.position;
      if (performance.now() - told_ms < TOLD_MS) continue;
      told_ms = performance.now();
      told(`log: ${Math.floor((100 * at) / last)} %`);
    }
    const purged_before_ms = await source.purgedBefore_ms();
    const retention_ms = await source.retentionTime_ms();
    copy.settle(belongings, { delivered, last, purged_before_ms, retention_ms });
  } finally {
    copy.close();
  }
}
