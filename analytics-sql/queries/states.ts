// The states of a machine over time, each with its reason or cause.
import type { Engine } from "../engine/engine.ts";
import sql from "./states.sql" with { type: "text" };
import { iso, type Window, windowParams } from "./window.ts";

export type StateRow = {
  machine_id: string;
  state: "UNKNOWN" | "DOWN" | "RUNNING" | "SETUP" | "STOPPED" | "IDLE";
  /** ISO 8601, µs, clipped to the window and to now. */
  from: string;
  to: string;
  seconds: number;
  /** The operator's reason, "" where there is none. */
  reason: string;
  /** Why the state is UNKNOWN: a gap's cause, "unavailable" or "no_data"; "" for any other state. */
  cause: string;
};

type SqlRow = Omit<StateRow, "from" | "to"> & { starts_us: number; ends_us: number };

/**
 * States in order of machine and time, without a hole: neighbours always differ in state, reason or cause.
 * @throws EngineError
 */
export async function states(engine: Engine, window: Window): Promise<{ rows: StateRow[] }> {
  const rows = await engine.query<SqlRow>(sql, windowParams(window));
  return {
    rows: rows.map(({ machine_id, state, starts_us, ends_us, seconds, reason, cause }) => ({
      machine_id,
      state,
      from: iso(starts_us),
      to: iso(ends_us),
      seconds,
      reason,
      cause,
    })),
  };
}
