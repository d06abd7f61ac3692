// The embedded store as it lies on the disk, for whoever takes it elsewhere: reads, and never writes.
import { Database, type SQLQueryBindings } from "bun:sqlite";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import journal from "./migrations/meta/_journal.json" with { type: "json" };
import type { Belongings, LoggedEvent } from "./moving.ts";
import * as schema from "./schema.ts";
import type { OpenGap } from "./store.ts";

type Row = Omit<LoggedEvent, "aside"> & { error: string | null; aside_ms: number | null };

export type LogSize = { events: number; bytes: number; last: number };

/** A server of the installation may run, for `copyTo` and what is about one moment; all else wants it to stand still. */
export class SqliteReader {
  readonly #db: Database;
  readonly #orm: BunSQLiteDatabase<typeof schema>;

  /** @throws Error where there is no log, or one of another release */
  constructor(file: string) {
    this.#db = new Database(file, { readonly: true, strict: true });
    this.#orm = drizzle(this.#db, { schema });
    const made = this.#get<{ n: number }>("SELECT count(*) AS n FROM __drizzle_migrations")?.n ?? 0;
    if (made === journal.entries.length) return;
    this.#db.close();
    throw new Error(
      `${file} is of another release: start the server of this one on it once, which brings it up to date, and stop it`,
    );
  }

  /** What was purged was taken before this time; 0 where nothing ever was. */
  purgedBefore_ms(): number {
    return this.#mark("purged_ms");
  }

  /** Up to where analytics has taken it. */
  delivered(): number {
    return this.#mark("relay");
  }

  /** Events at positions in (after, upto]. */
  count(after: number, upto: number): number {
    const counted = "SELECT count(*) AS n FROM events WHERE position > ? AND position <= ?";
    return this.#get<{ n: number }>(counted, after, upto)?.n ?? 0;
  }

  /** How large the file is, and a copy of it at the most. */
  bytes(): number {
    const { page_count = 0 } = this.#get<{ page_count: number }>("PRAGMA page_count") ?? {};
    const { page_size = 0 } = this.#get<{ page_size: number }>("PRAGMA page_size") ?? {};
    return page_count * page_size;
  }

  /** All of the store at one moment, as a file that is not there yet; a server may go on to write meanwhile. */
  copyTo(file: string): void {
    this.#db.run("VACUUM INTO ?", [file]);
  }

  /** Up to where analytics surely has on the disk what it was given. */
  settled(): number {
    return Math.min(this.#mark("settled"), this.#mark("relay"));
  }

  /** The newest position there ever was, and what is left. */
  size(): LogSize {
    const { events = 0, bytes = 0 } =
      this.#get<{ events: number; bytes: number | null }>(
        "SELECT count(*) AS events, sum(length(bytes)) AS bytes FROM events",
      ) ?? {};
    const last = this.#get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.seq;
    return { events, bytes: bytes ?? 0, last: last ?? 0 };
  }

  /** The next events after a position, in order; none at the end. */
  read(after: number, max_events: number, max_bytes: number): LoggedEvent[] {
    const rows = this.#db
      .prepare<Row, [number, number]>(
        `SELECT position, id, type, tenant_id, machine_id, events.time_ms AS time_ms, rows, bytes, dedupe_key, body_hash,
           poison.error AS error, poison.time_ms AS aside_ms
         FROM events LEFT JOIN poison USING (position) WHERE position > ? ORDER BY position LIMIT ?`,
      )
      .iterate(after, max_events);
    const taken: LoggedEvent[] = [];
    let size = 0;
    for (const { error, aside_ms, ...event } of rows) {
      taken.push({ ...event, aside: error === null ? null : { error, time_ms: aside_ms ?? 0 } });
      size += event.bytes.length;
      if (size >= max_bytes) break;
    }
    return taken;
  }

  /** @returns the event's id; undefined where nothing stands there (any more) */
  idAt(position: number): string | undefined {
    return this.#get<{ id: string }>("SELECT id FROM events WHERE position = ?", position)?.id;
  }

  belongings(): Belongings {
    const { machines, keys, users, checkpoints, openGaps } = schema;
    return {
      machines: this.#orm.select().from(machines).orderBy(machines.id).all(),
      keys: this.#orm.select().from(keys).orderBy(keys.id).all(),
      users: this.#orm.select().from(users).orderBy(users.id).all(),
      checkpoints: this.#orm
        .select()
        .from(checkpoints)
        .orderBy(checkpoints.agent)
        .all()
        .map(({ known_us, ...checkpoint }) => (known_us === null ? checkpoint : { ...checkpoint, known_us })),
      open_gaps: this.#orm
        .select()
        .from(openGaps)
        .orderBy(openGaps.machine_id, openGaps.from_us, openGaps.cause)
        .all() as OpenGap[],
    };
  }

  close(): void {
    this.#db.close();
  }

  #mark(name: string): number {
    return (
      this.#get<{ position: number }>("SELECT position FROM watermark WHERE name = ?", name)?.position ?? 0
    );
  }

  #get<T>(query: string, ...params: SQLQueryBindings[]): T | null {
    return this.#db.query<T, SQLQueryBindings[]>(query).get(...params);
  }
}
