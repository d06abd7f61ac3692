// For tests and benches: events as the bus and the engine take them, and what is in them.
import { type EventType, headerOf, type Stretch } from "../event.ts";

const decoder = new TextDecoder();
/** An event's type stands near its start; of what is none of ours, observations are as good as any. */
const typeOf = (event: Uint8Array): EventType =>
  (/"type":"([\w.]+)"/.exec(decoder.decode(event.subarray(0, 300)))?.[1] ??
    "mtc.observations.v1") as EventType;

/** @param lines an event each, the newline after it included, if there is one */
export function joined(lines: Uint8Array[]): Stretch {
  const events: Stretch["events"][number][] = [];
  let at = 0;
  for (const line of lines) {
    const next = at + line.length;
    events.push({ start: at, end: line.at(-1) === 0x0a ? next - 1 : next, type: typeOf(line) });
    at = next;
  }
  return { bytes: new Uint8Array(Buffer.concat(lines)), events };
}

/** Each event's own bytes. */
export const each = ({ bytes, events }: Stretch): Uint8Array[] =>
  events.map(({ start, end }) => bytes.subarray(start, end));

export const idsOf = (stretch: Stretch): string[] => each(stretch).map((event) => headerOf(event).id);
