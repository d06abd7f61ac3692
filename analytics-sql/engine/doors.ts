// The doors into analytics: which one takes an event, so that an insert plans the views of what it holds and no others.
import type { EventType, Stretch } from "../../ingest/event.ts";

/** Tables of schema/001_doors.sql. */
export type Door = "observations_in" | "entries_in";

const doorOf = (type: EventType): Door => (type === "mtc.observations.v1" ? "observations_in" : "entries_in");

/**
 * A stretch's own bytes by door (invariant 8), each event with the newline after it. They are copied only where events of
 * the other door, or of none that is meant, lie between them.
 */
export function byDoor({ bytes, events }: Stretch): { door: Door; lines: Uint8Array }[] {
  const own = Map.groupBy(events, ({ type }) => doorOf(type));
  return [...own].map(([door, some]) => ({ door, lines: linesOf(bytes, some) }));
}

function linesOf(bytes: Uint8Array, events: Stretch["events"]): Uint8Array {
  const whole = events.every(({ start }, i) => i === 0 || start === (events[i - 1]?.end ?? 0) + 1);
  if (whole) return bytes.subarray(events[0]?.start, (events.at(-1)?.end ?? 0) + 1);
  return Buffer.concat(events.map(({ start, end }) => bytes.subarray(start, end + 1)));
}
