// The engine as a ClickHouse server, over HTTP: the same schema, the same queries, the same settings with each request.
import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { Analysts } from "../analyst/analysts.ts";
import { connectHttp } from "../analyst/http-connection.ts";
import { closeStaleSource, type KafkaSource, openSource } from "../kafka/source.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { byDoor } from "./doors.ts";
import type { Engine } from "./engine.ts";
import { replicated } from "./replicated.ts";
import {
  ASIDE,
  fail,
  INSERTING,
  MAINTAINING,
  READING,
  REBUILDING,
  ROLLING,
  retention,
  type Settings,
  WRITING,
} from "./settings.ts";

export type ClickHouseOptions = {
  /** With user and password: http(s)://user:password@host:port */
  url: string;
  /** The servers' name for all of them, where there are several; left out: there is one. */
  cluster?: string;
  /** Raw observations are dropped this many days after their own time. */
  rawRetentionDays: number;
  /** Where the server reads events from by itself; without it they come by `insertEvents` alone. */
  kafka?: KafkaSource;
  /** The table engine over a tenant's files in the lake, for analysts; without a lake left out. */
  lake_engine?: ((tenant: string) => string) | undefined;
};

/** What a server reads from Kafka can be queried this long after its insertion began, by its clock or by ours. */
const BACKGROUND_INSERT_MS = 30_000;
/** How far the server's clock may be behind ours. */
const CLOCKS_APART_MS = 1_000;
/** A little more than a query may take. */
const REQUEST_TIMEOUT_MS = 70_000;
/** Of copies, partitions and the lake: what takes longer than this does not end. */
export const LONG_REQUEST_TIMEOUT_MS = 3_600_000;
/** Requests at once, of each kind. */
const CONNECTIONS = 8;
/** With every request: it is answered when it is done, so an error is never behind half of an answer. */
export const WHOLE: Settings = {
  wait_end_of_query: 1,
  async_insert: 0,
  // A replicated table passes over a block that it has taken before, and so does every view behind it, even one that
  // failed the first time. Repeating changes nothing here (invariant 2), but it must reach the views.
  insert_deduplicate: 0,
  // Headers that come meanwhile keep the connection from being taken for dead.
  send_progress_in_http_headers: 1,
  http_headers_progress_interval_ms: "20000",
};

/**
 * Opens the engine and brings its schema up to date.
 * @throws EngineError where the server does not answer, or refuses
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<Engine> {
  const { url, cluster, rawRetentionDays, kafka, lake_engine } = options;
  const client = clientOf(url, REQUEST_TIMEOUT_MS);
  const patient = clientOf(url, LONG_REQUEST_TIMEOUT_MS);
  const asking = (of: ClickHouseClient, settings: Settings) => ({
    async query<Row>(query: string, query_params: Record<string, unknown>): Promise<Row[]> {
      const clickhouse_settings = { ...WHOLE, ...settings };
      try {
        const result = await of.query({ query, query_params, clickhouse_settings, format: "JSONEachRow" });
        return (await result.json()) as Row[];
      } catch (error) {
        fail(error);
      }
    },
    async run(query: string, query_params: Record<string, unknown>): Promise<void> {
      await of.command({ query, query_params, clickhouse_settings: { ...WHOLE, ...settings } }).catch(fail);
    },
  });
  const reader = asking(client, READING);
  const roller = asking(client, ROLLING);
  const aside = asking(patient, ASIDE);
  const maintainer = asking(patient, MAINTAINING);
  const maintain: Engine["maintain"] = async (sql, params = {}) => {
    for (const statement of replicated(sql, cluster)) await maintainer.run(statement, params);
  };

  if (kafka) await closeStaleSource({ query: reader.query, maintain }, kafka);
  for (const statement of [
    "CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic",
    ...SCHEMA_STATEMENTS,
    retention(rawRetentionDays),
  ])
    await maintain(statement);
  if (kafka) await openSource({ maintain }, kafka);
  const analysts = new Analysts({
    connect: async (database) => connectHttp(url, database),
    define: maintain,
    fail,
    lake_engine,
  });
  const inserting = new Set<{ since_ms: number }>();

  return {
    async insertEvents(stretch, into = "mtc") {
      const insert = { since_ms: Date.now() };
      if (into === "mtc") inserting.add(insert);
      try {
        for (const { door, lines } of byDoor(stretch)) {
          const { stream } = await patient.exec({
            query: `INSERT INTO ${into}.${door} FORMAT JSONEachRow`,
            values: Readable.from([Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength)]),
            clickhouse_settings: {
              ...WHOLE,
              ...(into === "mtc" ? WRITING : REBUILDING),
              ...INSERTING,
            },
          });
          // A connection is free again when its answer was read.
          for await (const _ of stream);
        }
      } catch (error) {
        fail(error);
      } finally {
        inserting.delete(insert);
      }
    },
    query: reader.query,
    run: roller.run,
    aside,
    maintain,
    entriesVersion: () => undefined,
    visibleUntil_us() {
      const late_ms = kafka ? BACKGROUND_INSERT_MS : CLOCKS_APART_MS;
      const begun_ms = Math.min(Date.now(), ...[...inserting].map(({ since_ms }) => since_ms));
      return 1_000 * (begun_ms - late_ms);
    },
    analyst: (tenant) => analysts.of(tenant),
    async close() {
      await analysts.close();
      await client.close();
      await patient.close();
    },
  };
}

export const clientOf = (url: string, request_timeout: number): ClickHouseClient =>
  createClient({
    url,
    application: "mtc",
    request_timeout,
    max_open_connections: CONNECTIONS,
    // Whatever matters comes back as a rejection.
    log: { level: ClickHouseLogLevel.OFF },
  });
