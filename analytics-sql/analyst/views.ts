// What analysts see: views of one tenant's data, each with the tenant in it, made of the SQL that the screens read.
import { literal } from "../engine/literal.ts";
import { filled } from "../filled.ts";
import { LAKE_COLUMNS } from "../lake/storage.ts";
import columns from "../queries/figures/columns.sql" with { type: "text" };
import judged from "../queries/figures/judged.sql" with { type: "text" };
import { CELLS, type Grain } from "../queries/figures/judged.ts";
import sums from "../queries/figures/sums.sql" with { type: "text" };
import states from "../queries/states.sql" with { type: "text" };
import gapIntervals from "../queries/timeline/gaps.sql" with { type: "text" };
import inForce from "../queries/timeline/policies.sql" with { type: "text" };
import allMachines from "./all-machines.sql" with { type: "text" };
import byDay from "./by-day.sql" with { type: "text" };
import byHour from "./by-hour.sql" with { type: "text" };
import byShift from "./by-shift.sql" with { type: "text" };
import cycleTimes from "./cycle-times.sql" with { type: "text" };
import downtime from "./downtime.sql" with { type: "text" };
import gaps from "./gaps.sql" with { type: "text" };
import lots from "./lots.sql" with { type: "text" };
import machines from "./machines.sql" with { type: "text" };
import observations from "./observations.sql" with { type: "text" };
import partCounts from "./part-counts.sql" with { type: "text" };
import policies from "./policies.sql" with { type: "text" };
import reasons from "./reasons.sql" with { type: "text" };
import rejects from "./rejects.sql" with { type: "text" };
import signalPoints from "./signal-points.sql" with { type: "text" };
import stateIntervals from "./state-intervals.sql" with { type: "text" };

/** Figures of every machine by a cut, over all that is rolled up. */
const figures = (grain: Grain, cut: string, key: string): string =>
  `WITH\n${[allMachines, inForce, policies, CELLS[grain], judged, cut, sums].join(",\n")}
SELECT ${key}, fromUnixTimestamp64Micro(starts_us, 'UTC') AS starts_at,
fromUnixTimestamp64Micro(ends_us, 'UTC') AS ends_at,\n${columns}FROM sums WHERE NOT is_total`;

const VIEWS: Record<string, string> = {
  machines,
  observations,
  signal_points: signalPoints,
  gaps: `WITH\n${allMachines},\n${gapIntervals}\n${gaps}`,
  downtime,
  reasons,
  rejects,
  lots,
  cycle_times: cycleTimes,
  state_intervals: `WITH\n${allMachines}\n${filled(stateIntervals, { states })}`,
  part_counts: partCounts,
  oee_by_hour: figures("hour", byHour, "k2 AS machine_id, fromUnixTimestamp64Micro(k, 'UTC') AS hour"),
  oee_by_shift: figures(
    "fine",
    byShift,
    "splitByChar('\\n', k2)[1] AS machine_id, toDate32(k - 1) AS day, splitByChar('\\n', k2)[2] AS shift",
  ),
  oee_by_day: figures("fine", byDay, "k2 AS machine_id, toDate32(k) AS day"),
};

export const VIEW_NAMES = [...Object.keys(VIEWS), "observations_all"];

const ALL = "CAST([], 'Array(String)')";

/** Everything until 2100: a view has no window but the one its reader asks for. */
const BOUNDS: Record<string, string> = {
  "{machines:Array(String)}": "all_machines",
  "{from_us:Int64}": "toInt64(0)",
  "{end_us:Int64}": "toInt64(4102444800000000)",
  "{unknown_excluded:Array(UInt8)}": "unknown_excluded",
  "{ideal_listed:Array(UInt8)}": "ideal_listed",
  "{excluded_of:Array(UInt32)}": "excluded_of",
  "{excluded_reasons:Array(String)}": "excluded_reasons",
  "{codes:Array(String)}": "loss_codes",
  "{losses:Array(String)}": "loss_kinds",
  "{of_shift:Array(String)}": ALL,
  "{of_part:Array(String)}": ALL,
  "{of_lot:Array(String)}": ALL,
  "{of_order:Array(String)}": ALL,
  "{whole_from:Date32}": "toDate32('1970-01-01')",
  "{whole_to:Date32}": "toDate32('2100-01-01')",
};

/** Of whatever type: `{machines:Array(String)}`. */
const PARAMETER = /\{\w+:[^{}]+\}/g;

/** The database that holds a tenant's views. */
export const databaseOf = (tenant: string): string =>
  `tenant_${new Bun.CryptoHasher("sha256").update(tenant).digest("hex").slice(0, 24)}`;

/** The lake's files as a table, as they are now: the engine looks for them when the table is made. */
export const lakeTable = (tenant: string, lake_engine: string): string =>
  `CREATE OR REPLACE TABLE ${databaseOf(tenant)}.lake_files (${LAKE_COLUMNS}) ENGINE = ${lake_engine}`;

/**
 * Raw observations however old: those of the table, and those of the lake's files where there is a lake. An analyst's
 * connection may not name files, so they stand behind a table of ours.
 */
function observationsAll(database: string, tenant: string, lake_engine: string | undefined): string[] {
  const view = (text: string): string => viewOf(database, "observations_all", text);
  if (lake_engine === undefined) return [view(`SELECT * FROM ${database}.observations`)];
  return [
    lakeTable(tenant, lake_engine),
    view(`SELECT DISTINCT * FROM (
       SELECT machine_id, signal, ts, seq, num, word FROM ${database}.observations
       UNION ALL
       SELECT machine_id, signal, ts, seq, num, word FROM ${database}.lake_files WHERE tenant_id = ${literal(tenant)})`),
  ];
}

/** A view that says by a digest what it was made of. */
function viewOf(database: string, name: string, text: string): string {
  const digest = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 24);
  return `CREATE OR REPLACE VIEW ${database}.${name} AS\n${text}\nCOMMENT '${digest}'`;
}

/**
 * Statements of which what they make is not there yet, or was made of something else.
 * @param made the comments of the views that are there, by name
 */
export function missing(statements: readonly string[], made: ReadonlyMap<string, string>): string[] {
  return statements.filter((statement) => {
    if (statement.startsWith("CREATE DATABASE")) return made.size === 0;
    const [, name = ""] = /^CREATE OR REPLACE VIEW \w+\.(\w+) AS/.exec(statement) ?? [];
    const comment = made.get(name);
    return comment === undefined || !statement.endsWith(`COMMENT '${comment}'`);
  });
}

/**
 * Statements that make a tenant's views, or make them anew.
 * @param lake_engine the table engine over the tenant's files in the lake, where there is one
 */
export function viewStatements(tenant: string, lake_engine?: string): string[] {
  const database = databaseOf(tenant);
  const views = Object.entries(VIEWS).map(([name, text]) => {
    const values: Record<string, string> = { ...BOUNDS, "{tenant:String}": literal(tenant) };
    const bound = text.replaceAll(PARAMETER, (parameter) => {
      const value = values[parameter];
      if (value === undefined) throw new Error(`the view ${name} has no value for ${parameter}`);
      return value;
    });
    return viewOf(database, name, bound);
  });
  return [
    `CREATE DATABASE IF NOT EXISTS ${database} ENGINE = Atomic`,
    ...views,
    ...observationsAll(database, tenant, lake_engine),
  ];
}
