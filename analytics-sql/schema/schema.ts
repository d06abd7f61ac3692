// The schema as one ordered list: functions, which belong to no database, tables, the views that fill them.
import functions from "./000_functions.sql" with { type: "text" };
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

/** Puts the columns of what events hold into the text of a table that takes them. */
export const withData = (table: string): string =>
  table
    .replace("{data_of_observations:Text}", () => dataOfObservations)
    .replace("{data_of_entries:Text}", () => dataOfEntries);

/** What is made of events alone: a rebuild makes it a second time, in a database of its own. */
const PROJECTION = [withData(doors), observations, signalPoints, configuration, annotations, assets];

/** A statement ends with `;` at the end of a line. */
const statements = (files: string[]): string[] =>
  files.flatMap((file) =>
    file
      .split(/;\s*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ""),
  );

/** Statements in the order to run them; each may run again. */
export const SCHEMA_STATEMENTS: readonly string[] = statements([retired, functions, ...PROJECTION, rollups]);

/** The projection's statements in another database. Names of event types ('mtc.…') stay what they are. */
export const projectionIn = (database: string): string[] =>
  statements(PROJECTION).map((statement) => statement.replaceAll(/(?<!['\w])mtc\./g, `${database}.`));
