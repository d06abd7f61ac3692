// The tables of the embedded store, for drizzle. `bun run migrations` writes the difference into migrations/.
import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Rules } from "../rules.ts";
import type { Role } from "./store.ts";

/** The log: every event ever acknowledged, in commit order. What lies after the watermark is the outbox. */
export const events = sqliteTable(
  "events",
  {
    position: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    tenant_id: text().notNull(),
    machine_id: text().notNull(),
    type: text().notNull(),
    time_ms: integer().notNull(),
    rows: integer().notNull(),
    bytes: blob({ mode: "buffer" }).notNull(),
    dedupe_key: text(),
    body_hash: text(),
  },
  (t) => [
    uniqueIndex("events_dedupe")
      .on(t.tenant_id, t.machine_id, t.dedupe_key)
      .where(sql`dedupe_key IS NOT NULL`),
    index("events_time").on(t.time_ms),
    index("events_entries")
      .on(t.tenant_id, t.machine_id, t.type)
      .where(sql`type NOT IN ('mtc.observations.v1', 'mtc.asset.v1')`),
  ],
);

/** How far the relay has delivered, how far that is settled, until when the log was purged, and retention's time. */
export const watermark = sqliteTable("watermark", {
  name: text().primaryKey(),
  position: integer().notNull(),
});

/** Events the bus would not take. */
export const poison = sqliteTable("poison", {
  position: integer().primaryKey(),
  error: text().notNull(),
  time_ms: integer().notNull(),
});

export const checkpoints = sqliteTable("checkpoints", {
  agent: text().primaryKey(),
  instance_id: text().notNull(),
  next_sequence: integer().notNull(),
  known_us: integer(),
});

export const openGaps = sqliteTable(
  "open_gaps",
  { machine_id: text().notNull(), from_us: integer().notNull(), cause: text().notNull() },
  (t) => [primaryKey({ columns: [t.machine_id, t.from_us, t.cause] })],
);

/** Ids are unique over all tenants: they are Kafka's keys and the collectors' names. */
export const machines = sqliteTable("machines", {
  id: text().primaryKey(),
  tenant_id: text().notNull(),
  name: text().notNull(),
  group: text().notNull().default(""),
  source: text({ mode: "json" }),
  calendar: text({ mode: "json" }),
  cycle_times: text({ mode: "json" }),
  policy: text({ mode: "json" }),
  rules: text({ mode: "json" }).$type<Rules>().notNull().default([]),
  demo: integer({ mode: "boolean" }).notNull(),
  created_ms: integer().notNull(),
  source_since_ms: integer().notNull().default(0),
});

export const keys = sqliteTable("keys", {
  id: text().primaryKey(),
  tenant_id: text().notNull(),
  name: text().notNull(),
  hash: text().notNull(),
  scopes: text({ mode: "json" }).$type<string[]>().notNull(),
  created_ms: integer().notNull(),
});

export const users = sqliteTable(
  "users",
  {
    id: text().primaryKey(),
    tenant_id: text().notNull(),
    name: text().notNull(),
    login: text().notNull(),
    password_hash: text().notNull(),
    role: text().$type<Role>().notNull(),
    disabled: integer({ mode: "boolean" }).notNull(),
    created_ms: integer().notNull(),
  },
  (t) => [uniqueIndex("users_login").on(t.login)],
);

export const sessions = sqliteTable("sessions", {
  hash: text().primaryKey(),
  holder_id: text().notNull(),
  expires_ms: integer().notNull(),
});
