// The stops of a shift as an operator thinks of them: from the end of one run to the next.
import { iso } from "../../../analytics-sql/queries/window.ts";
import type { LiveMachine } from "../../../ingest/live/live.ts";
import type { StateRow, Stop } from "../../../views/model.ts";

/** Shorter ones are not asked about, once they are over. */
const MIN_S = 60;
const MAX_STOPS = 5;

/** A reason that was given, whether the states know of it yet or not; `to` null while it holds. */
type Given = { from: string; to: string | null; reason: string };

/**
 * Time in which nothing is known is a stop of its own, and none where nothing was known yet.
 * @param states of the shift so far, oldest first
 * @param given reasons, oldest first
 * @param live what the machine does now
 * @returns newest first: the one that goes on, whether it has a reason or not, and those of a minute or more without one
 */
export function stopsOf(
  states: readonly StateRow[],
  given: readonly Given[],
  live: Pick<LiveMachine, "state" | "since_us">,
  now_ms: number,
): Stop[] {
  const rows = upToNow(states, live, iso(now_ms * 1_000));
  const stops: StateRow[][] = [];
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (row.state === "RUNNING" || row.cause === "no_data") return;
    const begins = !before || kindOf(before) !== kindOf(row);
    if (begins) stops.push([]);
    stops.at(-1)?.push(row);
  });
  return stops
    .map((rows_) => stopOf(rows_, rows_.at(-1) === rows.at(-1), given))
    .reverse()
    .filter(({ stop, seconds }) => stop.to === null || (stop.reason === "" && seconds >= MIN_S))
    .slice(0, MAX_STOPS)
    .map(({ stop }) => stop);
}

const kindOf = ({ state, cause }: StateRow): string =>
  state === "RUNNING" || cause === "no_data" ? "no stop" : state === "UNKNOWN" ? "unknown" : "stop";

/** The states are some seconds old; what the machine does now is known already. */
function upToNow(
  states: readonly StateRow[],
  { state, since_us }: Pick<LiveMachine, "state" | "since_us">,
  now: string,
): StateRow[] {
  const since = iso(since_us);
  if (since_us === 0 || states.some(({ from }) => from >= since)) return [...states];
  const before = states
    .filter(({ from }) => from < since)
    .map((row) => ({ ...row, to: earlier(row.to, since) }));
  const seconds = (Date.parse(now) - Date.parse(since)) / 1_000;
  return [...before, { state, from: since, to: now, seconds, reason: "", cause: "" }];
}

const earlier = (a: string, b: string): string => (a < b ? a : b);

function stopOf(
  rows: readonly StateRow[],
  goes_on: boolean,
  given: readonly Given[],
): { stop: Stop; seconds: number } {
  const [first] = rows as [StateRow];
  const longest = rows.reduce((most, row) => (row.seconds > most.seconds ? row : most), first);
  const last = rows.at(-1)?.to ?? first.to;
  const covers = ({ from, to }: Given) => from <= first.from && (to === null || to >= last);
  const reason = given.findLast(covers)?.reason ?? first.reason ?? "";
  return {
    stop: {
      from: first.from,
      to: goes_on ? null : last,
      state: longest.state,
      reason: given.some(covers) || rows.every((row) => row.reason === reason) ? reason : "",
    },
    seconds: rows.reduce((sum, row) => sum + row.seconds, 0),
  };
}
