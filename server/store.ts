// Which store the settings mean: SQLite in this process, or MongoDB.
import { openSqlite } from "../ingest/store/sqlite.ts";
import type { Store } from "../ingest/store/store.ts";
import type { Config } from "./config.ts";
import { storeVersion } from "./schema-version.ts";

/** How much may wait for analytics before ingest is refused. */
export const MAX_OUTBOX_BYTES = 4 * 1024 ** 3;

/**
 * Opens (or makes) it.
 * @param died told when an embedded store ended on its own; one on a server is waited for instead
 * @throws where it cannot be opened, or its server not be reached; NewerSchema, VersionUnknown
 */
export async function openStore(
  config: Pick<Config, "data_dir" | "mongo_url" | "raw_retention_days" | "roles">,
  log: (message: string) => void,
  died: (error: Error) => void,
): Promise<Store> {
  const { data_dir, mongo_url: url, raw_retention_days, roles } = config;
  const max_outbox_bytes = MAX_OUTBOX_BYTES;
  if (url === undefined) return openSqlite({ file: `${data_dir}/mtc.sqlite`, max_outbox_bytes }, died);
  // Only where it is asked for: the embedded start does not wait for a driver it has no use for.
  const { openMongo } = await import("../ingest/store/mongo.ts");
  const project = roles.includes("relay") ? "here" : "elsewhere";
  return openMongo({ url, max_outbox_bytes, raw_retention_days, project, log, version: storeVersion });
}
