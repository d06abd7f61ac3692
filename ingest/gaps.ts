// Which gaps of a machine are open, as its events in the log tell.
import type { GapData } from "./event.ts";

/** @param gaps all of one machine's. Once any event of its key gave an end, a gap is closed. */
export function openGaps(gaps: GapData[]): GapData["gap"][] {
  const keyOf = ({ from_us, cause }: GapData["gap"]): string => `${from_us} ${cause}`;
  const closed = new Set(gaps.filter(({ gap }) => gap.to_us !== 0).map(({ gap }) => keyOf(gap)));
  const open = gaps.filter(({ gap }) => !closed.has(keyOf(gap))).map(({ gap }) => [keyOf(gap), gap] as const);
  return [...new Map(open).values()];
}
