// What operators entered: rejects and lots, as they hold.
import type { Engine } from "../engine/engine.ts";
import sql from "./entries.sql" with { type: "text" };
import { iso, type Window, windowParams } from "./window.ts";

type Row = {
  event_id: string;
  ts_us: number;
  to_us: number;
  name: string;
  part: string;
  order_id: string;
  count: number;
};

export type RejectRow = { event_id: string; ts: string; count: number; reason: string };
/** `to` is null where the lot has no end of its own. */
export type LotRow = {
  event_id: string;
  from: string;
  to: string | null;
  lot: string;
  part: string;
  order: string;
};

const entries = (engine: Engine, window: Window, kind: "reject" | "lot"): Promise<Row[]> =>
  engine.query<Row>(sql, { ...windowParams(window), kind });

/** Rejects entered against the window, in order of time. @throws EngineError */
export async function rejects(engine: Engine, window: Window): Promise<RejectRow[]> {
  const rows = await entries(engine, window, "reject");
  return rows.map(({ event_id, ts_us, count, name }) => ({ event_id, ts: iso(ts_us), count, reason: name }));
}

/** Lots that began before the window's end and had not ended before its start. @throws EngineError */
export async function lots(engine: Engine, window: Window): Promise<LotRow[]> {
  const rows = await entries(engine, window, "lot");
  return rows.map(({ event_id, ts_us, to_us, name, part, order_id }) => ({
    event_id,
    from: iso(ts_us),
    to: to_us === 0 ? null : iso(to_us),
    lot: name,
    part,
    order: order_id,
  }));
}
