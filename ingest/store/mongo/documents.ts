// What each collection's documents look like: their types, their JSON schemas and their indexes.
import type { Collection, Db, Document, IndexDescription } from "mongodb";
import type { EventType } from "../../event.ts";
import type { Checkpoint } from "../../sources/source.ts";
import type { ApiKey, OpenGap, Session, User } from "../store.ts";

/**
 * An event of the log. While `bus` is there it waits for the bus, while `raw` is there for the time series; so what waits
 * is found by a small index, however long the log is. `_id` is its position.
 */
export type EventDoc = {
  _id: number;
  id: string;
  tenant_id: string;
  machine_id: string;
  type: EventType;
  time_ms: number;
  rows: number;
  size_bytes: number;
  bytes: Uint8Array;
  /** Unique: the name by which a repetition is known (invariant 2). */
  once: string;
  dedupe_key?: string;
  body_hash?: string;
  /** Which lease its machine is under. */
  slot: number;
  bus?: true;
  raw?: true;
  /** The tick of the program's running time at which the bus had taken it. */
  sent?: number;
  /** Why the bus would not take it, and when that was. */
  aside?: { error: string; time_ms: number };
};

/** A machine; what users named freely is text, since a name in it may be none that a document may have as a key. */
export type MachineDoc = {
  _id: string;
  tenant_id: string;
  name: string;
  group: string;
  demo: boolean;
  created_ms: number;
  /** Machines of older releases have none: theirs was set when they were made. */
  source_since_ms?: number;
  config: Record<"source" | "calendar" | "cycle_times" | "policy" | "rules", string>;
};

export type CheckpointDoc = Omit<Checkpoint, "agent"> & { _id: string };
export type GapDoc = OpenGap & { _id: string };
export type KeyDoc = Omit<ApiKey, "id"> & { _id: string };
export type UserDoc = Omit<User, "id"> & { _id: string };
export type SessionDoc = Omit<Session, "hash"> & { _id: string; expires: Date };

/**
 * `log`: the newest position, and what is on its way; `purged`: until when; `retention`: its time; `ran`: ticks of running
 * time; `moved`: a move of another installation into this database, and when it was done; `schema_version`: of what is in it
 * (SPEC 14.6).
 */
export type CounterDoc = {
  _id: string;
  last?: number;
  open?: Record<string, { after: number; at_ms: number }>;
  before_ms?: number;
  time_ms?: number;
  ticks?: number;
  token?: string;
  done_ms?: number;
  version?: string;
};

/** Who had a slot, by turns: the highest turn holds it; holder "" has given it back. */
export type LeaseDoc = { _id: string; consumer: string; slot: number; turn: number; holder: string };
/** A process that takes leases: alive as long as its beat goes on. `words` is what it has the others know. */
export type RelayDoc = { _id: string; consumer: string; beat: number; words?: string };

/**
 * One observation of the time series: a number, a word, or neither where it is unavailable. A field has one type, since a
 * bucket ends with each change of one. Releases before had either in `value`.
 */
export type RawDoc = {
  ts: Date;
  machine: { tenant_id: string; machine_id: string };
  signal: string;
  ts_us: number;
  seq: number;
  num?: number;
  word?: string;
  event_id: string;
};

export type Collections = {
  outbox: Collection<EventDoc>;
  machines: Collection<MachineDoc>;
  checkpoints: Collection<CheckpointDoc>;
  open_gaps: Collection<GapDoc>;
  keys: Collection<KeyDoc>;
  users: Collection<UserDoc>;
  sessions: Collection<SessionDoc>;
  counters: Collection<CounterDoc>;
  leases: Collection<LeaseDoc>;
  relays: Collection<RelayDoc>;
  raw_machine_data: Collection<RawDoc>;
};

export const collectionsOf = (db: Db): Collections => ({
  outbox: db.collection("outbox"),
  machines: db.collection("machines"),
  checkpoints: db.collection("checkpoints"),
  open_gaps: db.collection("open_gaps"),
  keys: db.collection("keys"),
  users: db.collection("users"),
  sessions: db.collection("sessions"),
  counters: db.collection("counters"),
  leases: db.collection("leases"),
  relays: db.collection("relays"),
  raw_machine_data: db.collection("raw_machine_data"),
});

/** The time series: its own kind of collection, made with options of its own. */
export const RAW = "raw_machine_data";
export const RAW_SERIES = { timeField: "ts", metaField: "machine", granularity: "seconds" } as const;

/** The indexes it needs where it is a plain one. */
export const PLAIN_SERIES: IndexDescription[] = [
  { name: "machine", key: { "machine.tenant_id": 1, "machine.machine_id": 1, ts: 1 } },
  { name: "ts", key: { ts: 1 } },
];

export type Plan = { schema: Document; indexes: IndexDescription[] };

const text = { bsonType: "string" };
const number = { bsonType: "number" };
const flag = { bsonType: "bool" };
const object = (required: string[], properties: Document): Document => ({
  bsonType: "object",
  required: ["_id", ...required],
  properties,
});

/** A field that is there counts, one that is missing takes no room in the index. */
const only = (name: string, key: Record<string, 1>, filter: Document): IndexDescription => ({
  name,
  key,
  partialFilterExpression: filter,
});

/** Every plain collection: what a document must be, and by what it is found. */
export const PLANS: Record<Exclude<keyof Collections, typeof RAW>, Plan> = {
  outbox: {
    schema: object(
      ["id", "tenant_id", "machine_id", "type", "time_ms", "rows", "size_bytes", "bytes", "once", "slot"],
      {
        _id: number,
        id: text,
        tenant_id: text,
        machine_id: text,
        type: text,
        time_ms: number,
        rows: number,
        size_bytes: number,
        bytes: { bsonType: "binData" },
        once: text,
        slot: number,
        bus: flag,
        raw: flag,
        sent: number,
        aside: { bsonType: "object", required: ["error", "time_ms"] },
      },
    ),
    indexes: [
      { name: "once", key: { once: 1 }, unique: true },
      // With its size, so that the outbox's depth is told by the index alone.
      only("bus", { bus: 1, slot: 1, _id: 1, size_bytes: 1 }, { bus: true }),
      only("raw", { raw: 1, slot: 1, _id: 1 }, { raw: true }),
      only("aside", { tenant_id: 1, "aside.time_ms": 1 }, { "aside.time_ms": { $exists: true } }),
      { name: "entries", key: { tenant_id: 1, machine_id: 1, type: 1, _id: 1 } },
      { name: "purge", key: { type: 1, time_ms: 1 } },
    ],
  },
  machines: {
    schema: object(["tenant_id", "name", "group", "demo", "created_ms", "config"], {
      _id: text,
      tenant_id: text,
      name: text,
      group: text,
      demo: flag,
      created_ms: number,
      source_since_ms: number,
      config: { bsonType: "object", additionalProperties: text },
    }),
    indexes: [],
  },
  checkpoints: {
    schema: object(["instance_id", "next_sequence"], {
      _id: text,
      instance_id: text,
      next_sequence: number,
      known_us: number,
    }),
    indexes: [],
  },
  open_gaps: {
    schema: object(["machine_id", "from_us", "cause"], {
      machine_id: text,
      from_us: number,
      cause: text,
    }),
    indexes: [{ name: "machine", key: { machine_id: 1 } }],
  },
  keys: {
    schema: object(["tenant_id", "name", "hash", "scopes", "created_ms"], {
      tenant_id: text,
      name: text,
      hash: text,
      scopes: { bsonType: "array", items: text },
      created_ms: number,
    }),
    indexes: [{ name: "hash", key: { hash: 1 } }],
  },
  users: {
    schema: object(["tenant_id", "name", "login", "password_hash", "role", "disabled", "created_ms"], {
      tenant_id: text,
      name: text,
      login: text,
      password_hash: text,
      role: text,
      disabled: flag,
      created_ms: number,
    }),
    indexes: [{ name: "login", key: { login: 1 }, unique: true }],
  },
  sessions: {
    schema: object(["holder_id", "expires_ms", "expires"], {
      holder_id: text,
      expires_ms: number,
      expires: { bsonType: "date" },
    }),
    indexes: [
      { name: "holder", key: { holder_id: 1 } },
      { name: "expires", key: { expires: 1 }, expireAfterSeconds: 0 },
    ],
  },
  counters: {
    schema: object([], {
      last: number,
      open: { bsonType: "object" },
      before_ms: number,
      ticks: number,
      token: text,
      done_ms: number,
      version: text,
    }),
    indexes: [],
  },
  leases: {
    schema: object(["consumer", "slot", "turn", "holder"], {
      consumer: text,
      slot: number,
      turn: number,
      holder: text,
    }),
    indexes: [{ name: "consumer", key: { consumer: 1, slot: 1, turn: 1 } }],
  },
  relays: {
    schema: object(["consumer", "beat"], { consumer: text, beat: number, words: text }),
    indexes: [],
  },
};
