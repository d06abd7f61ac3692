// Figures and their sums, and the roll-up's columns, as SQL.
import {
  FORMULAS,
  isIdeal,
  ROW_FIGURES,
  type RowFigure,
  SUM_NAMES,
  SUMS,
  type Sum,
  type SumName,
} from "../../domain/figures.ts";
import { CELL_COLUMNS, PIECE_COLUMNS } from "../rollup/columns.ts";
import type { Block } from "./blocks.ts";

const isSum = (name: string): name is SumName => name in SUMS;

/** A column of the cells, which a sum may be named like. */
const cell = (column: string): string => (isSum(column) ? `c.${column}` : column);

function conditionOf({ state, loss, minor, excluded }: NonNullable<Sum["where"]>): string {
  return [
    state && `state = '${state}'`,
    loss && `loss = '${loss}'`,
    minor && "minor",
    excluded === false && "NOT excluded",
  ]
    .filter(Boolean)
    .join(" AND ");
}

function sumSql(name: SumName): string {
  const { of, less, where }: Sum = SUMS[name];
  const column = less ? `${cell(of)} - ${cell(less)}` : cell(of);
  const added = isIdeal(name) ? `toInt128(${column})` : column;
  return where ? `sumIf(${added}, ${conditionOf(where)}) AS ${name}` : `sum(${added}) AS ${name}`;
}

function figureSql(figure: RowFigure): string {
  const { sql, terms } = FORMULAS[figure];
  if (isSum(figure)) return figure;
  return `${terms.some(isIdeal) ? `if(no_ideal, NULL, ${sql})` : sql} AS ${figure}`;
}

const asColumns = (columns: readonly { name: string }[], table: string, prefix: string): string[] =>
  columns.map(({ name }) => `${table}${name} AS ${prefix}${name}`);
/** A list, with a comma behind it where it goes on. */
const list = (items: readonly string[], goes_on: boolean): string[] =>
  items.map((item, i) => (goes_on || i < items.length - 1 ? `${item},` : item));
/** All of a clause. */
const clause = (items: readonly string[]): string =>
  list(items, false)
    .map((line) => `    ${line}`)
    .join("\n");

/** Cells of whole days out of one of the tables of sums. */
const cellsOfDays = (
  table: string,
  what: string,
): string => `-- ${what} Written by \`bun run generate\`, from rollup/columns.ts.
SELECT
    mtc_place(machine_id, {machines:Array(String)}) AS m,
${clause(CELL_COLUMNS.map(({ name }) => `cell_${name} AS ${name}`))}
FROM mtc.${table} FINAL
ARRAY JOIN
${clause(asColumns(CELL_COLUMNS, "", "cell_"))}
WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    AND day >= {whole_from:Date32} AND day < {whole_to:Date32}
`;

const FOLDER = "analytics-sql/queries/figures";

/** Files that are written as a whole, by their paths from the project's root. */
export const FIGURE_FILES: Record<string, string> = {
  [`${FOLDER}/cells-of-hours.sql`]: cellsOfDays(
    "machine_hour_sums",
    "Cells of whole days, by all that figures are cut by.",
  ),
  [`${FOLDER}/cells-of-days.sql`]: cellsOfDays(
    "machine_day_sums",
    "Cells of whole days, by all that figures are cut by but the hour.",
  ),
  [`${FOLDER}/cells-of-totals.sql`]: cellsOfDays(
    "machine_day_totals",
    "Cells of whole days, by nothing but days, states and reasons.",
  ),
};

export const FIGURE_BLOCKS: readonly Block[] = [
  { file: `${FOLDER}/sums.sql`, name: "sums", lines: list(SUM_NAMES.map(sumSql), true) },
  { file: `${FOLDER}/columns.sql`, name: "figures", lines: list(ROW_FIGURES.map(figureSql), true) },
  {
    file: "analytics-sql/queries/explain/summed.sql",
    name: "sums",
    lines: list(
      SUM_NAMES.filter((name) => !(name in FORMULAS)),
      true,
    ),
  },
  {
    file: `${FOLDER}/cells-of-pieces.sql`,
    name: "cells",
    lines: list(
      CELL_COLUMNS.map(({ name, of }) => `${of} AS ${name}`),
      false,
    ),
  },
  {
    file: `${FOLDER}/cells-of-pieces.sql`,
    name: "pieces",
    lines: list(asColumns(PIECE_COLUMNS, "d.", "piece_"), false),
  },
  {
    file: "analytics-sql/rollup/roll.sql",
    name: "pieces",
    lines: list(
      PIECE_COLUMNS.map(({ of }) => `groupArray(${of})`),
      false,
    ),
  },
];
