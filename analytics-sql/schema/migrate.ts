// Brings the schema up to date: migrations run once each, by one process, while nothing comes in; a start that changes nothing writes nothing.
import { closeSource, isOpen, isStale, type KafkaSource, openSource } from "../kafka/source.ts";
import touch from "../rebuild/touch.sql" with { type: "text" };
import { removeTtls, tablesWithTtl } from "./retention.ts";
import { MIGRATIONS, type Migration, SCHEMA_NAMES, SCHEMA_VERSION } from "./schema.ts";
import { type Ask, takeTurn } from "./turn.ts";
import { compare, parseVersion, refuseNewer, textOf, type Version } from "./version.ts";

export type MigrateOptions = {
  kafka?: KafkaSource | undefined;
  /** Other processes may bring the same server's schema up to date. */
  shared: boolean;
  /** Done before anything is made where there was nothing, or less than there should be: the log is delivered again. */
  again: () => Promise<void>;
  log: (message: string) => void;
};

/**
 * It may run again on what is there. All that it changes it changes in one turn, so that no two processes that start change
 * a table, or the source, at once; where nothing is to be changed it only asks.
 * @throws EngineError where the engine refuses or has no room, NewerSchema where this program is too old
 */
export async function migrate(engine: Ask, options: MigrateOptions): Promise<void> {
  const { kafka, shared, log } = options;
  const due = async (): Promise<readonly Migration[]> => dueOf(await standingOf(engine));
  const is_due = (await due()).length > 0;
  if (is_due) await engine.maintain("CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic");
  else if ((await tablesWithTtl(engine)).length === 0 && (!kafka || (await isOpen(engine, kafka)))) return;
  await inTurn(engine, { shared, log }, async (own) => {
    // Another process may have done it meanwhile.
    const migrations = await due();
    if (migrations.length > 0) await run(own, migrations, options);
    await removeTtls(own, log);
    if (!kafka) return;
    if (await isStale(own, kafka)) await closeSource(own);
    await openSource(own, kafka);
  });
}

/** Of an engine that is ours alone nobody else takes one. */
async function inTurn(
  engine: Ask,
  { shared, log }: Pick<MigrateOptions, "shared" | "log">,
  work: (engine: Ask) => Promise<void>,
): Promise<void> {
  if (!shared) return work(engine);
  const turn = await takeTurn(engine, log);
  try {
    await work(turn);
  } finally {
    await turn.end();
  }
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
