// The embedded store's work on SQLite, in its own thread: group commit, outbox, configuration.
import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { dirname } from "node:path";
import { and, eq, lt } from "drizzle-orm";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import type { EventType } from "../event.ts";
import type { Checkpoint } from "../sources/source.ts";
import { Trouble } from "../trouble.ts";
import { joinLines } from "./lines.ts";
import { hasRoom } from "./room.ts";
import * as schema from "./schema.ts";
import {
  type ApiKey,
  type Appended,
  type Commit,
  type Entry,
  type LogRange,
  type LogState,
  type LogStretch,
  type Machine,
  type NewEvent,
  type OpenGap,
  type OutboxBatch,
  type OutboxDepth,
  Overloaded,
  type Poison,
  type Session,
  type User,
} from "./store.ts";

export type SqliteOptions = {
  file: string;
  /** How much may wait for the bus before commits are refused (invariant 7). */
  max_outbox_bytes: number;
  /** How long the bus may take to have on disk what it took; without it ten minutes. */
  settle_ms?: number;
};

/** What the table of watermarks holds: two positions, until when the log was purged, and retention's time (ms since 1970). */
type Mark = "relay" | "settled" | "purged_ms" | "retention_ms";

type LogRow = { position: number; id: string; type: EventType; bytes: Uint8Array };

/** A commit that waits for its group's fsync. */
type Waiting = {
  commit: Commit;
  resolve: (appended: Appended[]) => void;
  reject: (error: unknown) => void;
};

/** How long a moved watermark may stay unwritten: what is lost of it in a crash is delivered again, which changes no figure. */
const WATERMARK_WRITE_MS = 1_000;
/** The engine does not fsync, and keeps merged parts for eight minutes: after ten the system has written them all. */
const SETTLE_MS = 10 * 60_000;
/** The shortest time observations are kept. */
const RETENTION_MIN_MS = 86_400_000;
/** Positions that one read of the log goes over at the most, so that commits are not kept waiting. */
const READ_POSITIONS = 20_000;
/** What is purged, of all types. */
const PURGED = "'mtc.observations.v1', 'mtc.asset.v1'";
/** What a transaction adds to the outbox: only of one that was committed it counts. */
type Counts = { events: number; bytes: number; newest: Map<string, number> };

/** How finely positions are remembered until they settle. */
const SETTLE_STEP_MS = 30_000;

/**
 * Runs in the store's thread. `commit` calls that arrive while an fsync is under way share the next one.
 * All other calls are rare and run at once.
 */
export class SqliteStore {
  readonly #folder: string;
  readonly #db: Database;
  readonly #orm: BunSQLiteDatabase<typeof schema>;
  readonly #insert: Statement;
  readonly #seen: Statement<{ id: string; body_hash: string }>;
  readonly #max_outbox_bytes: number;
  #group: Waiting[] = [];
  #watermark: number;
  #written_watermark: number;
  #outbox_bytes: number;
  #outbox_events: number;
  /** By tenant the newest event that was not delivered when this was opened, or that came since. */
  #newest = new Map<string, number>();
  readonly #trouble = new Trouble("store: the watermark was not written", (line) => console.error(line));
  readonly #timer: Timer;
  readonly #settle_ms: number;
  /** Where the watermark stood of late, oldest first. */
  #recent: { at_ms: number; position: number }[] = [];

  constructor(options: SqliteOptions) {
    this.#folder = dirname(options.file);
    this.#db = opened(options.file);
    // FULL: the WAL is fsynced before a commit returns (invariant 1).
    this.#db.run("PRAGMA synchronous = FULL");
    this.#db.run("PRAGMA wal_autocheckpoint = 4000");
    this.#orm = drizzle(this.#db, { schema });
    migrate(this.#orm, { migrationsFolder: `${import.meta.dir}/migrations` });
    this.#insert = this.#db.prepare(
      `INSERT INTO events (id, tenant_id, machine_id, type, time_ms, rows, bytes, dedupe_key, body_hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#seen = this.#db.prepare(
      "SELECT id, body_hash FROM events WHERE tenant_id = ? AND machine_id = ? AND dedupe_key = ?",
    );
    this.#max_outbox_bytes = options.max_outbox_bytes;
    this.#settle_ms = options.settle_ms ?? SETTLE_MS;
    this.#watermark = this.#written_watermark = this.#readPosition("relay");
    [this.#outbox_events, this.#outbox_bytes] = this.#measureOutbox();
    this.#findNewest();
    this.#notePurges();
    this.#timer = setInterval(() => this.#tick(), WATERMARK_WRITE_MS);
  }

  /** Resolves after the fsync of the group it shares; see {@link Store.commit}. */
  commit(commit: Commit): Promise<Appended[]> {
    if (commit.events.length > 0 && this.#outbox_bytes > this.#max_outbox_bytes) {
      throw new Overloaded(`the outbox holds ${this.#outbox_bytes} bytes that are not delivered yet`, 5);
    }
    this.#needRoom();
    return new Promise((resolve, reject) => {
      if (this.#group.length === 0) setImmediate(() => this.#flush());
      this.#group.push({ commit, resolve, reject });
    });
  }

  /**
   * What makes the store grow is refused a little before the disk is full: sessions, what is taken away and the watermark
   * have the rest of it. @throws an error as SQLite has for a full disk
   */
  #needRoom(): void {
    if (!hasRoom(this.#folder)) throw Object.assign(new Error("there is too little room"), FULL);
  }

  /** One transaction for the whole group; where that fails, one for each, so that none suffers for another. */
  #flush(): void {
    const group = this.#group;
    this.#group = [];
    try {
      const results = this.#transaction(group);
      group.forEach((waiting, i) => {
        waiting.resolve(results[i] as Appended[]);
      });
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const waiting of group) this.#flushAlone(waiting);
    }
  }

  #flushAlone(waiting: Waiting): void {
    try {
      waiting.resolve(this.#transaction([waiting])[0] as Appended[]);
    } catch (error) {
      waiting.reject(error);
    }
  }

  #transaction(group: Waiting[]): Appended[][] {
    const counts: Counts = { events: 0, bytes: 0, newest: new Map() };
    const results = this.#db.transaction(() => group.map(({ commit }) => this.#apply(commit, counts)))();
    this.#added(counts);
    return results;
  }

  #added({ events, bytes, newest }: Counts): void {
    this.#outbox_events += events;
    this.#outbox_bytes += bytes;
    for (const [tenant_id, position] of newest) this.#newest.set(tenant_id, position);
  }

  #apply(commit: Commit, counts: Counts): Appended[] {
    const { checkpoint, machine, open_gap, close_gaps = [] } = commit;
    const appended: Appended[] = [];
    for (const event of commit.events) {
      const before = appended.at(-1);
      if (event.derived && before && before.outcome !== "stored") {
        appended.push(before);
        continue;
      }
      appended.push(this.#append(event, counts));
    }
    if (checkpoint) {
      const { instance_id, next_sequence, known_us = null } = checkpoint;
      this.#orm
        .insert(schema.checkpoints)
        .values({ ...checkpoint, known_us })
        .onConflictDoUpdate({
          target: schema.checkpoints.agent,
          set: { instance_id, next_sequence, known_us },
        })
        .run();
    }
    if (machine) {
      this.#orm
        .insert(schema.machines)
        .values(machine)
        .onConflictDoUpdate({ target: schema.machines.id, set: machine })
        .run();
    }
    if (open_gap) this.#orm.insert(schema.openGaps).values(open_gap).onConflictDoNothing().run();
    for (const { machine_id, from_us, cause } of close_gaps) {
      const g = schema.openGaps;
      this.#orm
        .delete(g)
        .where(and(eq(g.machine_id, machine_id), eq(g.from_us, from_us), eq(g.cause, cause)))
        .run();
    }
    return appended;
  }

  #append({ header, bytes, rows, dedupe }: NewEvent, counts: Counts): Appended {
    if (dedupe) {
      const first = this.#seen.get(header.tenant_id, header.machine_id, dedupe.key);
      if (first) {
        const same = first.body_hash === dedupe.body_hash;
        return { outcome: same ? "duplicate" : "conflict", event_id: first.id };
      }
    }
    const values: SQLQueryBindings[] = [
      header.id,
      header.tenant_id,
      header.machine_id,
      header.type,
      header.time_ms,
      rows,
      bytes,
      dedupe?.key ?? null,
      dedupe?.body_hash ?? null,
    ];
    const { lastInsertRowid } = this.#insert.run(...values);
    counts.events += 1;
    counts.bytes += bytes.length;
    counts.newest.set(header.tenant_id, Number(lastInsertRowid));
    return { outcome: "stored", event_id: header.id };
  }

  checkpoint(agent: string): Checkpoint | undefined {
    const row = this.#orm.select().from(schema.checkpoints).where(eq(schema.checkpoints.agent, agent)).get();
    if (!row) return undefined;
    const { known_us, ...checkpoint } = row;
    return known_us === null ? checkpoint : { ...checkpoint, known_us };
  }

  openGaps(machine_id: string): OpenGap[] {
    const rows = this.#orm.select().from(schema.openGaps).where(eq(schema.openGaps.machine_id, machine_id));
    return rows.all() as OpenGap[];
  }

  /** Ids rise with positions but for a few that overtook each other: the newest is near the end, and no scan is needed. */
  lastEventId(): string | undefined {
    const newest = "SELECT id FROM events ORDER BY position DESC LIMIT 1000";
    return this.#get<{ id: string | null }>(`SELECT max(id) AS id FROM (${newest})`)?.id ?? undefined;
  }

  readOutbox(max_events: number, max_bytes: number): OutboxBatch {
    const rows = this.#db
      .prepare<LogRow, [number, number]>(
        `SELECT position, id, type, bytes FROM events
         WHERE position > ? AND position NOT IN (SELECT position FROM poison) ORDER BY position LIMIT ?`,
      )
      .iterate(this.#watermark, max_events);
    const taken: LogRow[] = [];
    let size = 0;
    for (const row of rows) {
      taken.push(row);
      size += row.bytes.length + 1;
      if (size >= max_bytes) break;
    }
    return joinLines(taken);
  }

  readLog({ after, upto, since_ms }: LogRange, max_events: number, max_bytes: number): LogStretch {
    const to = Math.min(upto, after + READ_POSITIONS);
    const rows = this.#db
      .prepare<LogRow & { rows: number }, [number, number, number]>(
        `SELECT position, id, type, rows, bytes FROM events
         WHERE position > ? AND position <= ? AND (time_ms >= ? OR type NOT IN (${PURGED}))
           AND position NOT IN (SELECT position FROM poison) ORDER BY position`,
      )
      .iterate(after, to, since_ms);
    const taken: (LogRow & { rows: number })[] = [];
    let size = 0;
    let full = false;
    for (const row of rows) {
      taken.push(row);
      size += row.bytes.length + 1;
      full = taken.length === max_events || size >= max_bytes;
      if (full) break;
    }
    const end = full ? taken.at(-1)?.position : undefined;
    return {
      ...joinLines(taken),
      to: end ?? to,
      rows: taken.reduce((sum, row) => sum + row.rows, 0),
    };
  }

  logState(): LogState {
    return {
      last: this.#last(),
      delivered: this.#watermark,
      purged_before_ms: this.#readPosition("purged_ms"),
    };
  }

  delivered(position: number): void {
    if (position <= this.#watermark) return;
    const [events, bytes] = this.#measureOutbox(position);
    this.#watermark = position;
    this.#outbox_events -= events;
    this.#outbox_bytes -= bytes;
  }

  rewind(to: "start" | "settled"): void {
    this.#watermark = to === "start" ? 0 : Math.min(this.#watermark, this.#readPosition("settled"));
    this.#recent = [];
    [this.#outbox_events, this.#outbox_bytes] = this.#measureOutbox();
    if (to === "settled") {
      // What is delivered again for safety's sake was in analytics before: nobody waits for it. A full disk is no reason not
      // to start: it is delivered again after the next start as well.
      this.#tick();
      return;
    }
    this.#findNewest();
    this.#writeWatermark();
  }

  /** It waits for nothing any more, and is no part of the outbox. */
  setAside(position: number, error: string): void {
    const [events, bytes] = position > this.#watermark ? this.#measureOutbox(position, position - 1) : [0, 0];
    const values = { position, error, time_ms: Date.now() };
    this.#orm.insert(schema.poison).values(values).onConflictDoNothing().run();
    this.#outbox_events -= events;
    this.#outbox_bytes -= bytes;
  }

  poison(tenant_id: string, max_events: number): Poison[] {
    return this.#db
      .query<Poison, [string, number]>(
        `SELECT position, id, machine_id, type, length(bytes) AS size_bytes, error, poison.time_ms AS time_ms
         FROM poison JOIN events USING (position) WHERE tenant_id = ? ORDER BY position LIMIT ?`,
      )
      .all(tenant_id, max_events);
  }

  poisonBytes(tenant_id: string, position: number): Uint8Array | undefined {
    return this.#get<{ bytes: Uint8Array }>(
      "SELECT bytes FROM poison JOIN events USING (position) WHERE tenant_id = ? AND position = ?",
      tenant_id,
      position,
    )?.bytes;
  }

  /** At the end of the log, since the watermark is past its old place. Order of arrival changes no figure (invariant 3). */
  retryPoison(tenant_id: string, position: number): boolean {
    return this.#db.transaction(() => {
      const values = this.#takeAside(tenant_id, position);
      if (!values) return false;
      const { lastInsertRowid } = this.#insert.run(...values);
      this.#newest.set(tenant_id, Number(lastInsertRowid));
      this.#outbox_events += 1;
      this.#outbox_bytes += (values[6] as Uint8Array).length;
      return true;
    })();
  }

  discardPoison(tenant_id: string, position: number): boolean {
    return this.#db.transaction(() => this.#takeAside(tenant_id, position) !== undefined)();
  }

  /** Out of the log, and of what was set aside. @returns its columns, as they are inserted */
  #takeAside(tenant_id: string, position: number): SQLQueryBindings[] | undefined {
    const row = this.#db
      .query<Record<string, SQLQueryBindings>, [string, number]>(
        `SELECT id, tenant_id, machine_id, type, events.time_ms, rows, bytes, dedupe_key, body_hash
         FROM events JOIN poison USING (position) WHERE tenant_id = ? AND position = ?`,
      )
      .get(tenant_id, position);
    if (!row) return undefined;
    this.#db.run("DELETE FROM events WHERE position = ?", [position]);
    this.#db.run("DELETE FROM poison WHERE position = ?", [position]);
    return Object.values(row);
  }

  outboxDepth(): OutboxDepth {
    const row = this.#get<{ time_ms: number }>(
      `SELECT time_ms FROM events
       WHERE position > ? AND position NOT IN (SELECT position FROM poison) ORDER BY position LIMIT 1`,
      this.#watermark,
    );
    return { events: this.#outbox_events, bytes: this.#outbox_bytes, oldest_ms: row?.time_ms ?? 0 };
  }

  ping(): void {
    this.#get("SELECT 1");
  }

  waiting(tenant_id: string): { first: number; last: number } | undefined {
    const last = this.#newest.get(tenant_id) ?? 0;
    return last > this.#watermark ? { first: this.#watermark + 1, last } : undefined;
  }

  #findNewest(): void {
    const rows = this.#db
      .query<{ tenant_id: string; last: number }, [number]>(
        `SELECT tenant_id, max(position) AS last FROM events
         WHERE position > ? AND position NOT IN (SELECT position FROM poison) GROUP BY tenant_id`,
      )
      .all(this.#watermark);
    this.#newest = new Map(rows.map(({ tenant_id, last }) => [tenant_id, last]));
  }

  /** A thousand at a time, so that commits are not kept waiting; call again while it returns more than 0. */
  purge(before_ms: number): number {
    return this.#db.transaction(() => {
      const { changes } = this.#db.run(
        `DELETE FROM events WHERE position IN (
           SELECT position FROM events
           WHERE time_ms < ? AND position <= ? AND type IN (${PURGED})
             AND position NOT IN (SELECT position FROM poison) LIMIT 1000)`,
        [before_ms, this.#watermark],
      );
      if (changes > 0) {
        this.#writePosition("purged_ms", Math.max(before_ms, this.#readPosition("purged_ms")));
      }
      return changes;
    })();
  }

  freeBytes(): number {
    const { freelist_count = 0 } = this.#get<{ freelist_count: number }>("PRAGMA freelist_count") ?? {};
    const { page_size = 0 } = this.#get<{ page_size: number }>("PRAGMA page_size") ?? {};
    return freelist_count * page_size;
  }

  retentionTime_ms(): number {
    return this.#readPosition("retention_ms");
  }

  noteRetentionTime(time_ms: number): void {
    this.#writePosition("retention_ms", Math.floor(time_ms));
  }

  /** A log whose purges were not noted yet: where events are missing, they were as old as any that are purged. */
  #notePurges(): void {
    if (this.#get("SELECT 1 FROM watermark WHERE name = 'purged_ms'")) return;
    const { events } = this.#get<{ events: number }>("SELECT count(*) AS events FROM events") ?? {
      events: 0,
    };
    this.#writePosition("purged_ms", events === this.#last() ? 0 : Date.now() - RETENTION_MIN_MS);
  }

  /** The position of the newest event there ever was. */
  #last(): number {
    return this.#get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.seq ?? 0;
  }

  entries(tenant_id: string, machine_id: string, type: EventType): Entry[] {
    return this.#db
      .query<Entry, [string, string, string]>(
        `SELECT id, time_ms, bytes, dedupe_key, body_hash FROM events
         WHERE tenant_id = ? AND machine_id = ? AND type = ?
           AND type NOT IN ('mtc.observations.v1', 'mtc.asset.v1') ORDER BY position`,
      )
      .all(tenant_id, machine_id, type);
  }

  machines(): Machine[] {
    return this.#orm.select().from(schema.machines).orderBy(schema.machines.name).all();
  }

  deleteMachine(tenant_id: string, id: string, event: NewEvent): void {
    this.#needRoom();
    const m = schema.machines;
    const counts: Counts = { events: 0, bytes: 0, newest: new Map() };
    this.#db.transaction(() => {
      this.#orm
        .delete(m)
        .where(and(eq(m.tenant_id, tenant_id), eq(m.id, id)))
        .run();
      this.#orm.delete(schema.openGaps).where(eq(schema.openGaps.machine_id, id)).run();
      this.#append(event, counts);
    })();
    this.#added(counts);
  }

  keys(): ApiKey[] {
    return this.#orm.select().from(schema.keys).orderBy(schema.keys.created_ms).all();
  }

  putKey(key: ApiKey): void {
    this.#needRoom();
    this.#orm.insert(schema.keys).values(key).onConflictDoUpdate({ target: schema.keys.id, set: key }).run();
  }

  deleteKey(tenant_id: string, id: string): boolean {
    const k = schema.keys;
    const gone = this.#orm
      .delete(k)
      .where(and(eq(k.tenant_id, tenant_id), eq(k.id, id)))
      .returning()
      .all();
    this.#endSessions(id);
    return gone.length > 0;
  }

  users(): User[] {
    return this.#orm.select().from(schema.users).orderBy(schema.users.created_ms).all();
  }

  putUser(user: User, ends_sessions: boolean): void {
    this.#needRoom();
    const { users } = schema;
    this.#db.transaction(() => {
      this.#orm.insert(users).values(user).onConflictDoUpdate({ target: users.id, set: user }).run();
      if (ends_sessions) this.#endSessions(user.id);
    })();
  }

  deleteUser(tenant_id: string, id: string): boolean {
    const { users } = schema;
    return this.#db.transaction(() => {
      const gone = this.#orm
        .delete(users)
        .where(and(eq(users.tenant_id, tenant_id), eq(users.id, id)))
        .returning()
        .all();
      if (gone.length > 0) this.#endSessions(id);
      return gone.length > 0;
    })();
  }

  #endSessions(holder_id: string): void {
    this.#orm.delete(schema.sessions).where(eq(schema.sessions.holder_id, holder_id)).run();
  }

  session(hash: string): Session | undefined {
    this.#orm.delete(schema.sessions).where(lt(schema.sessions.expires_ms, Date.now())).run();
    return this.#orm.select().from(schema.sessions).where(eq(schema.sessions.hash, hash)).get();
  }

  putSession(session: Session): void {
    this.#orm.insert(schema.sessions).values(session).run();
  }

  deleteSession(hash: string): boolean {
    const { sessions } = schema;
    return this.#orm.delete(sessions).where(eq(sessions.hash, hash)).returning().all().length > 0;
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#group.length > 0) this.#flush();
    try {
      this.#writeWatermark();
      this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      // A full disk: the log is whole as it is, and what was delivered of late is delivered again.
      console.error(`store: not tidied up: ${(error as Error).message}`);
    }
    this.#db.close();
  }

  /** An error must not leave a timer: it would end the thread. A full disk is tried again with the next tick. */
  #tick(): void {
    try {
      this.#writeWatermark();
      this.#settle(performance.now());
      this.#trouble.over();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }

  #writeWatermark(): void {
    if (this.#watermark === this.#written_watermark) return;
    this.#writePosition("relay", this.#watermark);
    this.#written_watermark = this.#watermark;
  }

  /** Notes where the watermark stood; what it passed SETTLE_MS ago is settled. The clock's time plays no part. */
  #settle(now_ms: number): void {
    if (now_ms - (this.#recent.at(-1)?.at_ms ?? -Infinity) >= SETTLE_STEP_MS) {
      this.#recent.push({ at_ms: now_ms, position: this.#watermark });
    }
    const old = this.#recent.findLast(({ at_ms }) => now_ms - at_ms >= this.#settle_ms);
    if (!old) return;
    this.#recent = this.#recent.slice(this.#recent.indexOf(old) + 1);
    if (old.position !== this.#readPosition("settled")) this.#writePosition("settled", old.position);
  }

  #readPosition(name: Mark): number {
    return (
      this.#get<{ position: number }>("SELECT position FROM watermark WHERE name = ?", name)?.position ?? 0
    );
  }

  #writePosition(name: Mark, position: number): void {
    this.#db.run(
      `INSERT INTO watermark (name, position) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET position = excluded.position`,
      [name, position],
    );
  }

  /** Events and bytes after the watermark, or after another position, up to `until`; without what was set aside. */
  #measureOutbox(until = Number.MAX_SAFE_INTEGER, after = this.#watermark): [number, number] {
    const row = this.#get<{ events: number; bytes: number | null }>(
      `SELECT count(*) AS events, sum(length(bytes)) AS bytes FROM events
       WHERE position > ? AND position <= ? AND position NOT IN (SELECT position FROM poison)`,
      after,
      until,
    );
    return [row?.events ?? 0, row?.bytes ?? 0];
  }

  #get<Row>(query: string, ...params: SQLQueryBindings[]): Row | null {
    return this.#db.query<Row, SQLQueryBindings[]>(query).get(...params);
  }
}

/** What SQLite says of a full disk. */
const FULL = { code: "SQLITE_FULL" };

/**
 * Opens the file. Where the disk has no room for the index that readers of the file share, this thread keeps one in
 * memory, and the file to itself.
 */
function opened(file: string): Database {
  try {
    return openedIn("NORMAL", file);
  } catch (error) {
    if ((error as { code?: string }).code !== "SQLITE_IOERR_SHMSIZE") throw error;
    return openedIn("EXCLUSIVE", file);
  }
}

function openedIn(locking_mode: "NORMAL" | "EXCLUSIVE", file: string): Database {
  const db = new Database(file, { create: true, strict: true });
  try {
    // Large pages: events are blobs of kilobytes.
    db.run("PRAGMA page_size = 16384");
    db.query(`PRAGMA locking_mode = ${locking_mode}`).get();
    db.run("PRAGMA journal_mode = WAL");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
