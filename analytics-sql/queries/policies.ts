// The policies that figures are calculated by; every report prints them.
import type { Engine } from "../engine/engine.ts";
import sql from "./policies.sql" with { type: "text" };
import reasons from "./reasons.sql" with { type: "text" };
import inForce from "./timeline/policies.sql" with { type: "text" };

export type Policy = {
  unknown: "loss" | "excluded";
  reasons: Record<string, "loss" | "excluded">;
  minor_stop_s: number;
};

export type MachinePolicy = Policy & {
  machine_id: string;
  /** `minor_stop_s` in whole µs, as the roll-up takes it. */
  minor_stop_us: number;
  /** Which loss a reason's time is, by its code; the same for all machines. */
  losses: Record<string, string>;
  /** The OEE that is aimed at, 0…1; 0 where none is set. It changes no figure. */
  target_oee: number;
  /** Any ideal cycle time is listed for the machine. */
  ideal_listed: 0 | 1;
};

type Tree = { code: string[]; treatment: ("loss" | "excluded")[]; loss: string[] };

/** The machines' own policies, without the tree of reasons; in their order. @throws EngineError */
export const ownPolicies = (
  engine: Engine,
  { tenant, machines }: { tenant: string; machines: string[] },
): Promise<Omit<MachinePolicy, "losses">[]> => engine.query(`WITH ${inForce} ${sql}`, { tenant, machines });

/**
 * How reasons are treated: by the tenant's tree, and by the machine's own policy where that says otherwise.
 * @returns one policy for each machine, in their order
 * @throws EngineError
 */
export async function policies(
  engine: Engine,
  { tenant, machines }: { tenant: string; machines: string[] },
): Promise<MachinePolicy[]> {
  const [own, [tree]] = await Promise.all([
    ownPolicies(engine, { tenant, machines }),
    engine.query<Tree>(reasons, { tenant }),
  ]);
  const { code = [], treatment = [], loss = [] } = tree ?? {};
  const byTree = Object.fromEntries(code.map((one, i) => [one, treatment[i] ?? "loss"]));
  const losses = Object.fromEntries(code.flatMap((one, i) => (loss[i] ? [[one, loss[i]]] : [])));
  return own.map((policy) => ({ ...policy, reasons: { ...byTree, ...policy.reasons }, losses }));
}

/** The policy that all of the machines share; null where they differ, or there is none. */
export function sharedPolicy(inForce: MachinePolicy[]): Policy | null {
  const [first, ...others] = inForce.map(({ unknown, reasons, minor_stop_s }) => ({
    unknown,
    reasons,
    minor_stop_s,
  }));
  return first && others.every((other) => Bun.deepEquals(other, first)) ? first : null;
}

/** The target that all of the machines share; null where they differ, or there is none. */
export function sharedTarget(inForce: MachinePolicy[]): number | null {
  const [target = 0, ...others] = new Set(inForce.map(({ target_oee }) => target_oee));
  return target === 0 || others.length > 0 ? null : target;
}
