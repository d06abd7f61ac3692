// For tests: recorded documents of real agents, read where they lie beside the project.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { formatTimestamp_us, parseTimestamp_us } from "../../time.ts";

const DATA = join(import.meta.dir, "../../../../shared/data");

/** Whether the recordings are here; tests that need them skip by name where not. */
export const haveRecordings = existsSync(DATA);
if (!haveRecordings) console.warn(`skipping tests on recordings: there is no ${DATA}`);

export const recording = (path: string): Uint8Array => new Uint8Array(readFileSync(join(DATA, path)));

/** The same as text. */
export const recordingText = (path: string): string => new TextDecoder().decode(recording(path));

const WEEK_US = 7 * 86_400_000_000;

/** A recording moved by whole weeks to the last days: from its own up to now there would be years of nothing to roll up. */
export type Moved = {
  by_us: number;
  /** @param ts of the recording @returns the same of the moved one */
  at(ts: string): string;
  /** The lines of an adapter's log; one whose time cannot be read stays as it is. */
  lines(path: string): string[];
  /** An agent's document. */
  document(path: string): string;
};

/** @param end when the recording ends: moved, it is within the last week */
export function movedToNow(end: string): Moved {
  const micros = (ts: string): number => parseTimestamp_us(ts) ?? Number.NaN;
  const by_us = WEEK_US * Math.floor((Date.now() * 1_000 - micros(end)) / WEEK_US);
  const at = (ts: string): string => formatTimestamp_us(micros(ts) + by_us);
  const moved = (line: string): string => {
    const [ts = "", ...rest] = line.split("|");
    return Number.isNaN(micros(ts)) ? line : [at(ts), ...rest].join("|");
  };
  return {
    by_us,
    at,
    lines: (path) => recordingText(path).split("\n").map(moved),
    document: (path) =>
      recordingText(path).replaceAll(/(?<=(?:timestamp|creationTime)=")[^"]+/g, (ts) => at(ts)),
  };
}

/** Every file below the folder with that ending, relative to the recordings. */
export function recordings(ending: string): string[] {
  if (!haveRecordings) return [];
  return readdirSync(DATA, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(ending));
}

/** A captured HTTP answer. */
export type Capture = {
  name: string;
  content_type: string;
  /** What came over the wire, from the status line on. */
  raw: Uint8Array;
  /** The chunks joined, as an HTTP client would give it. */
  body: Uint8Array;
  /** How much of the body lies within the first bytes of `raw`. */
  bodyBefore(raw_bytes: number): number;
};

/** All captured answers of a running agent. */
export function captures(): Capture[] {
  const names = [...recordings(".http"), ...recordings(".http.gz")];
  return names.map((name) => {
    const raw = recording(name);
    return readCapture(name, name.endsWith(".gz") ? new Uint8Array(gunzipSync(raw)) : raw);
  });
}

function readCapture(name: string, raw: Uint8Array): Capture {
  const head_bytes = Buffer.from(raw).indexOf("\r\n\r\n") + 4;
  const head = new TextDecoder().decode(raw.subarray(0, head_bytes));
  const content_type = /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? "";
  const chunked = /^transfer-encoding: chunked/im.test(head);
  const chunks = chunked ? chunksIn(raw, head_bytes) : [{ start: head_bytes, end: raw.length }];
  const body = new Uint8Array(Buffer.concat(chunks.map(({ start, end }) => raw.subarray(start, end))));
  const bodyBefore = (raw_bytes: number): number =>
    chunks.reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, raw_bytes) - start), 0);
  return { name, content_type, raw, body, bodyBefore };
}

/** Where the chunks' contents lie; a last one that was cut off ends with the recording. */
function chunksIn(raw: Uint8Array, from: number): { start: number; end: number }[] {
  const chunks: { start: number; end: number }[] = [];
  const bytes = Buffer.from(raw);
  for (let at = from; at < bytes.length; ) {
    const line_end = bytes.indexOf("\r\n", at);
    if (line_end < 0) break;
    const start = line_end + 2;
    const end = start + Number.parseInt(bytes.toString("latin1", at, line_end), 16);
    chunks.push({ start, end: Math.min(end, bytes.length) });
    at = end + 2;
  }
  return chunks;
}
