// The engine's tables as files, and back into an embedded engine that holds nothing.
import { createWriteStream, mkdirSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { type Engine, NoRoom } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { type Columns, listOf, tablesOf } from "../move/tables.ts";
import { DAY_OF } from "../rebuild/shadow.ts";

/** Where a partition's rows gather before they take their place as a whole, which wakes no view. */
const BESIDE = "mtc_restore";

/** A partition of a table in a file of its own, so that none takes long. */
export type SavedPartition = Columns & { partition: string; path: string };

type Partition = { partition: string; bytes: number };

export type Saving = {
  /** An empty folder. */
  folder: string;
  /** The engine writes into it by itself, or a server's rows come to this process. */
  by: "engine" | "us";
  /** Asked before each file: is there room for so much? */
  hasRoomFor: (bytes: number) => boolean;
  /** Called before each file. @throws what ends it */
  goOn: () => void;
};

/**
 * Writes what events have made; what is rolled up is made of it again. All that was delivered before the call is in the
 * files, and some of what came since.
 * @returns the files, their paths below the folder
 * @throws EngineError
 */
export async function saveTables(
  engine: Engine,
  { folder, by, hasRoomFor, goOn }: Saving,
): Promise<SavedPartition[]> {
  const saved: SavedPartition[] = [];
  for (const { name, columns, engine_full } of await tablesOf(engine)) {
    mkdirSync(`${folder}/${name}`);
    // What another server of the cluster has read may not be with this one yet.
    if (by === "us" && engine_full.startsWith("Replicated"))
      await engine.maintain(`SYSTEM SYNC REPLICA mtc.${name}`);
    for (const { partition, bytes } of await partitionsOf(engine, name)) {
      goOn();
      if (!hasRoomFor(bytes)) throw new NoRoom(`${folder}: table ${name}`);
      const path = `${name}/${partition}.native.zst`;
      const rows = `SELECT ${listOf(columns)} FROM mtc.${name} WHERE _partition_id = ${literal(partition)}`;
      await WRITERS[by](engine, rows, `${folder}/${path}`);
      saved.push({ name, columns, partition, path });
    }
  }
  return saved;
}

const WRITERS: Record<Saving["by"], (engine: Engine, rows: string, file: string) => Promise<void>> = {
  engine: (engine, rows, file) =>
    engine.aside.run(`INSERT INTO FUNCTION file({file:String}, 'Native') ${rows}`, { file }),
  us: async (engine, rows, file) =>
    pipeline(
      Readable.from(await engine.read(rows, "Native")),
      createZstdCompress(),
      createWriteStream(file, { flags: "wx" }),
    ),
};

const partitionsOf = (engine: Engine, table: string): Promise<Partition[]> =>
  engine.query<Partition>(
    `SELECT partition_id AS partition, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE active AND rows > 0 AND database = 'mtc' AND table = {table:String}
     GROUP BY partition ORDER BY partition`,
    { table },
  );

/** Of what was saved, days (UTC) before this one, and assets whose event's id sorts before this one. */
export type Before = { day: string; asset_event_id: string };

/**
 * Puts files into tables that are empty. What is rolled up is made anew by whoever asks for figures.
 * @param before only what is before it, and nothing of tables that know no time: the log gives the rest
 * @throws EngineError
 */
export async function loadTables(
  engine: Engine,
  folder: string,
  saved: readonly SavedPartition[],
  before?: Before,
): Promise<void> {
  await engine.maintain(`CREATE DATABASE IF NOT EXISTS ${BESIDE} ENGINE = Atomic`);
  for (const { name, columns, partition, path } of saved) {
    const which = before ? whichOf(name) : "true";
    if (which === undefined) continue;
    const beside = `${BESIDE}.${name}`;
    await engine.maintain(`CREATE TABLE IF NOT EXISTS ${beside} AS mtc.${name}`);
    await engine.maintain(
      `INSERT INTO ${beside} (${listOf(columns)})
       SELECT ${listOf(columns)} FROM file({file:String}, 'Native') WHERE ${which}`,
      { file: `${folder}/${path}`, ...before },
    );
    await engine.maintain(`ALTER TABLE mtc.${name} ATTACH PARTITION ID ${literal(partition)} FROM ${beside}`);
    await engine.maintain(`TRUNCATE TABLE ${beside} SYNC`);
  }
  await engine.maintain(`DROP DATABASE ${BESIDE} SYNC`);
}

/** A condition on the rows of a table that the log may not give again; undefined: it gives all of them. */
function whichOf(table: string): string | undefined {
  if (table === "assets") return "event_id < {asset_event_id:String}";
  return DAY_OF[table] && `${DAY_OF[table]} < {day:Date32}`;
}
