// Who gave a reason: an operator, or a condition by itself.
import type { Engine } from "../engine/engine.ts";
import said from "./said.sql" with { type: "text" };
import downtime from "./timeline/downtime.sql" with { type: "text" };
import { type Window, windowParams } from "./window.ts";

/** "" where there is no reason. */
export type ReasonFrom = "operator" | "condition" | "";

const SAID = `WITH ${downtime} ${said}`;

/** @returns who gave a reason that holds at an instant of the window @throws EngineError */
export async function reasonsFrom(
  engine: Engine,
  window: Window,
): Promise<(machine: string, at_us: number, reason: string) => ReasonFrom> {
  type Row = { machine_id: string; from_us: number; to_us: number; reason: string };
  const rows = await engine.query<Row>(SAID, windowParams(window));
  const byMachine = Map.groupBy(rows, ({ machine_id }) => machine_id);
  return (machine, at_us, reason) => {
    if (reason === "") return "";
    const own = byMachine.get(machine) ?? [];
    const byOperator = own.some((one) => one.from_us <= at_us && at_us < one.to_us && one.reason === reason);
    return byOperator ? "operator" : "condition";
  };
}
