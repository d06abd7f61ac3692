// The schema as numbered migrations: functions, which belong to no database, tables, the views that fill them.
import { filled } from "../filled.ts";
import functions from "./000_functions.sql" with { type: "text" };
import meta from "./000_meta.sql" with { type: "text" };
import retired from "./000_retired.sql" with { type: "text" };
import doors from "./001_doors.sql" with { type: "text" };
import observations from "./010_observations.sql" with { type: "text" };
import signalPoints from "./020_signal_points.sql" with { type: "text" };
import configuration from "./030_configuration.sql" with { type: "text" };
import annotations from "./040_annotations.sql" with { type: "text" };
import assets from "./050_assets.sql" with { type: "text" };
import rollups from "./060_rollups.sql" with { type: "text" };
import dataOfEntries from "./data-of-entries.sql" with { type: "text" };
import dataOfObservations from "./data-of-observations.sql" with { type: "text" };
import type { Version } from "./version.ts";

/** The columns of what events hold, for tables that take them. */
export const DATA = { data_of_observations: dataOfObservations, data_of_entries: dataOfEntries };

/** A statement ends with `;` at the end of a line. */
const statements = (files: string[]): string[] =>
  files.flatMap((file) =>
    file
      .split(/;\s*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ""),
  );

/** A step of the schema: it runs once where an older version is. One that was released is not changed any more. */
export type Migration = {
  /** What it leads to (SPEC 14.6). */
  version: Version;
  /** In the order to run them. Each may run again, since a start may be cut off anywhere. */
  statements: readonly string[];
  /** Those of them that make what is made of events alone: a rebuild makes it a second time, in a database of its own. */
  projection: readonly string[];
};

const FIRST = [filled(doors, DATA), observations, signalPoints, configuration, annotations, assets];

/**
 * All of them, oldest first; a change of the store's tables alone is one without statements. The first makes the tables of
 * releases that noted no version what they are since.
 */
export const MIGRATIONS: readonly [Migration, ...Migration[]] = [
  {
    version: { major: 1, minor: 0 },
    statements: statements([meta, retired, functions, ...FIRST, rollups]),
    projection: statements(FIRST),
  },
  // The source of a cluster reads smaller polls, and holds no password where the server's files do.
  { version: { major: 1, minor: 1 }, statements: [], projection: [] },
];

/** The schema that this program makes and knows. */
export const SCHEMA_VERSION: Version = (MIGRATIONS.at(-1) ?? MIGRATIONS[0]).version;

/** Statements in the order to run them; each may run again. */
export const SCHEMA_STATEMENTS: readonly string[] = MIGRATIONS.flatMap((migration) => migration.statements);

/** What they leave: tables and views of the database, and functions, by their names. */
export const SCHEMA_NAMES: readonly string[] = [
  ...SCHEMA_STATEMENTS.reduce((names, statement) => {
    const [, does = "", name = ""] =
      /^(?:--[^\n]*\n|\s)*(CREATE|DROP) [A-Z ]+ (?:mtc\.)?(\w+)/.exec(statement) ?? [];
    if (does === "CREATE") names.add(name);
    else if (does === "DROP") names.delete(name);
    return names;
  }, new Set<string>()),
];

/** The projection's statements in another database. Names of event types ('mtc.…') stay what they are. */
export const projectionIn = (database: string): string[] =>
  MIGRATIONS.flatMap(({ projection }) =>
    projection.map((statement) => statement.replaceAll(/(?<!['\w])mtc\./g, `${database}.`)),
  );
