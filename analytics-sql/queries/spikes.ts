// Leaps of counters: quarantined until somebody accepts or refuses them.
import type { Engine } from "../engine/engine.ts";
import sql from "./spikes.sql" with { type: "text" };
import counters from "./timeline/counters.sql" with { type: "text" };
import { iso, type Window, windowParams } from "./window.ts";

export type SpikeRow = {
  machine_id: string;
  /** part_count, part_count_good or part_count_bad. */
  signal: string;
  /** ISO 8601, µs. */
  ts: string;
  /** The number it leapt to, and its different neighbours. */
  value: number;
  before: number;
  after: number;
  decision: "open" | "accepted" | "refused";
};

const QUERY = `WITH\n${counters}\n${sql}`;

/** Leaps in the window that came back, in order of machine and time. @throws EngineError */
export async function spikes(engine: Engine, window: Window): Promise<SpikeRow[]> {
  type Row = Omit<SpikeRow, "ts"> & { ts_us: number };
  const rows = await engine.query<Row>(QUERY, windowParams(window));
  return rows.map(({ ts_us, machine_id, signal, ...row }) => ({
    machine_id,
    signal,
    ts: iso(ts_us),
    ...row,
  }));
}
