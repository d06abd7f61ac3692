// The one calculation: CTEs composed to a WITH list over events, from which the roll-up is made.
import automatic from "./automatic.sql" with { type: "text" };
import calendar from "./calendar.sql" with { type: "text" };
import counters from "./counters.sql" with { type: "text" };
import downtime from "./downtime.sql" with { type: "text" };
import gaps from "./gaps.sql" with { type: "text" };
import hours from "./hours.sql" with { type: "text" };
import making from "./making.sql" with { type: "text" };
import policies from "./policies.sql" with { type: "text" };
import states from "./states.sql" with { type: "text" };
import timeline from "./timeline.sql" with { type: "text" };

const SWEEP = [states, calendar, hours, gaps, policies, downtime, automatic, counters, making, timeline];

/**
 * Puts a query's SELECT behind the CTEs it reads: `timeline`, what that is made of, and `more`. Each file is a list of
 * CTEs. (Nested parameterized views would read as well, but the engine analyses each level again for the one above:
 * 600 ms of planning for `timeline` alone.)
 *
 * Parameters: tenant String, machines Array(String), from_us Int64, end_us Int64.
 */
export const overTimeline = (select: string, ...more: string[]): string =>
  `WITH\n${[...SWEEP, ...more].join(",\n")}\n${select}`;
