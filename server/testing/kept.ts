// For tests: what a server keeps, read where it lies: SQLite's file, or MongoDB's collections.
import { MongoClient } from "mongodb";
import { collectionsOf } from "../../ingest/store/mongo/documents.ts";
import { openSqlite } from "../../ingest/store/sqlite.ts";
import { SqliteReader } from "../../ingest/store/sqlite-reader.ts";
import type { Store } from "../../ingest/store/store.ts";
import { onCluster } from "./server.ts";

const MAX_OUTBOX_BYTES = 1 << 30;

/** The store of a server that stands still. */
export async function openStoreOf(data_dir: string): Promise<Store> {
  if (!onCluster) return openSqlite({ file: `${data_dir}/mtc.sqlite`, max_outbox_bytes: MAX_OUTBOX_BYTES });
  const { openMongo } = await import("../../ingest/store/mongo.ts");
  return openMongo({
    url: await mongoUrlOf(data_dir),
    max_outbox_bytes: MAX_OUTBOX_BYTES,
    raw_retention_days: 36_500,
    project: "elsewhere",
    log() {},
  });
}

export type Kept = { id: string; machine_id: string; type: string; bytes: Uint8Array };

/** All events of an embedded server, in the log's order. */
export function keptInSqlite(data_dir: string): Kept[] {
  const reader = new SqliteReader(`${data_dir}/mtc.sqlite`);
  try {
    return reader.read(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  } finally {
    reader.close();
  }
}

/** All events of a cluster's outbox, in the log's order. */
export async function keptInMongo(url: string): Promise<Kept[]> {
  const client = new MongoClient(url, { promoteBuffers: true });
  try {
    const docs = await collectionsOf(client.db()).outbox.find().sort({ _id: 1 }).toArray();
    return docs.map(({ id, machine_id, type, bytes }) => ({
      id,
      machine_id,
      type,
      bytes: new Uint8Array(bytes),
    }));
  } finally {
    await client.close();
  }
}

/** All events of the server, in the log's order; it may run. */
export async function keptBy(data_dir: string): Promise<Kept[]> {
  if (!onCluster) return keptInSqlite(data_dir);
  return keptInMongo(await mongoUrlOf(data_dir));
}

async function mongoUrlOf(data_dir: string): Promise<string> {
  // Only then: what a cluster is made of is not everywhere.
  const { clusterOf } = await import("./cluster.ts");
  return (await clusterOf(data_dir)).settings.MTC_MONGO_URL ?? "";
}
