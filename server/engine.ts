// Opens the analytics engine that the settings ask for: the embedded one, or a ClickHouse server.
import { openClickHouse } from "../analytics-sql/engine/clickhouse.ts";
import { openEmbedded } from "../analytics-sql/engine/embedded.ts";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import type { Lake } from "../analytics-sql/lake/lake.ts";
import { hasRoom } from "../ingest/store/room.ts";
import type { Config } from "./config.ts";

/**
 * With a lake, days leave the table when they are in it. Where it cannot be written they wait this much longer, and
 * then go, so that the disk stays bounded.
 */
const LAKE_HELD_DAYS = 90;
/** Reading threads of each server; with as many servers as partitions each reads one. */
export const KAFKA_CONSUMERS = 1;

/** Of a process that serves no questions: nothing of it is ever asked. */
const NONE: Engine = (() => {
  const none = (): Promise<never> => Promise.reject(new Error("this process has no analytics"));
  return {
    insertEvents: none,
    query: none,
    run: none,
    read: none,
    aside: { query: none, run: none },
    maintain: none,
    expire: none,
    entriesVersion: () => undefined,
    visibleUntil_us: () => 0,
    analyst: none,
    ping: none,
    async close() {},
  };
})();

/** How long the engine's own table keeps an observation. */
export const heldDays = ({ raw_retention_days, lake }: Pick<Config, "raw_retention_days" | "lake">): number =>
  raw_retention_days + (lake ? LAKE_HELD_DAYS : 0);

/** What an embedded engine has around it. */
export type Around = {
  /** The engine's directory. */
  path: string;
  /** Something of the projection is missing: delivers all of the log again. */
  again: () => Promise<void>;
};

/** @throws EngineError where it cannot be opened, NewerSchema where this program is too old for what is there */
export async function openEngine(
  config: Config,
  { path, again }: Around,
  lake: Lake | undefined,
  log?: (message: string) => void,
): Promise<Engine> {
  const { clickhouse_url: url, clickhouse_cluster: cluster, data_dir, kafka, roles } = config;
  if (!roles.includes("api")) return NONE;
  const common = {
    rawRetentionDays: heldDays(config),
    ...(lake ? { lake_engine: (tenant: string) => lake.engineOf(tenant) } : {}),
    ...(log && { log }),
  };
  if (url === undefined) return openEmbedded({ path, again, hasRoom: () => hasRoom(data_dir), ...common });
  return openClickHouse({
    url,
    ...(cluster === undefined ? {} : { cluster }),
    ...common,
    ...(kafka ? { kafka: { ...kafka, consumers: KAFKA_CONSUMERS } } : {}),
  });
}
