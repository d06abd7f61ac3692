// Events as one buffer of lines, the way the bus takes them.
import type { EventType } from "../event.ts";
import type { OutboxBatch } from "./store.ts";

/** Copies events behind each other, a newline after each. */
export function joinLines(
  rows: { position: number; id: string; type: EventType; bytes: Uint8Array }[],
): OutboxBatch {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + row.bytes.length + 1, 0));
  const events: OutboxBatch["events"] = [];
  let at = 0;
  for (const { position, id, type, bytes: own } of rows) {
    bytes.set(own, at);
    const end = at + own.length;
    bytes[end] = 0x0a;
    events.push({ position, id, type, start: at, end });
    at = end + 1;
  }
  return { bytes, events };
}
