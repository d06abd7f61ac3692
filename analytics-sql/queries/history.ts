// Signals over time as a chart shows them: thinned in the engine, so that an hour at 10 Hz is a few thousand points.
import type { Engine } from "../engine/engine.ts";
import sql from "./history.sql" with { type: "text" };

/** Times in ms since 1970, with what lies between as a fraction; null is time without a number. */
export type SignalHistory = { signal: string; ts_ms: number[]; value: (number | null)[] };

type Row = { signal: string; ts_us: number; known: boolean; number: number };

/**
 * What one machine's signals told with from ≤ ts < to, and what held when that began. The raw observations count, as far
 * back as they are kept.
 * @param query.points into how many buckets time is cut; of each come four values at most
 * @returns one history for each signal asked for, in that order; empty where nothing was told
 * @throws EngineError
 */
export async function history(
  engine: Engine,
  query: {
    tenant: string;
    machine: string;
    signals: string[];
    from_us: number;
    to_us: number;
    points: number;
  },
): Promise<SignalHistory[]> {
  const { points, ...params } = query;
  const bucket_us = Math.max(1, Math.ceil((query.to_us - query.from_us) / points));
  const found = new Map(
    query.signals.map((signal): [string, SignalHistory] => [signal, { signal, ts_ms: [], value: [] }]),
  );
  for (const row of await engine.query<Row>(sql, { ...params, bucket_us })) {
    const own = found.get(row.signal);
    const [ts_ms, value] = [row.ts_us / 1_000, row.known ? row.number : null];
    if (own?.ts_ms.at(-1) === ts_ms && own.value.at(-1) === value) continue;
    own?.ts_ms.push(ts_ms);
    own?.value.push(value);
  }
  return [...found.values()];
}
