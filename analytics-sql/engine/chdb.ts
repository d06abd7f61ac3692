// The embedded engine: ClickHouse in this process, through chDB.
import { Session } from "chdb";
import { createChdbConnection } from "chdb/connection";
import { Analysts } from "../analyst/analysts.ts";
import { connectChdb } from "../analyst/chdb-connection.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { byDoor } from "./doors.ts";
import type { Engine } from "./engine.ts";
import { Lanes, type Params } from "./lanes.ts";
import {
  ASIDE,
  fail,
  INSERTING,
  MAINTAINING,
  READING,
  REBUILDING,
  ROLLING,
  retention,
  sets,
  WRITING,
} from "./settings.ts";

export type ChdbOptions = {
  /** The data directory; one for each process. */
  path: string;
  /** Raw observations are dropped this many days after their own time. */
  rawRetentionDays: number;
  /** The table engine over a tenant's files in the lake, for analysts; without a lake left out. */
  lake_engine?: ((tenant: string) => string) | undefined;
};

/** What the whole engine may hold (invariant 7). */
const SERVER_MEMORY_BYTES = 3 * 1024 ** 3;
/** Queries planned at once: planning is the work of one core, and there are two. */
const READERS = 2;

/**
 * Opens the engine, brings its schema up to date and sets its limits.
 * @throws EngineError where the directory cannot be opened
 */
export async function openChdb({ path, rawRetentionDays, lake_engine }: ChdbOptions): Promise<Engine> {
  if (!Number.isInteger(rawRetentionDays) || rawRetentionDays < 1) {
    throw new RangeError(`rawRetentionDays must be a whole number of days, got ${rawRetentionDays}`);
  }
  // The server's own limit can only be given as an argument to the connection that starts it; this one stays open.
  const server = new Session(path, {
    connectionArgs: [`--max_server_memory_usage=${SERVER_MEMORY_BYTES}`],
  });
  // Settings stick to a connection, so writing and reading have their own.
  const writing = createChdbConnection({ path });
  for (const query of [
    ...sets(WRITING),
    "CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic",
    ...SCHEMA_STATEMENTS,
    retention(rawRetentionDays),
  ]) {
    await writing.command({ query }).catch(fail);
  }
  const readers = new Lanes(path, READERS, sets(READING));
  const roller = new Lanes(path, 1, sets(ROLLING));
  const aside = new Lanes(path, 1, sets(ASIDE));
  const maintainer = new Lanes(path, 1, sets(MAINTAINING));
  const rebuilding = createChdbConnection({ path });
  for (const query of sets(REBUILDING)) await rebuilding.command({ query }).catch(fail);
  await Promise.all([readers.ready(), roller.ready(), aside.ready(), maintainer.ready()]).catch(fail);
  const analysts = new Analysts({
    connect: (database) => connectChdb(path, database),
    define: (sql) => maintainer.run(sql, {}).catch(fail),
    fail,
    lake_engine,
  });
  const inserting = new Set<{ since_ms: number }>();
  let entries_version = 0;

  return {
    async insertEvents(stretch, into = "mtc") {
      const insert = { since_ms: Date.now() };
      if (into === "mtc") inserting.add(insert);
      try {
        for (const { door, lines } of byDoor(stretch)) {
          await (into === "mtc" ? writing : rebuilding).chdb
            .rawInsert({
              table: `${into}.${door}`,
              values: withoutEmptyLines(lines),
              format: "JSONEachRow",
              settings: INSERTING,
            })
            // One that failed may have written a part.
            .finally(() => (entries_version += Number(door === "entries_in")));
        }
      } catch (error) {
        fail(error);
      } finally {
        inserting.delete(insert);
      }
    },
    query: <Row>(sql: string, params: Params) => readers.query<Row>(sql, params).catch(fail),
    run: (sql, params) => roller.run(sql, params).catch(fail),
    aside: {
      query: <Row>(sql: string, params: Params) => aside.query<Row>(sql, params).catch(fail),
      run: (sql, params) => aside.run(sql, params).catch(fail),
    },
    // A rebuild puts other tables in their place.
    maintain: (sql, params = {}) =>
      maintainer
        .run(sql, params)
        .catch(fail)
        .finally(() => (entries_version += 1)),
    entriesVersion: () => entries_version,
    visibleUntil_us: () => 1_000 * Math.min(Date.now(), ...[...inserting].map(({ since_ms }) => since_ms)),
    analyst: (tenant) => analysts.of(tenant),
    async close() {
      await analysts.close();
      await readers.close();
      await roller.close();
      await aside.close();
      await maintainer.close();
      await rebuilding.close();
      await writing.close();
      server.close();
    },
  };
}

/**
 * An empty line is where chDB takes the data of an insert to end. Between tokens a sender's JSON may hold some, and nowhere
 * else (invariant 8): there a space means the same, and events need no newline between them.
 */
function withoutEmptyLines(bytes: Uint8Array): Uint8Array {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("\n\n");
  return found ? bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)) : bytes;
}
