// The schema as one ordered list: functions, which belong to no database, tables, the views that fill them.
import functions from "./000_functions.sql" with { type: "text" };
import eventsIn from "./001_events_in.sql" with { type: "text" };
import observations from "./010_observations.sql" with { type: "text" };
import signalPoints from "./020_signal_points.sql" with { type: "text" };
import configuration from "./030_configuration.sql" with { type: "text" };
import annotations from "./040_annotations.sql" with { type: "text" };
import assets from "./050_assets.sql" with { type: "text" };
import rollups from "./060_rollups.sql" with { type: "text" };

/** What is made of events alone: a rebuild makes it a second time, in a database of its own. */
const PROJECTION = [eventsIn, observations, signalPoints, configuration, annotations, assets];

/** A statement ends with `;` at the end of a line. */
const statements = (files: string[]): string[] =>
  files.flatMap((file) =>
    file
      .split(/;\s*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ""),
  );

/** Statements in the order to run them; each may run again. */
export const SCHEMA_STATEMENTS: readonly string[] = statements([functions, ...PROJECTION, rollups]);

/** The projection's statements in another database. Names of event types ('mtc.…') stay what they are. */
export const projectionIn = (database: string): string[] =>
  statements(PROJECTION).map((statement) => statement.replaceAll(/(?<!['\w])mtc\./g, `${database}.`));
