// Where the time went: Pareto's list of what scheduled time was lost to.
import type { Engine } from "../engine/engine.ts";
import { byGrain, grainFor, judgedParams } from "./figures/judged.ts";
import sql from "./losses.sql" with { type: "text" };
import { type Policy, policies, sharedPolicy } from "./policies.ts";
import type { StateRow } from "./states.ts";
import type { Filtered } from "./window.ts";

export type LossRow = {
  state: StateRow["state"];
  /** The reason given, "" where there is none. */
  reason: string;
  /** Why the state is UNKNOWN, "" for any other. */
  cause: string;
  /** Which of the losses of an OEE row it adds to; "" where the policy excludes it. */
  loss: "breakdown" | "setup" | "minor" | "other" | "unknown" | "";
  excluded: boolean;
  /** Scheduled time. */
  seconds: number;
  /** Stretches of one state and reason that began in a shift, or went on when it began. */
  count: number;
  /** Of the time of all losses, and of their number: 0…1. */
  share: number | null;
  share_of_count: number | null;
};

export type LossReport = { policy: Policy | null; rows: LossRow[] };

const QUERY = byGrain(sql);

/**
 * Scheduled time without RUNNING, by state, reason and cause over all the window's machines, the largest first.
 * @param order by time lost, or by how often
 * @throws EngineError
 */
export async function losses(
  engine: Engine,
  window: Filtered,
  order: "time" | "count" = "time",
  policiesInForce = policies(engine, window),
): Promise<LossReport> {
  const inForce = await policiesInForce;
  const rows = await engine.query<LossRow>(QUERY[grainFor("coarse", window)], {
    ...judgedParams(window, inForce),
    by_count: order === "count",
  });
  return { policy: sharedPolicy(inForce), rows };
}
