// The one calculation: CTEs composed to a WITH list that every query of states and figures starts with.
import day from "../cuts/day.sql" with { type: "text" };
import hour from "../cuts/hour.sql" with { type: "text" };
import none from "../cuts/none.sql" with { type: "text" };
import calendar from "./calendar.sql" with { type: "text" };
import counters from "./counters.sql" with { type: "text" };
import downtime from "./downtime.sql" with { type: "text" };
import gaps from "./gaps.sql" with { type: "text" };
import making from "./making.sql" with { type: "text" };
import policies from "./policies.sql" with { type: "text" };
import states from "./states.sql" with { type: "text" };
import timeline from "./timeline.sql" with { type: "text" };

/** How the clock cuts the timeline; `bucket` of each piece names the hour or day it is in. */
export type Clock = "none" | "hour" | "day";
const clocks: Record<Clock, string> = { none, hour, day };

/**
 * Puts a query's SELECT behind the CTEs it reads: `timeline`, and what that is made of. Each file is a list of CTEs;
 * the engine leaves out those that are not reached. (Nested parameterized views would read as well, but the engine
 * analyses each level again for the one above: 600 ms of planning for `timeline` alone.)
 *
 * Parameters: tenant String, machines Array(String), from_us Int64, end_us Int64.
 * @param more names the SELECT needs besides, e.g. a map of labels
 */
export const overTimeline = (select: string, clock: Clock, ...more: string[]): string =>
  `WITH\n${[states, calendar, clocks[clock], gaps, policies, downtime, counters, making, timeline, ...more].join(",\n")}\n${select}`;

/** A stretch of time over some machines of one tenant. */
export type Window = {
  tenant: string;
  machines: string[];
  from_us: number;
  to_us: number;
  /** Now: time after it has not happened, and is not part of any figure. */
  as_of_us: number;
};

/** The parameters of `timeline`: the window ends now at the latest, and never before it starts. */
export const timelineParams = ({ tenant, machines, from_us, to_us, as_of_us }: Window) => ({
  tenant,
  machines,
  from_us,
  end_us: Math.max(from_us, Math.min(to_us, as_of_us)),
});

/** ISO 8601 in UTC with six fractional digits. */
export function iso(ts_us: number): string {
  const ms = Math.floor(ts_us / 1_000);
  return new Date(ms).toISOString().replace("Z", `${String(ts_us - ms * 1_000).padStart(3, "0")}Z`);
}
