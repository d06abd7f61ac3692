// For tests and benches: events as the bus and the engine take them, and what is in them.
import { type EventType, headerOf, type Stretch } from "../event.ts";

const NEWLINE = Buffer.from("\n");
const decoder = new TextDecoder();
/** An event's type stands near its start; of what is none of ours, observations are as good as any. */
const typeOf = (event: Uint8Array): EventType =>
  (/"type":"([\w.]+)"/.exec(decoder.decode(event.subarray(0, 300)))?.[1] ??
    "mtc.observations.v1") as EventType;

/** @param events each with or without the newline after it */
export function joined(events: Uint8Array[]): Stretch {
  const lines = events.map((event) => (event.at(-1) === 0x0a ? event : Buffer.concat([event, NEWLINE])));
  let at = 0;
  const places = lines.map((line) => ({ start: at, end: (at += line.length) - 1, type: typeOf(line) }));
  return { bytes: new Uint8Array(Buffer.concat(lines)), events: places };
}

/** Each event's own bytes. */
export const each = ({ bytes, events }: Stretch): Uint8Array[] =>
  events.map(({ start, end }) => bytes.subarray(start, end));

export const idsOf = (stretch: Stretch): string[] => each(stretch).map((event) => headerOf(event).id);
