// A SQLite store that is made of another store's log, in order, with what is beside it.
import { Database, type SQLQueryBindings } from "bun:sqlite";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import type { Belongings, LoggedEvent } from "./moving.ts";
import * as schema from "./schema.ts";

/** How far the log is delivered, its newest position, until when it was purged, and retention's time. */
export type Marks = { delivered: number; last: number; purged_before_ms: number; retention_ms: number };

/** Nothing of it is on the disk for sure before whoever made it says so. */
export class SqliteFilling {
  readonly #db: Database;
  readonly #orm: BunSQLiteDatabase<typeof schema>;

  /** @param file that is not there yet */
  constructor(file: string) {
    this.#db = new Database(file, { create: true, readwrite: true, strict: true });
    this.#db.run("PRAGMA page_size = 16384");
    this.#db.run("PRAGMA synchronous = OFF");
    this.#orm = drizzle(this.#db, { schema });
    migrate(this.#orm, { migrationsFolder: `${import.meta.dir}/migrations` });
  }

  /** Puts events behind those that are there. */
  take(events: readonly LoggedEvent[]): void {
    const event = this.#db.query<unknown, SQLQueryBindings[]>(
      `INSERT INTO events (position, id, type, tenant_id, machine_id, time_ms, rows, bytes, dedupe_key, body_hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const poison = this.#db.query<unknown, SQLQueryBindings[]>(
      "INSERT INTO poison (position, error, time_ms) VALUES (?, ?, ?)",
    );
    this.#db.transaction(() => {
      for (const { aside, position, bytes, dedupe_key, body_hash, ...header } of events) {
        const { id, type, tenant_id, machine_id, time_ms, rows } = header;
        event.run(position, id, type, tenant_id, machine_id, time_ms, rows, bytes, dedupe_key, body_hash);
        if (aside) poison.run(position, aside.error, aside.time_ms);
      }
    })();
  }

  /** What is beside the log, and how it stands. */
  settle({ machines, keys, users, checkpoints, open_gaps }: Belongings, marks: Marks): void {
    this.#db.transaction(() => {
      for (const one of machines) this.#orm.insert(schema.machines).values(one).run();
      for (const one of keys) this.#orm.insert(schema.keys).values(one).run();
      for (const one of users) this.#orm.insert(schema.users).values(one).run();
      for (const one of checkpoints) this.#orm.insert(schema.checkpoints).values(one).run();
      for (const one of open_gaps) this.#orm.insert(schema.openGaps).values(one).run();
      const { delivered, last, purged_before_ms, retention_ms } = marks;
      const positions = { relay: delivered, settled: delivered, purged_ms: purged_before_ms, retention_ms };
      for (const [name, position] of Object.entries(positions))
        this.#orm.insert(schema.watermark).values({ name, position }).run();
      // What was purged at its end has had its positions all the same.
      this.#db.run("DELETE FROM sqlite_sequence WHERE name = 'events'");
      this.#db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", [last]);
    })();
  }

  close(): void {
    this.#db.close();
  }
}
