// What is known to be missing, and why (invariant 4).
import type { Engine } from "../engine/engine.ts";
import sql from "./gaps.sql" with { type: "text" };
import intervals from "./timeline/gaps.sql" with { type: "text" };
import { iso, type Window, windowParams } from "./window.ts";

export type GapRow = {
  machine_id: string;
  /** ISO 8601, µs, not clipped to the window. */
  from: string;
  /** "" while the gap is open. */
  to: string;
  cause: string;
  detail: string;
};

type SqlRow = Omit<GapRow, "from" | "to"> & { starts_us: number; ends_us: number };

/** Gaps that touch the window, in order of machine and start. @throws EngineError */
export async function gaps(engine: Engine, window: Window): Promise<{ rows: GapRow[] }> {
  const rows = await engine.query<SqlRow>(`WITH ${intervals} ${sql}`, windowParams(window));
  return {
    rows: rows.map(({ machine_id, starts_us, ends_us, cause, detail }) => ({
      machine_id,
      from: iso(starts_us),
      to: ends_us === 0 ? "" : iso(ends_us),
      cause,
      detail,
    })),
  };
}
