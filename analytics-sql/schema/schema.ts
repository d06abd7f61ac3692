// The schema as one ordered list: tables, the views that fill them, functions.
import eventsIn from "./001_events_in.sql" with { type: "text" };
import observations from "./010_observations.sql" with { type: "text" };
import signalPoints from "./020_signal_points.sql" with { type: "text" };
import configuration from "./030_configuration.sql" with { type: "text" };
import annotations from "./040_annotations.sql" with { type: "text" };
import assets from "./050_assets.sql" with { type: "text" };
import rollups from "./060_rollups.sql" with { type: "text" };
import functions from "./100_functions.sql" with { type: "text" };

/** Statements in the order to run them; each may run again. A statement ends with `;` at the end of a line. */
export const SCHEMA_STATEMENTS: readonly string[] = [
  eventsIn,
  observations,
  signalPoints,
  configuration,
  annotations,
  assets,
  rollups,
  functions,
].flatMap((file) =>
  file
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== ""),
);
