// For tests: what the program has of a machine whose recorded day it was told, against the oracle.
import { expect } from "bun:test";
import { until } from "../../.ci/limits.ts";
import {
  type Counted,
  counted,
  figures,
  marked,
  type Piece,
  pieces,
  type Span,
} from "../../analytics-sql/testing/oracle.ts";
import type { Plant, Seen } from "../../analytics-sql/testing/plant.ts";
import { parseTimestamp_us } from "../../ingest/time.ts";
import type { TestServer } from "./server.ts";

export type ObservationRow = { signal: string; ts: string; seq: number; value: number | string | null };
type StateRow = { state: string; from: string; to: string; reason: string; cause: string };

/** A machine's stretch of time, and what the program was told of it. */
export type Told = {
  plant: Plant;
  span: Span;
  from: string;
  to: string;
  /** Seconds by state and parts made, where they are known otherwise. */
  known?: Record<string, number> | undefined;
};

export const micros = (ts: string): number => parseTimestamp_us(ts) ?? Number.NaN;

export async function gapsOf(
  server: TestServer,
  id: string,
): Promise<{ from_us: number; to_us: number; cause: string }[]> {
  type Row = { from: string; to: string; cause: string };
  const { body } = await server.call<{ rows: Row[] }>(
    "GET",
    `/api/v1/machines/${id}/gaps?from=2016-01-01T00:00:00Z`,
  );
  return body.rows.map(({ from, to, cause }) => ({ from_us: micros(from), to_us: micros(to), cause }));
}

/** Stretches of sequences without a hole. */
export function runsOf(rows: ObservationRow[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const seq of [...new Set(rows.map((row) => row.seq))].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}

/** Signals that figures are made of; all others only make the oracle slow. */
const MEANING =
  /^(availability|execution|controller_mode|functional_mode|emergency_stop|program|part_number|lot|part_\w+|condition|alarms)(:|$)/;

/** All observations, as soon as the last sequence is among them. */
export async function everything(server: TestServer, id: string, last: number): Promise<ObservationRow[]> {
  return until(async () => {
    await server.settled();
    const rows: ObservationRow[] = [];
    let cursor = "";
    do {
      const query = `from=2010-01-01T00:00:00Z&limit=20000${cursor}`;
      const { body } = await server.call<{ rows: ObservationRow[]; next_cursor: string | null }>(
        "GET",
        `/api/v1/machines/${id}/observations?${query}`,
      );
      rows.push(...body.rows);
      cursor = body.next_cursor === null ? "" : `&cursor=${encodeURIComponent(body.next_cursor)}`;
    } while (cursor !== "");
    return rows.some(({ seq }) => seq === last) ? rows : undefined;
  });
}

export const plantOf = (machine: string, rows: ObservationRow[]): Plant => ({
  machine,
  seen: rows.map(seenOf).filter(({ signal }) => MEANING.test(signal)),
});

const seenOf = ({ signal, ts, seq, value }: ObservationRow): Seen => ({
  signal,
  ts_us: micros(ts),
  seq,
  value,
});

export async function expectStates(server: TestServer, { plant, span, from, to }: Told): Promise<void> {
  const { body } = await server.call<{ rows: StateRow[] }>(
    "GET",
    `/api/v1/machines/${plant.machine}/states?from=${from}&to=${to}`,
  );
  const told = body.rows.map((row) => [micros(row.from), micros(row.to), row.state, row.reason, row.cause]);
  const merged: Piece[] = [];
  for (const piece of pieces(plant, span)) {
    const last = merged.at(-1);
    if (last && last.state === piece.state && last.reason === piece.reason && last.cause === piece.cause)
      last.to_us = piece.to_us;
    else merged.push({ ...piece });
  }
  expect(told).toEqual(
    merged.map((piece) => [piece.from_us, piece.to_us, piece.state, piece.reason, piece.cause]),
  );
}

export async function expectFigures(
  server: TestServer,
  { plant, span, from, to, known = {} }: Told,
): Promise<void> {
  const { body } = await server.call<{ rows: Record<string, unknown>[] }>(
    "GET",
    `/api/v1/machines/${plant.machine}/oee?from=${from}&to=${to}`,
  );
  const parts: Counted[] = counted(plant, span);
  const { mtbf_s: _, mttr_s: __, ...expected } = figures(marked(plant, span), parts, false);
  expect(body.rows).toHaveLength(1);
  for (const [name, value] of Object.entries(expected)) {
    const told = body.rows[0]?.[name];
    if (typeof value === "number")
      expect([name, Math.abs((told as number) - value) < 1e-6]).toEqual([name, true]);
    else expect([name, told]).toEqual([name, value]);
  }
  expect(body.rows[0]).toMatchObject(known);
}
