// The log from one store to the other, and the two held against each other, byte for byte.
import type { MongoTarget } from "../../ingest/store/mongo/moving.ts";
import { type Belongings, differing, type LoggedEvent, PURGED } from "../../ingest/store/moving.ts";
import type { SqliteReader } from "../../ingest/store/sqlite-reader.ts";

/** One read, one write. */
const BATCH_EVENTS = 2_000;
const BATCH_BYTES = 16 * 1024 ** 2;
/** How often it says how far it is. */
const TOLD_MS = 5_000;

/** Where the log lies on both sides. */
export type Logs = { source: SqliteReader; target: MongoTarget; told(line: string): void };

/**
 * Whose log the target's is: of the events at its ends that the source still has, all are the source's.
 * @throws Error where they are another installation's, or where the target has gone on by itself
 */
export async function refuseStrangers({ source, target }: Logs): Promise<void> {
  const { last } = source.size();
  const ends = await target.ends();
  const beyond = ends.find(({ position }) => position > last);
  if (beyond)
    throw new Error(
      `the target has taken events of its own (at ${beyond.position}; this installation's log ends at ${last}): it is in use, and is left alone`,
    );
  const both = ends
    .map(({ position, id }) => ({ id, own: source.idAt(position) }))
    .filter(({ own }) => own !== undefined);
  if (ends.length > 0 && (both.length === 0 || both.some(({ id, own }) => id !== own)))
    throw new Error("the target's log is another installation's");
}

/**
 * Sends what the target does not have yet, in order. Cut off anywhere, it goes on where it was.
 * @param waits what analytics has still to be given
 * @returns how many events were sent
 */
export async function sendLog(logs: Logs, waits: (event: LoggedEvent) => boolean): Promise<number> {
  const { source, target, told } = logs;
  const { last } = source.size();
  await target.reserve(last, source.purgedBefore_ms());
  const progress = telling(told, last);
  let [at, sent] = [await target.last(), 0];
  for (;;) {
    const events = source.read(at, BATCH_EVENTS, BATCH_BYTES);
    const newest = events.at(-1);
    if (!newest) return sent;
    await target.take(events, waits);
    at = newest.position;
    sent += events.length;
    progress(`log: ${sent} events sent`, at);
  }
}

export type LogHeld = { events: number; bytes: number; differences: string[] };

/** @param max of differences that are told */
export async function holdLog({ source, target, told }: Logs, max: number): Promise<LogHeld> {
  const held: LogHeld = { events: 0, bytes: 0, differences: [] };
  const purged_before_ms = source.purgedBefore_ms();
  const { last } = source.size();
  const progress = telling(told, last);
  for (let at = 0; at < last && held.differences.length < max; ) {
    const shall = source.read(at, BATCH_EVENTS, BATCH_BYTES);
    const upto = shall.at(-1)?.position ?? last;
    const is = new Map((await target.read(at, upto)).map((event) => [event.position, event]));
    for (const event of shall) {
      const other = is.get(event.position);
      is.delete(event.position);
      held.events += 1;
      held.bytes += event.bytes.length;
      const what = other ? differing(event, other) : "the event is not there";
      if (what !== "")
        held.differences.push(`${event.machine_id}: log at ${event.position}, event ${event.id}: ${what}`);
    }
    // A source that ran on between two moves has purged what the first one took along.
    const strange = [...is.values()].filter(
      ({ type, time_ms }) => !(PURGED.includes(type) && time_ms < purged_before_ms),
    );
    for (const { position, id, machine_id } of strange)
      held.differences.push(`${machine_id}: log at ${position}, event ${id}: the source has none there`);
    at = upto;
    progress(`log: ${held.events} events held against each other`, at);
  }
  held.differences.splice(max);
  return held;
}

/** What is beside the log; the target may have more (an admin key of its own), once it has been started. */
export async function holdBelongings({
  source,
  target,
}: Logs): Promise<{ compared: number; differences: string[] }> {
  const [shall, is] = [source.belongings(), await target.belongings()];
  const differences: string[] = [];
  let compared = 0;
  for (const [kind, own] of Object.entries(shall) as [keyof Belongings, object[]][]) {
    const others: object[] = is[kind];
    for (const one of own) {
      compared += 1;
      if (!others.some((other) => Bun.deepEquals(one, other)))
        differences.push(`${kind}: ${nameOf(one)} is missing or another one`);
    }
  }
  return { compared, differences };
}

function nameOf(one: object): string {
  const { id, agent, machine_id } = one as { id?: string; agent?: string; machine_id?: string };
  return id ?? agent ?? machine_id ?? "";
}

function telling(told: (line: string) => void, last: number): (line: string, at: number) => void {
  let told_ms = performance.now();
  return (line, at) => {
    if (performance.now() - told_ms < TOLD_MS) return;
    told_ms = performance.now();
    told(`${line} (${Math.floor((100 * at) / last)} %)`);
  };
}
