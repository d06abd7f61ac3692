// Cuts an event of observations into smaller ones, for an engine whose memory does not suffice for it.
import type { ObservationColumns } from "../event.ts";

/** The engine repeats an event's names and words for each of its rows: the bound on that product. */
const MAX_SPREAD_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its text. */
const ENTRY_BYTES = 9;

/**
 * The same observations as several events of the same id, each with only the words it needs.
 * @param lines events as lines of JSON
 * @returns undefined where there is nothing to cut: several events, another type, or small enough
 */
export function splitEvent(lines: Uint8Array): Uint8Array[] | undefined {
  const event = soleEvent(lines);
  if (event?.type !== "mtc.observations.v1") return undefined;
  const parts = halved(event.data);
  if (parts.length === 1) return undefined;
  return parts.map((data) => new TextEncoder().encode(`${JSON.stringify({ ...event, data })}\n`));
}

/** Line breaks tell nothing: a payload may hold some of its own. */
function soleEvent(lines: Uint8Array): { type: string; data: ObservationColumns } | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(lines));
  } catch {
    return undefined;
  }
}

function halved(columns: ObservationColumns): ObservationColumns[] {
  const rows = columns.signal.length;
  if (rows < 2 || rows * size([...columns.signals, ...(columns.words ?? [])]) <= MAX_SPREAD_BYTES)
    return [columns];
  const middle = rows >> 1;
  return [...halved(slice(columns, 0, middle)), ...halved(slice(columns, middle, rows))];
}

const size = (texts: string[]): number => texts.reduce((sum, { length }) => sum + length + ENTRY_BYTES, 0);

/** Rows from ≤ i < to; the dictionaries hold what these rows use. */
function slice(columns: ObservationColumns, from: number, to: number): ObservationColumns {
  const { signal, t0, dt, seq0, seq, num, word } = columns;
  const names = reindexed(columns.signals, signal.slice(from, to));
  const part: ObservationColumns = {
    signals: names.texts,
    signal: names.indexes,
    t0,
    dt: dt.slice(from, to),
  };
  if (seq0 !== undefined) part.seq0 = seq0 + from;
  if (seq) part.seq = seq.slice(from, to);
  if (num) part.num = num.slice(from, to);
  if (word) {
    // Words count from 1, 0 is none: the empty text stands first here, and is left out again.
    const used = reindexed(["", ...(columns.words ?? [])], [0, ...word.slice(from, to)]);
    part.words = used.texts.slice(1);
    part.word = used.indexes.slice(1);
  }
  return part;
}

function reindexed(all: string[], indexes: number[]): { texts: string[]; indexes: number[] } {
  const texts: string[] = [];
  const at = new Map<number, number>();
  const moved = indexes.map((index) => {
    const known = at.get(index) ?? texts.push(all[index] ?? "") - 1;
    at.set(index, known);
    return known;
  });
  return { texts, indexes: moved };
}
