// Any list of the API as JSON or CSV.
import { stringify } from "csv-stringify/sync";
import { t } from "elysia";

/** The query's `format`. */
export const Format = t.Optional(t.Union([t.Literal("json"), t.Literal("csv")]));

/** Rows as CSV with a header; lists inside a cell are joined by spaces. */
function csv(rows: readonly object[]): Response {
  const body = stringify([...rows], {
    header: true,
    cast: {
      object: (value) => (Array.isArray(value) ? value.join(" ") : JSON.stringify(value)),
      boolean: (value) => String(value),
    },
    escape_formulas: true,
  });
  return new Response(body, { headers: { "content-type": "text/csv; charset=utf-8" } });
}

/** A list as it was asked for: `?format=json` (without it too) or `?format=csv`. */
export const answer = <T extends { rows: readonly object[] }>(
  format: string | undefined,
  report: T,
): T | Response => (format === "csv" ? csv(report.rows) : report);
