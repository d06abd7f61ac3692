// The roll-up's columns as the schema has them: migrations are never changed, so they are held against the table and not made of it.
import { expect, test } from "bun:test";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { CELL_COLUMNS, PIECE_COLUMNS } from "./columns.ts";

const statementOf = (head: string): string => {
  const found = SCHEMA_STATEMENTS.filter((statement) => statement.includes(`${head}\n`));
  expect([head, found.length]).toEqual([head, 1]);
  return found[0] ?? "";
};

/** A table's columns behind tenant, machine, day and version, as [name, type]. */
const columnsOf = (table: string): string[][] =>
  [
    ...statementOf(`CREATE TABLE IF NOT EXISTS mtc.${table}`).matchAll(
      /^ {4}(\w+) Array\((.*?)\)(?: CODEC\(.*\))?,?$/gm,
    ),
  ].map(([, name = "", type = ""]) => [name, type]);
const typesOf = (columns: readonly { name: string; type: string }[]) =>
  columns.map(({ name, type }) => [name, type]);
/** Of days and totals an hour is none: their `hour_us` is an alias. */
const DAY_COLUMNS = CELL_COLUMNS.filter(({ name }) => name !== "hour_us");

test.each([
  ["machine_days", PIECE_COLUMNS],
  ["machine_hour_sums", CELL_COLUMNS],
  ["machine_day_sums", DAY_COLUMNS],
] as const)("mtc.%s has the columns of the table, in its order", (table, columns) => {
  expect(columnsOf(table)).toEqual(typesOf(columns));
});

/** What a view gathers into each column, in its order: the alias of the outer SELECT is looked up in the inner one. */
function gathered(view: string, table: string): string[][] {
  const [outer = "", inner = ""] = statementOf(
    `CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.${view} TO mtc.${table} AS`,
  ).split("FROM\n(");
  const made = new Map(
    [...inner.matchAll(/^ {8}(.+) AS (\w+),?$/gm)].map(([, of = "", alias = ""]) => [alias, of]),
  );
  return [...outer.matchAll(/^ {4}groupArray\((.+)\) AS (\w+),?$/gm)].map(([, of = "", name = ""]) => [
    name,
    made.get(of) ?? of,
  ]);
}

/** Cells of one key are one cell. */
const again = ({ name, type, summed }: (typeof CELL_COLUMNS)[number]): string => {
  if (summed === "key") return `cell_${name}`;
  const whole = `${summed}(cell_${name})`;
  return summed === "sum" && type === "UInt32" ? `toUInt32(${whole})` : whole;
};

test("hours are gathered into every column", () => {
  expect(gathered("machine_hour_sums_mv", "machine_hour_sums").map(([name]) => name)).toEqual(
    CELL_COLUMNS.map(({ name }) => name),
  );
});

test("days are summed of hours as the table says", () => {
  expect(gathered("machine_day_sums_v2_mv", "machine_day_sums")).toEqual(
    DAY_COLUMNS.map((column) => [column.name, again(column)]),
  );
});

test("totals are summed of days as the table says, without what they are not cut by", () => {
  const LEFT_OUT: Record<string, string> = {
    local_day: "if(cell_shift_day IN (0, 65535), cell_local_day, toUInt16(cell_shift_day - 1))",
    shift_day: "toUInt16(0)",
    ...Object.fromEntries(["shift", "part", "lot", "order_id"].map((name) => [name, "toLowCardinality('')"])),
  };
  expect(gathered("machine_day_totals_mv", "machine_day_totals")).toEqual(
    DAY_COLUMNS.map((column) => [column.name, LEFT_OUT[column.name] ?? again(column)]),
  );
});

test.each([
  ["machine_hour_sums_mv", "machine_days", "piece_", PIECE_COLUMNS],
  ["machine_day_sums_v2_mv", "machine_hour_sums", "cell_", DAY_COLUMNS],
] as const)("%s reads every column of mtc.%s", (view, source, prefix, columns) => {
  const found = SCHEMA_STATEMENTS.find((statement) => statement.includes(`EXISTS mtc.${view} TO`)) ?? "";
  const [, joined = ""] = found.split(`FROM mtc.${source}\n    ARRAY JOIN\n`);
  const read = [...joined.matchAll(/^ {8}(\w+) AS (\w+),?$/gm)].map(([, name, alias]) => [name, alias]);
  const renamed: Record<string, string> = { offset_quarters: "piece_offset" };
  expect(read.toSorted()).toEqual(
    columns.map(({ name }) => [name, renamed[name] ?? prefix + name]).toSorted(),
  );
});
