// Raw observations, page by page.
import type { Engine } from "../engine/engine.ts";
import { filled } from "../filled.ts";
import { type Lake, type Stretch, withTable } from "../lake/lake.ts";
import sql from "./observations.sql" with { type: "text" };
import { iso } from "./window.ts";

export type ObservationRow = {
  signal: string;
  /** ISO 8601, µs. */
  ts: string;
  /** 0 where the source gave none. */
  seq: number;
  value: number | string | null;
};

export type ObservationsPage = {
  rows: ObservationRow[];
  /** Give it back to get the next page; null after the last. */
  cursor: string | null;
};

type SqlRow = { signal: string; ts_us: number; seq: number; num: number | null; word: string; value: string };
type Position = [ts_us: number, seq: number, signal: string, value: string];

/** The cursor is not one that was given out. */
export class BadCursor extends Error {
  override readonly name = "BadCursor";
}

/**
 * Observations of one machine with from ≤ ts < to, each once, in order of (ts, seq, signal, value); with a lake, those
 * that retention took too, day by day until the page is full.
 * @param query.signal "" for all signals
 * @throws BadCursor, EngineError
 */
export async function observations(
  engine: Engine,
  query: {
    tenant: string;
    machine: string;
    signal: string;
    from_us: number;
    to_us: number;
    limit: number;
    cursor: string | null;
  },
  lake?: Lake,
): Promise<ObservationsPage> {
  const { cursor, ...params } = query;
  const [after_us, after_seq, after_signal, after_value] = cursor
    ? decode(cursor)
    : ([0, 0, "", ""] as Position);
  const { tenant, machine } = query;
  const span = { from_us: Math.max(query.from_us, after_us), to_us: query.to_us, now_us: Date.now() * 1_000 };
  const found: SqlRow[] = [];
  const stretches: Stretch[] = (await lake?.stretches(tenant, machine, span)) ?? [span];
  for (const { from_us, to_us, cold } of stretches) {
    const file = await cold?.();
    const both = file && withTable(file);
    const rows = await engine.query<SqlRow>(filled(sql, { rows: both?.sql ?? "mtc.observations" }), {
      ...params,
      ...both?.params,
      from_us,
      to_us,
      limit: query.limit + 1 - found.length,
      after_us,
      after_seq,
      after_signal,
      after_value,
    });
    found.push(...rows);
    if (found.length > query.limit) break;
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ signal, ts_us, seq, num, word }) => ({
      signal,
      ts: iso(ts_us),
      seq,
      value: num ?? (word === "" ? null : word),
    })),
    cursor:
      last && found.length > query.limit ? encode([last.ts_us, last.seq, last.signal, last.value]) : null,
  };
}

const encode = (position: Position): string => Buffer.from(JSON.stringify(position)).toString("base64url");

const isPosition = ([ts_us, seq]: Position): boolean =>
  [ts_us, seq].every((n) => Number.isSafeInteger(n) && n >= 0);

function decode(cursor: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    const kinds = Array.isArray(position) ? position.map((part) => typeof part).join() : "";
    if (kinds === "number,number,string,string" && isPosition(position as Position))
      return position as Position;
  } catch {
    // Not JSON: told below.
  }
  throw new BadCursor("not a cursor of this list");
}
