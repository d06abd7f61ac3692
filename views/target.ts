// How many good parts a shift should have by now.
import type { OeeRow, PartsTarget } from "./model.ts";

/**
 * The good parts that an OEE of `target_oee` would have made of the same planned time: with what was made so far, at its
 * own mix of ideal cycles (good × target / OEE); where nothing was made yet, at the current part's.
 * @param target_oee 0…1; without one all that was possible stands for it
 * @param ideal_cycle_s of the part being made now, null where none is known
 * @returns unrounded; null where no ideal cycle is known
 */
export function partsTarget(
  row: OeeRow | null,
  { target_oee, ideal_cycle_s }: { target_oee: number | null; ideal_cycle_s: number | null },
): PartsTarget | null {
  if (!row) return null;
  const aim = target_oee ?? 1;
  const kind = target_oee === null ? "possible" : "target";
  const [good, oee] = [row.good_count ?? 0, row.oee ?? 0];
  if (good > 0 && oee > 0) return { parts: (good * aim) / oee, kind };
  // Good parts without an OEE have no ideal cycle: what they would have taken is not known.
  if (good > 0 || !ideal_cycle_s) return null;
  return { parts: (row.planned_time_s / ideal_cycle_s) * aim, kind };
}

type CycleTime = { part?: string; valid_from: string; ideal_cycle_s: number };

/** The ideal cycle in force: the part's own with the latest `valid_from`, else the one for any part; null for none. */
export function idealCycle(cycle_times: readonly CycleTime[], part: string, now_ms: number): number | null {
  const inForce = (of: string) =>
    cycle_times
      .filter((time) => (time.part ?? "") === of && Date.parse(time.valid_from) <= now_ms)
      .toSorted((a, b) => Date.parse(a.valid_from) - Date.parse(b.valid_from))
      .at(-1)?.ideal_cycle_s;
  return inForce(part) ?? inForce("") ?? null;
}
