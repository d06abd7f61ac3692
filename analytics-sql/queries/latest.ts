// What was last known of every signal: where the screens start from after a restart.
import type { Engine } from "../engine/engine.ts";
import sql from "./latest.sql" with { type: "text" };

export type LatestRow = {
  machine_id: string;
  signal: string;
  ts_us: number;
  seq: number;
  num: number | null;
  word: string;
};

/** One row for each (machine, signal). @param query.recent_us signals without a lasting meaning are looked for from here on */
export const latest = (
  engine: Engine,
  query: { tenant: string; machines: string[]; recent_us: number },
): Promise<LatestRow[]> => engine.query<LatestRow>(sql, query);
