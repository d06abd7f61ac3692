// The states of a machine over time, each with its reason or cause.
import type { Engine } from "../engine/engine.ts";
import { type ReasonFrom, reasonsFrom } from "./said.ts";
import sql from "./states.sql" with { type: "text" };
import { type Filtered, filterParams, iso, windowParams } from "./window.ts";

export type StateRow = {
  machine_id: string;
  state: "UNKNOWN" | "DOWN" | "RUNNING" | "SETUP" | "STOPPED" | "IDLE";
  /** ISO 8601, µs, clipped to the window and to now. */
  from: string;
  to: string;
  seconds: number;
  /** The operator's reason, or that of a condition; "" where there is none. */
  reason: string;
  /** Who gave it, at the state's start. */
  reason_from: ReasonFrom;
  /** Why the state is UNKNOWN: a gap's cause, "unavailable" or "no_data"; "" for any other state. */
  cause: string;
};

type SqlRow = Omit<StateRow, "from" | "to" | "reason_from"> & { starts_us: number; ends_us: number };

/**
 * States in order of machine and time: neighbours always differ in state, reason or cause. Without a filter
 * there is no hole.
 * @throws EngineError
 */
export async function states(engine: Engine, window: Filtered): Promise<{ rows: StateRow[] }> {
  const rows = await engine.query<SqlRow>(sql, {
    ...windowParams(window),
    ...filterParams(window.filter),
  });
  const reasoned = rows.some(({ reason }) => reason !== "");
  const from: Awaited<ReturnType<typeof reasonsFrom>> = reasoned
    ? await reasonsFrom(engine, window)
    : () => "";
  return {
    rows: rows.map(({ machine_id, state, starts_us, ends_us, seconds, reason, cause }) => ({
      machine_id,
      state,
      from: iso(starts_us),
      to: iso(ends_us),
      seconds,
      reason,
      reason_from: from(machine_id, starts_us, reason),
      cause,
    })),
  };
}
