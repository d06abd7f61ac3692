// A copy of the embedded store: made while it is written to, and cut at a time.
import { Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import { encodeTime } from "ulid";
import type { GapData, ObservationColumns } from "../event.ts";
import { openGaps } from "../gaps.ts";
import { CONFIGURES } from "./moving.ts";
import type { SqliteReader } from "./sqlite-reader.ts";

const TYPES = CONFIGURES.map((type) => `'${type}'`).join();
/** What is told this long after its time was read late: its source was being caught up with. */
const LATE_MS = 60_000;
const decoder = new TextDecoder();

/**
 * What was received after a time (`receivedAfter`): by both. An agent that is far ahead takes the event's time along, and a host's
 * clock that was ahead for a moment the ids that come after.
 */
const RECEIVED_AFTER = "time_ms > ? AND id >= ?";
const receivedAfter = (until_ms: number): [number, string] => [until_ms, encodeTime(until_ms + 1, 10)];

/** Where a log stood when analytics began to be copied. */
export type Standing = { delivered: number; last: number; waiting: number };

/** @param delivered up to where analytics surely has what it was given */
export function standingOf(log: SqliteReader, delivered: number): Standing {
  const { last } = log.size();
  return { delivered, last, waiting: log.count(delivered, last) };
}

/**
 * Copies the log after analytics, so that nothing is in the one copy that the other does not know; what came meanwhile waits
 * in the copied outbox, and counts once (invariant 2).
 * @param before from before analytics was copied
 * @throws Error where something was purged meanwhile that may be in neither copy
 */
export function copyStore(log: SqliteReader, to: string, { delivered, last, waiting }: Standing): void {
  log.copyTo(to);
  withFile(to, (db) => {
    const { n } = db
      .query<{ n: number }, [number, number]>(
        "SELECT count(*) AS n FROM events WHERE position > ? AND position <= ?",
      )
      .get(delivered, last) ?? { n: 0 };
    if (n !== waiting)
      throw new Error("events were purged from the log before analytics was copied: back up again");
    setDelivered(db, delivered);
  });
}

/** From here on the log is delivered; all before it is in analytics, and on the disk. */
function setDelivered(db: Database, position: number): void {
  for (const name of ["relay", "settled"])
    db.run(
      "INSERT INTO watermark (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
      [name, position],
    );
}

export type Cut = { until_ms: number; whole_from_ms: number };

/**
 * Takes out of a copied log what it received after a time, and sets what follows from it back: all of it waits for analytics
 * anew, agents' buffers are read again from there on, and gaps are open that were. Keys and users are those of the copy.
 * @param cut.whole_from_ms times before this are not all in the log any more; 0 where nothing ever left it
 * @returns how many events were taken out
 * @throws Error where what was before cannot be told
 */
export function cutStore(file: string, { until_ms, whole_from_ms }: Cut): number {
  return withFile(file, (db) => {
    // Said in SQLite's own words where it is none.
    db.query("SELECT count(*) FROM sqlite_master").get();
    migrate(drizzle(db), { migrationsFolder: `${import.meta.dir}/migrations` });
    refuseChanges(db, until_ms);
    if (whole_from_ms > 0) refuseOld(db, until_ms, whole_from_ms);
    return db.transaction(() => {
      const gone = `position IN (SELECT position FROM events WHERE ${RECEIVED_AFTER})`;
      db.run(`DELETE FROM poison WHERE ${gone}`, receivedAfter(until_ms));
      const { changes } = db.run(`DELETE FROM events WHERE ${RECEIVED_AFTER}`, receivedAfter(until_ms));
      // Nothing is waited for that never comes.
      db.run(
        "UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(position), 0) FROM events) WHERE name = 'events'",
      );
      setDelivered(db, 0);
      openGapsAgain(db);
      setSourcesBack(db, until_ms);
      return changes;
    })();
  });
}

function refuseChanges(db: Database, until_ms: number): void {
  const changed = db
    .query<{ machine_id: string; time_ms: number }, [number, string]>(
      `SELECT machine_id, time_ms FROM events WHERE ${RECEIVED_AFTER} AND type IN (${TYPES})
       ORDER BY position LIMIT 1`,
    )
    .get(...receivedAfter(until_ms));
  if (changed)
    throw new Error(
      `the machine ${changed.machine_id} was made, changed or deleted at ${iso(changed.time_ms)}, and what it was before is not in this backup: take a later time, or a backup from before`,
    );
}

/** What is kept of days that the log does not hold whole cannot be told apart by when it came. */
function refuseOld(db: Database, until_ms: number, whole_from_ms: number): void {
  const rows = db
    .query<{ machine_id: string; bytes: Uint8Array }, [number, string]>(
      `SELECT machine_id, bytes FROM events WHERE ${RECEIVED_AFTER} AND type = 'mtc.observations.v1'`,
    )
    .iterate(...receivedAfter(until_ms));
  for (const { machine_id, bytes } of rows) {
    const { earliest_us } = spanOf_us(bytes);
    if (earliest_us < whole_from_ms * 1_000)
      throw new Error(
        `after that time ${machine_id} told something of ${iso(earliest_us / 1_000)}: days before ${iso(whole_from_ms)} are not all in the log any more, and stay as they are`,
      );
  }
}

function spanOf_us(observations: Uint8Array): { earliest_us: number; latest_us: number } {
  const { t0, dt } = (JSON.parse(decoder.decode(observations)) as { data: ObservationColumns }).data;
  let [earliest_us, latest_us] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const offset of dt) {
    earliest_us = Math.min(earliest_us, t0 + offset);
    latest_us = Math.max(latest_us, t0 + offset);
  }
  return { earliest_us, latest_us };
}

/**
 * Where a source was read to by then is not known: it is met as if it became ours at that time, or where contact was lost
 * before, or as far as it had told where it was being caught up with. What it still has counts once, and what it has no more is a gap since then (SPEC 5.4).
 */
function setSourcesBack(db: Database, until_ms: number): void {
  db.run("DELETE FROM checkpoints");
  const meet = db.query<unknown, [number, string]>(
    `UPDATE machines SET source_since_ms = max(source_since_ms, min(?1, coalesce(
       (SELECT min(from_us) / 1000 FROM open_gaps WHERE machine_id = id AND cause = 'unreachable'), ?1)))
     WHERE id = ?2`,
  );
  const late = lateOnes(db);
  const sourced = "SELECT id FROM machines WHERE json_extract(source, '$.kind') <> 'http'";
  for (const { id } of db.query<{ id: string }, []>(sourced).all()) meet.run(late.get(id) ?? until_ms, id);
}

/** @returns by machine that was being caught up with, how far it had told, ms */
function lateOnes(db: Database): Map<string, number> {
  const newest = db
    .query<{ machine_id: string; time_ms: number; bytes: Uint8Array }, []>(
      `SELECT machine_id, time_ms, bytes FROM events WHERE position IN (
         SELECT max(position) FROM events WHERE type = 'mtc.observations.v1' GROUP BY machine_id)`,
    )
    .all();
  const told = newest.map(({ machine_id, time_ms, bytes }) => {
    const told_ms = Math.floor(spanOf_us(bytes).latest_us / 1_000);
    return { machine_id, time_ms, told_ms };
  });
  const late = told.filter(({ time_ms, told_ms }) => time_ms - told_ms > LATE_MS);
  return new Map(late.map(({ machine_id, told_ms }) => [machine_id, told_ms]));
}

function openGapsAgain(db: Database): void {
  const rows = db
    .query<{ machine_id: string; bytes: Uint8Array }, []>(
      `SELECT machine_id, bytes FROM events
       WHERE type = 'mtc.gap.v1' AND machine_id IN (SELECT id FROM machines) ORDER BY position`,
    )
    .all();
  db.run("DELETE FROM open_gaps");
  for (const [machine_id, own] of Map.groupBy(rows, (row) => row.machine_id)) {
    const gaps = own.map(({ bytes }) => (JSON.parse(decoder.decode(bytes)) as { data: GapData }).data);
    for (const { from_us, cause } of openGaps(gaps))
      db.run("INSERT INTO open_gaps (machine_id, from_us, cause) VALUES (?, ?, ?)", [
        machine_id,
        from_us,
        cause,
      ]);
  }
}

function withFile<T>(file: string, work: (db: Database) => T): T {
  const db = new Database(file, { readwrite: true, strict: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
