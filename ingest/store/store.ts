// The operational store: the event log (outbox), checkpoints, machines, keys, users. One interface, many engines.
import { detailOf } from "../../domain/problem.ts";
import type { EventHeader, EventType, GapCause, Stretch } from "../event.ts";
import type { Rules } from "../rules.ts";
import type { Checkpoint } from "../sources/source.ts";

/** An event on its way into the log. */
export type NewEvent = {
  header: EventHeader;
  /** The whole event as `encodeEvent` made it. Its buffer is transferred to the store's thread: do not touch it again. */
  bytes: Uint8Array;
  /** Observations in it. */
  rows: number;
  /** The same key again for the same machine is answered with the first event's id (invariant 2). */
  dedupe?: { key: string; body_hash: string };
  /** Made from the event before it in the commit: stored if that one is, and left out if it came before (invariant 2). */
  derived?: boolean;
};

/** What became of a new event: stored, seen before, or refused because its key came with another body. */
export type Appended = { outcome: "stored" | "duplicate" | "conflict"; event_id: string };

/** What travels in one transaction: all of it is durable, or nothing. */
export type Commit = {
  events: NewEvent[];
  checkpoint?: Checkpoint;
  machine?: Machine;
  /** What the machine was when the change was thought of: what differs is written, and nothing that others wrote since. */
  machine_before?: Machine;
  open_gap?: OpenGap;
  close_gaps?: OpenGap[];
};

export type OpenGap = { machine_id: string; from_us: number; cause: GapCause };

/** A stretch of the log, in order, ready for the bus. */
export type OutboxBatch = {
  bytes: Uint8Array;
  events: (Stretch["events"][number] & { position: number; id: string })[];
};

/** A stretch of the log that was read on its own account, beside the outbox; `to` is where the next one begins. */
export type LogStretch = OutboxBatch & { to: number; rows: number };

/** What of the log to read: positions in (after, upto]; observations and assets only where taken at `since_ms` or later. */
export type LogRange = { after: number; upto: number; since_ms: number };

export type LogState = {
  /** The position of the newest event, and how far the log is delivered. */
  last: number;
  delivered: number;
  /** Every event that was purged was taken before this time; 0 where nothing ever was. */
  purged_before_ms: number;
};

/** What a store is made of, and what its server lacks that ours would use: then something slower stands in. */
export type StoreAbout = { engine: "sqlite" | "mongodb"; lacks: string[] };

export type OutboxDepth = { events: number; bytes: number; oldest_ms: number };

/** Configuration or an operator's entry, as the log has it. */
export type Entry = {
  id: string;
  time_ms: number;
  bytes: Uint8Array;
  /** The key it came with, if any, and the hash of its body. */
  dedupe_key: string | null;
  body_hash: string | null;
};

/** An event the bus would not take: its error, and when that was. */
export type Poison = {
  position: number;
  id: string;
  machine_id: string;
  type: EventType;
  size_bytes: number;
  error: string;
  time_ms: number;
};

/** A machine with its configuration, as the API gives and takes it. */
export type Machine = {
  id: string;
  tenant_id: string;
  name: string;
  /** The hall, line or cell it stands in, "" for none: figures are summed by it. */
  group: string;
  source: unknown;
  calendar: unknown;
  cycle_times: unknown;
  policy: unknown;
  rules: Rules;
  /** Made by the demo plant: gone with one click. */
  demo: boolean;
  created_ms: number;
  /** When its source was set: from then on what the source has to tell is missed where it does not come. */
  source_since_ms: number;
};

export type ApiKey = {
  id: string;
  tenant_id: string;
  name: string;
  /** SHA-256 of the whole key, hex. */
  hash: string;
  scopes: string[];
  created_ms: number;
};

export const ROLES = ["operator", "manager", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** A person who signs in with a name and a password. */
export type User = {
  id: string;
  tenant_id: string;
  name: string;
  /** The name as it is looked for at the sign-in, whatever its case: there is one of it over all tenants. */
  login: string;
  /** argon2id, with its parameters and salt. */
  password_hash: string;
  role: Role;
  disabled: boolean;
  created_ms: number;
};

/** `holder_id` is the key or the user that was signed in with, or that a link signs in as. */
export type Session = { hash: string; holder_id: string; expires_ms: number };

/** What a process told; it lives as far as can be seen, which takes two looks some seconds apart. */
export type Told = { words: string; lives: boolean };

/**
 * This process's part in work that several share among themselves, by the names of its pieces (an agent's address, a
 * job). Each piece is one process's at a time, as far as leases can tell; what is written twice all the same is the same
 * observations once more (invariant 2).
 */
export type Share = {
  /**
   * Takes what is free and gives back what is too much: everybody who lives has as much. Call it about once a second.
   * @param handOver called when pieces go, after `has` says so: it resolves when nothing of them is under way any more
   * @returns whether anything came or went
   * @throws where the server cannot be reached
   */
  balance(handOver: () => Promise<void>): Promise<boolean>;
  has(piece: string): boolean;
  /** `unsure`: for too long this process could not tell that it lives; `lost`: others have a part of what it had. */
  standing(): "held" | "unsure" | "lost";
  /** Has the others know this of this process, within a second or two: it stands until it is said anew, or released. */
  tell(words: string): void;
  /** What each process told last, this one too where it told anything. */
  told(): Promise<Told[]>;
  /** Gives everything back, for others to take at once. */
  release(): Promise<void>;
};

/** What is shared: the collectors of sources, and the jobs that one process does for all. */
export type Shared = "collect" | "jobs";

/**
 * Every method resolves after the change is durable (invariant 1).
 * Over its bound `commit` rejects with {@link Overloaded} and stores nothing (invariant 7).
 */
export type Store = {
  about(): StoreAbout;
  /**
   * Has `arrived` called when events may have come, from this process or another one. It may be called for nothing, and
   * it may not be called at all: whoever waits for events looks for them from time to time as well.
   */
  onArrival(arrived: () => void): void;
  commit(commit: Commit): Promise<Appended[]>;
  /** Resolves when the store answers: not at all while it hangs. */
  ping(): Promise<void>;
  share(what: Shared): Share;
  checkpoint(agent: string): Promise<Checkpoint | undefined>;
  openGaps(machine_id: string): Promise<OpenGap[]>;
  /** The id of the newest event, so that new ids sort after it even if the clock was set back. */
  lastEventId(): Promise<string | undefined>;

  /**
   * The next events that are not delivered, by position; empty when there are none for this process. They are claimed: as
   * long as this process lives no other one is given events of the same machines. What was not said to be delivered is
   * given again by the next call.
   */
  readOutbox(max_events: number, max_bytes: number): Promise<OutboxBatch>;
  /** Delivered or not: any stretch of the log, in order, without what was set aside. Nothing is moved by it. */
  readLog(range: LogRange, max_events: number, max_bytes: number): Promise<LogStretch>;
  logState(): Promise<LogState>;
  /** Everything that `readOutbox` gave last, up to and including `position`, is with the bus. */
  delivered(position: number): Promise<void>;
  /**
   * Delivers again from the start of the log, or everything that was delivered so lately that the bus may have lost it
   * in a power cut. That is told by how long the program ran since, not by the clock: a cut may last for days.
   */
  rewind(to: "start" | "settled"): Promise<void>;
  setAside(position: number, error: string): Promise<void>;
  /** What was set aside of a tenant's events, oldest first. */
  poison(tenant_id: string, max_events: number): Promise<Poison[]>;
  /** The bytes of an event that was set aside, as they came. */
  poisonBytes(tenant_id: string, position: number): Promise<Uint8Array | undefined>;
  /** Puts it back into the outbox, to be delivered again. @returns whether it was set aside */
  retryPoison(tenant_id: string, position: number): Promise<boolean>;
  /** Forgets it for good: it will be in no figure, after a rebuild neither. @returns whether it was set aside */
  discardPoison(tenant_id: string, position: number): Promise<boolean>;
  outboxDepth(): Promise<OutboxDepth>;
  /**
   * Of a tenant's events that are not delivered: the newest one's position, and one before which none of them waits any
   * more; undefined where none waits.
   */
  waiting(tenant_id: string): Promise<{ first: number; last: number } | undefined>;
  /**
   * Forgets delivered observations, and what agents said of assets, taken before `before_ms`; configuration
   * stays, and what was set aside.
   * The assets an agent still has are told again with every start.
   */
  purge(before_ms: number): Promise<number>;
  /** The time that retention goes by, as it was noted last, ms since 1970; 0 before. */
  retentionTime_ms(): Promise<number>;
  noteRetentionTime(time_ms: number): Promise<void>;

  /** What its files take in before they grow; 0 where its disk is a server's own affair. */
  freeBytes(): Promise<number>;

  /** Events of one type about a machine, or about all of a tenant's (machine_id ""), oldest first; observations are none. */
  entries(tenant_id: string, machine_id: string, type: EventType): Promise<Entry[]>;

  /** Another number after every change of machines, keys or users, by whatever process. */
  settingsVersion(): Promise<number>;
  machines(): Promise<Machine[]>;
  deleteMachine(tenant_id: string, id: string, event: NewEvent): Promise<void>;

  keys(): Promise<ApiKey[]>;
  putKey(key: ApiKey): Promise<void>;
  deleteKey(tenant_id: string, id: string): Promise<boolean>;

  users(): Promise<User[]>;
  /**
   * Makes or changes a user; with `ends_sessions` all of its sessions are gone in the same transaction.
   * Rejects where another has the login.
   */
  putUser(user: User, ends_sessions: boolean): Promise<void>;
  /** With its sessions. @returns whether there was one */
  deleteUser(tenant_id: string, id: string): Promise<boolean>;

  session(hash: string): Promise<Session | undefined>;
  putSession(session: Session): Promise<void>;
  /** @returns whether it was there: of several callers one is told so */
  deleteSession(hash: string): Promise<boolean>;

  close(): Promise<void>;
};

/** The store is at its bound: try again later (503, or a source that stops reading). */
export class Overloaded extends Error {
  override readonly name: string = "Overloaded";
  readonly retry_after_s: number;
  constructor(message: string, retry_after_s: number) {
    super(message);
    this.retry_after_s = retry_after_s;
  }
}

/** So often whoever was refused for want of room is told to look again. */
export const DISK_FULL_RETRY_S = 10;

/** The store's disk takes no more: nothing was stored, and it heals by itself when there is room. */
export class DiskFull extends Overloaded {
  override readonly name = "DiskFull";
  readonly why: string;
  /** @param why as the disk, or who writes to it, said it */
  constructor(why: string) {
    super(detailOf("disk_full", { why }), DISK_FULL_RETRY_S);
    this.why = why;
  }
}
