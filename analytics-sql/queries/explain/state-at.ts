// The state at one instant, and the values it follows from.
import type { Engine } from "../../engine/engine.ts";
import { type ReasonFrom, reasonsFrom } from "../said.ts";
import { iso } from "../window.ts";
import at from "./at.sql" with { type: "text" };
import inForce from "./in-force.sql" with { type: "text" };

export type ValueInForce = { signal: string; value: string; ts: string; seq: number };

export type StateAt = {
  state: string;
  cause: string;
  reason: string;
  reason_from: ReasonFrom;
  shift: string;
  scheduled: boolean;
  part: string;
  lot: string;
  /** The piece of the roll-up that covers the instant: within it nothing changes at all. */
  from: string;
  to: string;
  values: ValueInForce[];
};

type PieceRow = {
  in_state: string;
  in_cause: string;
  in_reason: string;
  in_shift: string;
  in_scheduled: boolean;
  in_part: string;
  in_lot: string;
  starts_us: number;
  ends_us: number;
};
type ValueRow = { signal: string; ts_us: number; seq: number; value: string };

/** @returns undefined where nothing is rolled up at the instant: before all data, or ahead @throws EngineError */
export async function stateAt(
  engine: Engine,
  { tenant, machine, at_us }: { tenant: string; machine: string; at_us: number },
): Promise<StateAt | undefined> {
  const params = { tenant, machines: [machine], from_us: at_us };
  const [[piece], from, values] = await Promise.all([
    engine.query<PieceRow>(at, params),
    reasonsFrom(engine, { ...params, tenant, to_us: at_us + 1, as_of_us: at_us + 1 }),
    engine.query<ValueRow>(inForce, params),
  ]);
  if (!piece) return undefined;
  const { in_reason: reason } = piece;
  return {
    state: piece.in_state,
    cause: piece.in_cause,
    reason,
    reason_from: from(machine, at_us, reason),
    shift: piece.in_shift,
    scheduled: piece.in_scheduled,
    part: piece.in_part,
    lot: piece.in_lot,
    from: iso(piece.starts_us),
    to: iso(piece.ends_us),
    values: values.map(({ ts_us, ...value }) => ({ ...value, ts: iso(ts_us) })),
  };
}
