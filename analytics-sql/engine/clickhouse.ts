// The engine as a ClickHouse server, over HTTP: the same schema, the same queries, the same settings with each request.
import { Agent, type AgentOptions } from "node:http";
import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { ANALYST_LIMITS, Analysts } from "../analyst/analysts.ts";
import { connectAnalyst } from "../analyst/connection.ts";
import type { KafkaSource } from "../kafka/source.ts";
import { migrate } from "../schema/migrate.ts";
import { expire } from "../schema/retention.ts";
import { byDoor } from "./doors.ts";
import { type Engine, EngineAway, NoRoom } from "./engine.ts";
import { formOf, texts } from "./form.ts";
import type { EngineProcess } from "./process.ts";
import { replicated, whenCaughtUp } from "./replicated.ts";
import {
  ASIDE,
  fail,
  INSERTING,
  MAINTAINING,
  PINGING,
  READING,
  REBUILDING,
  ROLLING,
  type Settings,
  WRITING,
} from "./settings.ts";
import { Watch } from "./watch.ts";

export type ClickHouseOptions = {
  /** With user and password: http(s)://user:password@host:port */
  url: string;
  /** The servers' name for all of them, where there are several; left out: there is one. */
  cluster?: string;
  /** For how many days after their own time raw observations are kept. */
  rawRetentionDays: number;
  /** Where the server reads events from by itself; without it they come by `insertEvents` alone. */
  kafka?: KafkaSource;
  /** The table engine over a tenant's files in the lake, for analysts; without a lake left out. */
  lake_engine?: ((tenant: string) => string) | undefined;
  /** Is there room on the engine's disk? Left out where the disk is a server's own affair. */
  hasRoom?: () => boolean;
  log?: (message: string) => void;
};

/** What a server reads from Kafka can be queried this long after its insertion began, by its clock or by ours. */
const BACKGROUND_INSERT_MS = 30_000;
/** How far the server's clock may be behind ours. */
const CLOCKS_APART_MS = 1_000;
/** A little more than a query may take. */
const REQUEST_TIMEOUT_MS = 70_000;
/** Of copies, partitions and the lake: what takes longer than this does not end. */
export const LONG_REQUEST_TIMEOUT_MS = 3_600_000;
/** Whether it answers is asked again and again: an answer that was lost must not keep the next one waiting. */
const PING_MS = 5_000;
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
  await prepare(options, { shared: true, again: async () => {} });
  return connect(options);
}

/** Questions to a server: each with its settings, its values bound. @throws EngineError */
const asking = (client: ClickHouseClient, settings: Settings, own?: EngineProcess) => {
  const clickhouse_settings = { ...WHOLE, ...settings };
  const beUp = (): void => {
    if (own && !own.up) throw new EngineAway("the engine is being started", null);
  };
  return {
    async query<Row>(
      query: string,
      query_params: Record<string, unknown>,
      gone?: AbortSignal,
    ): Promise<Row[]> {
      beUp();
      try {
        const result = await client.query({
          query,
          query_params,
          ...(gone && { abort_signal: gone }),
          clickhouse_settings,
          format: "JSONEachRow",
        });
        return (await result.json()) as Row[];
      } catch (error) {
        fail(error);
      }
    },
    async run(query: string, query_params: Record<string, unknown>): Promise<void> {
      beUp();
      try {
        const { body, headers } = formOf(query, texts(query_params));
        // The client itself puts a form together for what answers with rows alone.
        const { stream } = await client.exec({
          query: "",
          values: Readable.from([body]),
          http_headers: headers,
          clickhouse_settings,
        });
        for await (const _ of stream);
      } catch (error) {
        fail(error);
      }
    },
    async insert(into: string, format: string, values: Uint8Array): Promise<void> {
      beUp();
      try {
        const { stream } = await client.exec({
          query: `INSERT INTO ${into} FORMAT ${format}`,
          values: Readable.from([Buffer.from(values.buffer, values.byteOffset, values.byteLength)]),
          clickhouse_settings,
        });
        // A connection is free again when its answer was read.
        for await (const _ of stream);
      } catch (error) {
        fail(error);
      }
    },
  };
};

/**
 * What writes a definition anew. On a full disk the engine leaves an empty file in its place and says nothing, and does not
 * start any more.
 */
const DEFINES = /^(?:\s|--[^\n]*\n)*(?:CREATE|ALTER TABLE [\w.]+\s+(?:ADD|MODIFY|REMOVE))\b/;

const maintaining =
  (
    client: ClickHouseClient,
    { cluster, hasRoom }: ClickHouseOptions,
    own?: EngineProcess,
  ): Engine["maintain"] =>
  async (sql, params = {}) => {
    const { run } = asking(client, MAINTAINING, own);
    for (const statement of replicated(sql, cluster)) {
      if (hasRoom && DEFINES.test(statement) && !hasRoom()) throw new NoRoom("what analytics has to define");
      await whenCaughtUp(() => run(statement, params));
    }
  };

/**
 * Brings the schema up to date; it may run again on what is there.
 * @param socket of an engine that is our own
 * @throws EngineError where the server does not answer, or refuses; NewerSchema where this program is too old for it
 */
export async function prepare(
  options: ClickHouseOptions,
  { shared, again, socket }: { shared: boolean; again: () => Promise<void>; socket?: string },
): Promise<void> {
  const { url, rawRetentionDays, kafka, log = () => {} } = options;
  if (!Number.isInteger(rawRetentionDays) || rawRetentionDays < 1) {
    throw new RangeError(`rawRetentionDays must be a whole number of days, got ${rawRetentionDays}`);
  }
  const client = clientOf(url, LONG_REQUEST_TIMEOUT_MS, socket);
  const engine = { query: asking(client, READING).query, maintain: maintaining(client, options) };
  try {
    await migrate(engine, { kafka, shared, again, log });
  } finally {
    await client.close();
  }
}

/** @param own the process of an engine that is ours alone; else others write to the server as well */
export function connect(options: ClickHouseOptions, own?: EngineProcess): Engine {
  const { url, rawRetentionDays, kafka, lake_engine, hasRoom } = options;
  // Connections of their own, so that none waits for those who ask something else.
  const opened = (timeout_ms: number): ClickHouseClient => clientOf(url, timeout_ms, own?.socket);
  const [reading, rolling, killing, patient] = [
    opened(REQUEST_TIMEOUT_MS),
    opened(REQUEST_TIMEOUT_MS),
    opened(REQUEST_TIMEOUT_MS),
    opened(LONG_REQUEST_TIMEOUT_MS),
  ];
  const reader = asking(reading, READING, own);
  const pinger = asking(killing, PINGING, own);
  const roller = asking(rolling, ROLLING, own);
  const aside = asking(patient, ASIDE, own);
  const writer = asking(patient, { ...WRITING, ...INSERTING }, own);
  const rebuilder = asking(patient, { ...REBUILDING, ...INSERTING }, own);
  const maintain = maintaining(patient, options, own);
  const kill = (id: string): Promise<void> =>
    asking(killing, {}, own).run("KILL QUERY WHERE query_id = {id:String} ASYNC", { id });
  const analysts = new Analysts({
    connect: (database) => connectAnalyst(url, database, own?.socket),
    watch: new Watch(ANALYST_LIMITS, kill, own),
    query: reader.query,
    define: maintain,
    fail,
    lake_engine,
  });
  const inserting = new Set<{ since_ms: number }>();

  let entries_version = 0;

  return {
    async insertEvents(stretch, into = "mtc") {
      // Half of it might get in: machines would count as changed, and nobody could write what their figures are now.
      if (hasRoom && !hasRoom()) throw new NoRoom("what came in");
      const insert = { since_ms: Date.now() };
      if (into === "mtc") inserting.add(insert);
      try {
        for (const { door, lines } of byDoor(stretch)) {
          await (into === "mtc" ? writer : rebuilder)
            .insert(`${into}.${door}`, "JSONEachRow", lines)
            // One that failed may have written a part.
            .finally(() => (entries_version += Number(door === "entries_in")));
        }
      } finally {
        inserting.delete(insert);
      }
    },
    query: (sql, params) => reader.query(sql, params),
    run: roller.run,
    async read(sql, format) {
      const query = `${sql} FORMAT ${format}`;
      // A server's answer begins when it is whole: one that ended early would look like a shorter one.
      const clickhouse_settings = own ? ASIDE : { ...WHOLE, ...ASIDE };
      return (await patient.exec({ query, clickhouse_settings }).catch(fail)).stream;
    },
    aside,
    // A rebuild puts other tables in their place.
    maintain: (sql, params) => maintain(sql, params).finally(() => (entries_version += 1)),
    // It needs no room, but makes some.
    expire: (now_ms) => expire(aside, rawRetentionDays, now_ms),
    entriesVersion: () => (own ? entries_version : undefined),
    visibleUntil_us() {
      const late_ms = own ? 0 : kafka ? BACKGROUND_INSERT_MS : CLOCKS_APART_MS;
      const begun_ms = Math.min(Date.now(), ...[...inserting].map(({ since_ms }) => since_ms));
      return 1_000 * (begun_ms - late_ms);
    },
    analyst: (tenant) => analysts.of(tenant),
    async ping() {
      const gone = AbortSignal.timeout(PING_MS);
      await pinger.query("SELECT 1", {}, gone).catch((error: unknown) => {
        if (gone.aborted) throw new EngineAway(`no answer within ${PING_MS / 1_000} s`, error);
        throw error;
      });
    },
    async close() {
      for (const client of [reading, rolling, killing, patient]) await client.close();
    },
  };
}

/** @param socket where the server listens, instead of the URL's host and port */
export const clientOf = (url: string, request_timeout: number, socket?: string): ClickHouseClient =>
  createClient({
    url,
    application: "mtc",
    request_timeout,
    // Proxies, and servers, take some kilobytes of headers; a report's machines alone may be more.
    use_multipart_params: true,
    max_open_connections: CONNECTIONS,
    // Whatever matters comes back as a rejection.
    log: { level: ClickHouseLogLevel.OFF },
    ...(socket === undefined
      ? {}
      : {
          http_agent: new Agent({
            socketPath: socket,
            keepAlive: true,
            maxSockets: CONNECTIONS,
          } as AgentOptions),
        }),
  });
