// A machine that is made again under the id of a deleted one begins anew: what the log still says of the old one ends here.
import { NO_CALENDAR } from "../../../ingest/calendar.ts";
import type { CycleTimesData, EventData, EventType, GapData } from "../../../ingest/event.ts";
import { openGaps } from "../../../ingest/gaps.ts";
import type { Machine, Store } from "../../../ingest/store/store.ts";
import { DEFAULT_POLICY } from "./model.ts";

const decoder = new TextDecoder();

/**
 * The events that end it at `now_us`; none where the id is new. Gaps nobody closed are closed; the calendar and the cycle
 * times hold for the time before; a policy knows no time, so it is the default again. Asked of the log and not of the
 * store's open gaps: those went with the machine, and a collector may have said something after that.
 */
export async function endingsOf(
  store: Pick<Store, "entries">,
  { tenant_id, id }: Machine,
  now_us: number,
): Promise<[EventType, EventData][]> {
  const said = async <Data>(type: EventType): Promise<Data[]> =>
    (await store.entries(tenant_id, id, type)).map(
      ({ bytes }) => (JSON.parse(decoder.decode(bytes)) as { data: Data }).data,
    );
  if ((await said("mtc.machine.v1")).length === 0) return [];
  const endings: [EventType, EventData][] = openGaps(await said<GapData>("mtc.gap.v1")).map((gap) => [
    "mtc.gap.v1",
    { gap: { ...gap, to_us: Math.max(gap.from_us, now_us), detail: "the machine was made again" } },
  ]);
  if ((await said("mtc.calendar.v1")).length > 0) {
    endings.push(["mtc.calendar.v1", { calendar: NO_CALENDAR, valid_from_us: now_us }]);
  }
  const times = (await said<CycleTimesData>("mtc.cycle_times.v1")).at(-1);
  if (times && times.cycle_times.part.length > 0) {
    endings.push(["mtc.cycle_times.v1", ended(times, now_us)]);
  }
  if ((await said("mtc.policy.v1")).length > 0) endings.push(["mtc.policy.v1", { policy: DEFAULT_POLICY }]);
  return endings;
}

/** The list as it was, without a row from `now_us` on: an ideal cycle of 0 is none. */
function ended({ cycle_times: { part, valid_from_us, ideal_cycle_s } }: CycleTimesData, now_us: number) {
  // A row that was to hold later is the old machine's as well.
  const kept = part.flatMap((_, i) => ((valid_from_us[i] ?? 0) < now_us ? [i] : []));
  const parts = [...new Set(part)];
  return {
    cycle_times: {
      part: [...kept.map((i) => part[i] ?? ""), ...parts],
      valid_from_us: [...kept.map((i) => valid_from_us[i] ?? 0), ...parts.map(() => now_us)],
      ideal_cycle_s: [...kept.map((i) => ideal_cycle_s[i] ?? 0), ...parts.map(() => 0)],
    },
  };
}
