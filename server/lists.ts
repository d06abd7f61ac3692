// Any list of the API as JSON or CSV.
import { stringify } from "csv-stringify/sync";
import { t } from "elysia";

/** The query's `format`. */
export const Format = t.Optional(
  t.Union([t.Literal("json"), t.Literal("csv"), t.Literal("csv_comma")], {
    description:
      "csv: RFC 4180. csv_comma: the same rows for spreadsheets of languages with a decimal comma: semicolons between " +
      "the columns, a byte order mark in front",
  }),
);

type Dialect = { delimiter: string; bom: boolean; number: (value: number) => string };

const DIALECTS: Record<string, Dialect> = {
  csv: { delimiter: ",", bom: false, number: String },
  csv_comma: { delimiter: ";", bom: true, number: (value) => String(value).replace(".", ",") },
};

/** So many rows are written out at once: the first reach the reader before the last are made. */
const CHUNK_ROWS = 1_000;
const utf8 = new TextEncoder();

/**
 * Rows as CSV with a header, streamed. Lists inside a cell are joined by spaces; text that a spreadsheet would take for
 * a formula gets an apostrophe in front.
 */
function csv(rows: readonly object[], { delimiter, bom, number }: Dialect): Response {
  const columns = rows[0] ? Object.keys(rows[0]) : undefined;
  let next = 0;
  const chunk = (): string =>
    stringify(rows.slice(next, next + CHUNK_ROWS) as object[], {
      header: next === 0,
      bom: bom && next === 0,
      ...(columns ? { columns } : {}),
      delimiter,
      cast: {
        number,
        // Spreadsheets pass over a line feed in front, and csv-stringify's own guard does not know it.
        string: (value) => (value.startsWith("\n") ? `'${value}` : value),
        object: (value) => (Array.isArray(value) ? value.join(" ") : JSON.stringify(value)),
        boolean: String,
      },
      escape_formulas: true,
    });
  const body = new ReadableStream<Uint8Array>({
    pull(reader) {
      reader.enqueue(utf8.encode(chunk()));
      next += CHUNK_ROWS;
      if (next >= rows.length) reader.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/csv; charset=utf-8" } });
}

/** A list as it was asked for: `?format=json` (without it too), `csv` or `csv_comma`. */
export function answer<T extends { rows: readonly object[] }>(
  format: string | undefined,
  report: T,
): T | Response {
  const dialect = DIALECTS[format ?? ""];
  return dialect ? csv(report.rows, dialect) : report;
}
