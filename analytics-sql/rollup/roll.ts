// Rolls days of machines up: the sweep over their events, kept as the pieces of each day.
import type { Engine } from "../engine/engine.ts";
import { BACKGROUND_NICE } from "../engine/settings.ts";
import { overTimeline } from "../queries/timeline/timeline.ts";
import behind_ from "./behind.sql" with { type: "text" };
import firstDays_ from "./first-days.sql" with { type: "text" };
import names from "./names.sql" with { type: "text" };
import pieces from "./pieces.sql" with { type: "text" };
import roll_ from "./roll.sql" with { type: "text" };
import rolled_ from "./rolled.sql" with { type: "text" };
import runStarts_ from "./run-starts.sql" with { type: "text" };

/** How far a machine is rolled up, µs, and what was touched since. */
export type Standing = {
  machine_id: string;
  version: number;
  rolled_from_us: number;
  rolled_to_us: number;
  /** What had arrived by then is in it. */
  since_us: number;
  touched: boolean;
  touched_us: number;
  counters_us: number;
};

type Machines = { tenant: string; machines: string[] };

/** @returns a row for each machine that was ever rolled up @throws EngineError */
export const standings = (engine: Engine, query: Machines & { now_us: number }): Promise<Standing[]> =>
  engine.query<Standing>(behind_, query);

/** @param query.counters_us for each machine @returns by machine the day from which its counter must be judged again */
export async function runStarts(
  engine: Engine,
  query: Machines & { counters_us: number[] },
): Promise<Map<string, number>> {
  const earliest_us = Math.min(...query.counters_us);
  const rows = await engine.query<{ machine_id: string; day_us: number }>(runStarts_, {
    ...query,
    earliest_us,
  });
  return new Map(rows.map(({ machine_id, day_us }) => [machine_id, day_us]));
}

/** @returns by machine the first day (UTC) on which anything is known of it @throws EngineError */
export async function firstDays(engine: Engine, query: Machines): Promise<Map<string, number>> {
  const rows = await engine.query<{ machine_id: string; day_us: number }>(firstDays_, query);
  return new Map(rows.map(({ machine_id, day_us }) => [machine_id, day_us]));
}

const ROLL = `INSERT INTO mtc.machine_days ${overTimeline(roll_, names, pieces)}`;
const ROLL_BEHIND = `${ROLL}\nSETTINGS os_threads_nice_value_query = ${BACKGROUND_NICE}`;

export type Days = Machines & {
  version: number;
  /** The days: from a midnight of UTC to another, or to now. */
  first_us: number;
  last_us: number;
  /** Now: no time after it is rolled up. */
  as_of_us: number;
  /** The longest minor stop of the machines: how far a stop must be looked at beyond the days. */
  margin_us: number;
  /** Nobody waits for it: it steps back for those who do. */
  background: boolean;
};

/** Writes the days anew. @throws EngineError; what was written of it does no harm, until `rolled` it is done again */
export const roll = (engine: Engine, { margin_us, as_of_us, background, ...days }: Days): Promise<void> =>
  engine.run(background ? ROLL_BEHIND : ROLL, {
    ...days,
    from_us: days.first_us - margin_us - 1,
    end_us: Math.min(days.last_us + margin_us, as_of_us),
  });

/** Notes how far machines are rolled up now. @throws EngineError */
export const rolled = (
  engine: Engine,
  note: Machines & { version: number; since_us: number[]; rolled_from_us: number[]; rolled_to_us: number[] },
): Promise<void> => engine.run(rolled_, note);
