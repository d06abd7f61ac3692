// The policies that figures are calculated by; every report prints them.
import type { Engine } from "../engine/engine.ts";
import sql from "./policies.sql" with { type: "text" };
import inForce from "./timeline/policies.sql" with { type: "text" };

export type Policy = {
  unknown: "loss" | "excluded";
  reasons: Record<string, "loss" | "excluded">;
  minor_stop_s: number;
};

/** @returns one policy for each machine, in order of machine_id @throws EngineError */
export const policies = (
  engine: Engine,
  { tenant, machines }: { tenant: string; machines: string[] },
): Promise<(Policy & { machine_id: string })[]> =>
  engine.query(`WITH ${inForce} ${sql}`, { tenant, machines });
