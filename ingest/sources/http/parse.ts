// Reads an HTTP body of observations in its three shapes: rows, columns, lines. All or nothing.
import { type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler, ValueErrorType } from "@sinclair/typebox/compiler";
import { ColumnsBuilder } from "../../columns.ts";
import {
  encodeData,
  MAX_BATCH_ROWS,
  MAX_NAME_LENGTH,
  MAX_WORD_LENGTH,
  MAX_WORDS_WRITTEN_OUT,
  ObservationColumns,
} from "../../event.ts";
import { BadInput, badInput } from "../../problem.ts";
import { schemaError } from "../../schema-errors.ts";
import { checkTime, isPossible, time_us } from "../../time.ts";

export const ObservationRow = Type.Object(
  {
    signal: Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH }),
    ts: Type.Union([Type.String({ maxLength: 40 }), Type.Integer()], {
      description: "RFC 3339 with its zone, up to µs; or µs since 1970 as an integer",
    }),
    value: Type.Union([
      Type.Number(),
      Type.String({ maxLength: MAX_WORD_LENGTH }),
      Type.Boolean(),
      Type.Null(),
    ]),
    seq: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  },
  { additionalProperties: false },
);
export const ObservationRows = Type.Object(
  { observations: Type.Array(ObservationRow, { minItems: 1, maxItems: MAX_BATCH_ROWS }) },
  { additionalProperties: false },
);

const rowsCheck = TypeCompiler.Compile(ObservationRows);
const rowCheck = TypeCompiler.Compile(ObservationRow);
const columnsCheck = TypeCompiler.Compile(ObservationColumns);

/** At most this many errors are listed. */
const MAX_ERRORS = 10;

export type ParsedBody = {
  columns: ObservationColumns;
  /** The JSON bytes of the columns: the body's own where it came as columns (invariant 8). */
  bytes: Uint8Array;
  rows: number;
};

/**
 * @param body the body, unpacked
 * @param lines true for `application/x-ndjson`
 * @param now_us our clock, for the bound on times ahead
 * @throws BadInput naming the path of what is wrong
 */
export function parseBody(body: Uint8Array, lines: boolean, now_us: number): ParsedBody {
  const text = decodeUtf8(body);
  if (lines) return parseLines(text, now_us);
  const value = parseJson(text, "");
  if (typeof value === "object" && value !== null && "observations" in value) return parseRows(value, now_us);
  const columns = checked<ObservationColumns>(columnsCheck, value, "");
  checkColumns(columns, now_us);
  const bytes = isPlain(text) ? body : encodeData(columns);
  return { columns, bytes, rows: columns.signal.length };
}

function parseRows(value: object, now_us: number): ParsedBody {
  const { observations } = checked<{ observations: RowInput[] }>(rowsCheck, value, "");
  const builder = new ColumnsBuilder();
  for (const [i, row] of observations.entries()) addRow(builder, row, `/observations/${i}`, now_us);
  return built(builder);
}

function parseLines(text: string, now_us: number): ParsedBody {
  const builder = new ColumnsBuilder();
  for (let n = 1, at = 0, end = 0; at < text.length; n++, at = end + 1) {
    end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const line = text.slice(at, end);
    if (line.trim() === "") continue;
    if (builder.full) throw badInput(`/${n}`, "too_many_observations", { max: MAX_BATCH_ROWS });
    const row = checked<RowInput>(rowCheck, parseJson(line, `/${n}`), `/${n}`);
    addRow(builder, row, `/${n}`, now_us);
  }
  if (builder.rows === 0) throw badInput("", "no_observations");
  return built(builder);
}

type RowInput = {
  signal: string;
  ts: string | number;
  value: number | string | boolean | null;
  seq?: number;
};

function addRow(builder: ColumnsBuilder, row: RowInput, path: string, now_us: number): void {
  const ts_us = typeof row.ts === "number" ? row.ts : time_us(row.ts, `${path}/ts`);
  checkTime(ts_us, now_us, `${path}/ts`);
  const value = typeof row.value === "boolean" ? Number(row.value) : row.value;
  builder.add(row.signal, ts_us, row.seq ?? 0, value);
}

function built(builder: ColumnsBuilder): ParsedBody {
  const columns = builder.columns();
  return { columns, bytes: encodeData(columns), rows: builder.rows };
}

/** What a schema cannot say: equal lengths, indexes that point somewhere, times within bounds. */
function checkColumns(columns: ObservationColumns, now_us: number): void {
  const { signals, signal, t0, dt, seq, seq0, num, words, word } = columns;
  const rows = signal.length;
  if (rows === 0) throw badInput("/signal", "no_observations");
  for (const [name, column] of Object.entries({ dt, seq, num, word })) {
    if (column !== undefined && column.length !== rows) {
      throw badInput(`/${name}`, "uneven_columns", { values: column.length, rows });
    }
  }
  if (seq !== undefined && seq0 !== undefined) throw badInput("/seq0", "seq_twice");
  if (word !== undefined && words === undefined) throw badInput("/words", "words_missing");
  let written_out = 0;
  for (let i = 0; i < rows; i++) {
    if ((signal[i] as number) >= signals.length)
      throw badInput(`/signal/${i}`, "past_end", { list: "/signals" });
    if (word && (word[i] as number) > (words?.length ?? 0))
      throw badInput(`/word/${i}`, "past_end", { list: "/words" });
    if (word && word[i] !== 0 && (num?.[i] ?? null) !== null) throw badInput(`/word/${i}`, "number_and_word");
    if (word) written_out += words?.[(word[i] as number) - 1]?.length ?? 0;
    const ts_us = t0 + (dt[i] as number);
    if (!isPossible(ts_us, now_us)) checkTime(ts_us, now_us, `/dt/${i}`);
  }
  // Analytics has each row's word in full: a few bytes here would be a gigabyte there.
  if (written_out > MAX_WORDS_WRITTEN_OUT)
    throw badInput("/word", "words_written_out", { characters: written_out, max: MAX_WORDS_WRITTEN_OUT });
}

/**
 * True where the engine's JSON parser reads the text exactly as ours did, so that the bytes may travel on.
 * False for what only JSON.parse takes the easy way: exponents or fractions in integers, names given twice
 * or spelled with escapes, lone surrogates. Such a body is written anew; no sane producer sends one.
 */
function isPlain(text: string): boolean {
  // A search for what is rare comes first: these run over megabytes, and what they look for is hardly ever there.
  if (/[eE][+-]?\d/.test(text) && /(?<!\\u[\da-fA-F]{0,3})\d[eE][+-]?\d/.test(text)) return false;
  if (text.includes("\\u") && /\\u(?:[dD][89a-fA-F]|00[2-7])/.test(text)) return false;
  if (text.includes("-0") && /[[,:]\s*-0\s*[,\]}]/.test(text)) return false;
  return !/\d\.\d/.test(text.replace(/"num"\s*:\s*\[[^\]]*\]/, "")) && !hasTwice(text);
}

/** Between quotes a quote is escaped, so this finds names alone. */
const NAMES = /"(?:signals?|t0|dt|seq0?|num|words?)"\s*:/g;

function hasTwice(text: string): boolean {
  const seen = new Set<string>();
  for (const [name] of text.matchAll(NAMES)) {
    const plain = name.slice(0, name.lastIndexOf('"'));
    if (seen.has(plain)) return true;
    seen.add(plain);
  }
  return false;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badInput("", "not_utf8");
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badInput(path, "json_error", { error: (error as Error).message });
  }
}

function checked<T>(check: TypeCheck<TSchema>, value: unknown, prefix: string): T {
  if (check.Check(value)) return value as T;
  const errors = [];
  for (const error of check.Errors(value)) {
    errors.push(schemaError(error, prefix));
    // Of what is too long the rest is not looked at: it may be millions.
    if (errors.length === MAX_ERRORS || error.type === ValueErrorType.ArrayMaxItems) break;
  }
  throw new BadInput(errors);
}
