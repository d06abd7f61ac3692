// Brings the schema up to date: migrations run once each, by one process, while nothing comes in; a start that changes nothing writes nothing.
import { type Engine, EngineError, isForRoom } from "../engine/engine.ts";
import { isRetention, retention } from "../engine/settings.ts";
import { closeSource, isStale, type KafkaSource, openSource } from "../kafka/source.ts";
import touch from "../rebuild/touch.sql" with { type: "text" };
import { MIGRATIONS, type Migration, SCHEMA_NAMES, SCHEMA_VERSION } from "./schema.ts";
import { compare, parseVersion, refuseNewer, textOf, type Version } from "./version.ts";

export type MigrateOptions = {
  /** Raw observations are dropped this many days after their own time. */
  rawRetentionDays: number;
  kafka?: KafkaSource | undefined;
  /** Other processes may bring the same server's schema up to date. */
  shared: boolean;
  /** Done before anything is made where there was nothing, or less than there should be: the log is delivered again. */
  again: () => Promise<void>;
  log: (message: string) => void;
};

type Ask = Pick<Engine, "query" | "maintain">;

/** ClickHouse's codes. */
const TABLE_ALREADY_EXISTS = 57;
/** A process that migrates longer than this is taken for dead. */
const MIGRATING_MAX_S = 600;
const LOOK_MS = 500;

/**
 * It may run again on what is there.
 * @throws EngineError where the engine refuses or has no room, NewerSchema where this program is too old
 */
export async function migrate(engine: Ask, options: MigrateOptions): Promise<void> {
  const { kafka, log } = options;
  const due = async (): Promise<readonly Migration[]> => dueOf(await standingOf(engine));
  if ((await due()).length > 0) {
    await engine.maintain("CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic");
    await alone(engine, options, async () => {
      // Another process may have done it meanwhile.
      const migrations = await due();
      if (migrations.length > 0) await run(engine, migrations, options);
    });
  }
  await keepRetention(engine, options.rawRetentionDays, log);
  if (!kafka) return;
  if (await isStale(engine, kafka)) await closeSource(engine);
  await openSource(engine, kafka);
}

type Standing = { names: Set<string>; version: Version | undefined };

/** What is there. */
async function standingOf(engine: Ask): Promise<Standing> {
  const rows = await engine.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = 'mtc'
     UNION ALL SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'`,
    {},
  );
  const names = new Set(rows.map(({ name }) => name));
  if (!names.has("meta")) return { names, version: undefined };
  const noted = await engine.query<{ value: string }>(
    "SELECT value FROM mtc.meta WHERE name = 'schema_version'",
    {},
  );
  const versions = noted.flatMap(({ value }) => parseVersion(value) ?? []);
  return { names, version: versions.sort(compare).at(-1) };
}

/**
 * What is to be run. Where a part of the schema is gone, as after a damage, all of it: what is there stays. Of a newer
 * schema nobody knows here what belongs to it.
 * @throws NewerSchema
 */
function dueOf({ names, version }: Standing): readonly Migration[] {
  if (version === undefined) return MIGRATIONS;
  refuseNewer("the analytics database mtc", version, SCHEMA_VERSION);
  const is_whole = compare(version, SCHEMA_VERSION) !== 0 || SCHEMA_NAMES.every((name) => names.has(name));
  return is_whole ? MIGRATIONS.filter((one) => compare(one.version, version) > 0) : MIGRATIONS;
}

async function run(engine: Ask, migrations: readonly Migration[], options: MigrateOptions): Promise<void> {
  const { kafka, again, log } = options;
  const { names, version } = await standingOf(engine);
  const is_new = !names.has("observations");
  const is_torn = version !== undefined && compare(version, SCHEMA_VERSION) === 0;
  if (is_new || is_torn) await again();
  // What is read while views are remade would pass them by. Nothing is lost: the group's offsets are with Kafka.
  if (kafka) await closeSource(engine);
  for (const { statements } of migrations)
    for (const statement of statements) await engine.maintain(statement);
  // A view that is new was made beside inserts that it did not see; those of a release that noted no version made theirs
  // anew with every start, beside what a server read from its topic.
  const remade = SCHEMA_NAMES.some((name) => name.endsWith("_mv") && !names.has(name));
  if (!is_new && (remade || (kafka && version === undefined))) {
    log("schema: what is rolled up is done again, since views were made anew");
    await engine.maintain(touch, { from_us: 0 });
  }
  for (const migration of migrations) {
    const value = textOf(migration.version);
    await engine.maintain(
      "INSERT INTO mtc.meta (name, value, at) SELECT 'schema_version', {value:String}, now64(6, 'UTC')",
      { value },
    );
    if (!is_new) log(`schema: brought to ${value}`);
  }
}

/** Does the work while no other process does: the table that says so is there once. */
async function alone(engine: Ask, { shared, log }: MigrateOptions, work: () => Promise<void>): Promise<void> {
  const free = (): Promise<void> => engine.maintain("DROP TABLE IF EXISTS mtc.migrating SYNC");
  // Of an engine that is ours alone it was left behind.
  if (!shared) await free();
  for (let waited = false; !(await take(engine)); waited = true) {
    if (!waited) log("schema: another process brings it up to date");
    const [row] = await engine.query<{ age_s: number }>(
      `SELECT dateDiff('second', metadata_modification_time, now('UTC')) AS age_s
       FROM system.tables WHERE database = 'mtc' AND name = 'migrating'`,
      {},
    );
    if (row && row.age_s > MIGRATING_MAX_S) await free();
    else await Bun.sleep(LOOK_MS);
  }
  try {
    await work();
  } finally {
    await free();
  }
}

async function take(engine: Ask): Promise<boolean> {
  try {
    await engine.maintain("CREATE TABLE mtc.migrating (at UInt8) ENGINE = Null");
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === TABLE_ALREADY_EXISTS) return false;
    throw error;
  }
}

/** Retention is a setting, not a version: it is written where it is another one. */
async function keepRetention(engine: Ask, days: number, log: (message: string) => void): Promise<void> {
  const [table] = await engine.query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE database = 'mtc' AND name = 'observations'",
    {},
  );
  if (table && isRetention(table.text, days)) return;
  try {
    await engine.maintain(retention(days));
  } catch (error) {
    // What is kept for longer than it need be is no reason to do nothing.
    if (!isForRoom(error)) throw error;
    log(`retention: ${days} days hold from the next start on: ${error.message}`);
  }
}
