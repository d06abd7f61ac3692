// An installation's belongings on their way from one store to another: the log as it stands, and all that is beside it.
import type { EventHeader, EventType } from "../event.ts";
import type { Checkpoint } from "../sources/source.ts";
import type { ApiKey, Machine, OpenGap, User } from "./store.ts";

/** An event as it stands in a log. Its position comes along, so that the order and what was said of it stay. */
export type LoggedEvent = EventHeader & {
  position: number;
  rows: number;
  bytes: Uint8Array;
  dedupe_key: string | null;
  body_hash: string | null;
  /** Why the bus would not take it, and when that was. */
  aside: { error: string; time_ms: number } | null;
};

/** All that is beside the log; sessions stay behind: people sign in again. */
export type Belongings = {
  machines: Machine[];
  keys: ApiKey[];
  users: User[];
  checkpoints: Checkpoint[];
  open_gaps: OpenGap[];
};

/** What purge takes out of a log; all else is there for good. */
export const PURGED: readonly EventType[] = ["mtc.observations.v1", "mtc.asset.v1"];

/** What is changed of a machine is a row that knows no past. */
export const CONFIGURES: readonly EventType[] = [
  "mtc.machine.v1",
  "mtc.calendar.v1",
  "mtc.cycle_times.v1",
  "mtc.policy.v1",
];

/** What differs between two that should be the same event; "" where nothing does. */
export function differing(a: LoggedEvent, b: LoggedEvent): string {
  const { bytes, aside, ...plain } = a;
  for (const [name, value] of Object.entries(plain)) {
    if (b[name as keyof typeof plain] !== value) return name;
  }
  if (Buffer.compare(bytes, b.bytes) !== 0) return "bytes";
  return Bun.deepEquals(aside, b.aside) ? "" : "aside";
}
