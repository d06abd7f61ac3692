// The one calculation: CTEs composed to a WITH list that every query of states and figures starts with.
import noClock from "../cuts/no-clock.sql" with { type: "text" };
import noParts from "../cuts/no-parts.sql" with { type: "text" };
import calendar from "./calendar.sql" with { type: "text" };
import counters from "./counters.sql" with { type: "text" };
import downtime from "./downtime.sql" with { type: "text" };
import gaps from "./gaps.sql" with { type: "text" };
import making from "./making.sql" with { type: "text" };
import policies from "./policies.sql" with { type: "text" };
import states from "./states.sql" with { type: "text" };
import timeline from "./timeline.sql" with { type: "text" };

/**
 * Puts a query's SELECT behind the CTEs it reads: `timeline`, what that is made of, and `more`. Each file is a list of
 * CTEs; the engine leaves out those that are not reached. (Nested parameterized views would read as well, but the
 * engine analyses each level again for the one above: 600 ms of planning for `timeline` alone.)
 *
 * Parameters: tenant String, machines Array(String), from_us Int64, end_us Int64.
 * @param more CTEs and names the SELECT needs besides; `buckets` among them where the clock cuts the time
 */
export function overTimeline(select: string, ...more: string[]): string {
  return compose(select, [counters, making], more);
}

/** The same for a SELECT that reads states only: parts are counted nowhere, and nothing is made. */
export function overStates(select: string, ...more: string[]): string {
  return compose(select, [noParts], more);
}

function compose(select: string, parts: string[], more: string[]): string {
  const buckets = more.some((file) => /^buckets AS/m.test(file)) ? [] : [noClock];
  const files = [states, calendar, ...buckets, gaps, policies, downtime, ...parts, timeline, ...more];
  return `WITH\n${files.join(",\n")}\n${select}`;
}

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
  machines: [...new Set(machines)],
  from_us,
  end_us: Math.max(from_us, Math.min(to_us, as_of_us)),
});

/** ISO 8601 in UTC with six fractional digits. */
export function iso(ts_us: number): string {
  const ms = Math.floor(ts_us / 1_000);
  return new Date(ms).toISOString().replace("Z", `${String(ts_us - ms * 1_000).padStart(3, "0")}Z`);
}
