// The policies that figures are calculated by; every report prints them.
import type { Engine } from "../engine/engine.ts";
import sql from "./policies.sql" with { type: "text" };
import inForce from "./timeline/policies.sql" with { type: "text" };

export type Policy = {
  unknown: "loss" | "excluded";
  reasons: Record<string, "loss" | "excluded">;
  minor_stop_s: number;
};

export type MachinePolicy = Policy & {
  machine_id: string;
  /** Any ideal cycle time is listed for the machine. */
  ideal_listed: 0 | 1;
};

/** @returns one policy for each machine, in their order @throws EngineError */
export const policies = (
  engine: Engine,
  { tenant, machines }: { tenant: string; machines: string[] },
): Promise<MachinePolicy[]> => engine.query(`WITH ${inForce} ${sql}`, { tenant, machines });

/** The policy that all of the machines share; null where they differ, or there is none. */
export function sharedPolicy(inForce: MachinePolicy[]): Policy | null {
  const [first, ...others] = inForce.map(({ unknown, reasons, minor_stop_s }) => ({
    unknown,
    reasons,
    minor_stop_s,
  }));
  return first && others.every((other) => Bun.deepEquals(other, first)) ? first : null;
}
