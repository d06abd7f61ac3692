// The analytics engine as the rest of the program sees it: events in, rows out.
import type { Stretch } from "../../ingest/event.ts";
import type { ProcessStatus } from "./process.ts";

/** The database all figures are read from, and the one beside it in which a rebuild gathers what is to take its place. */
export type Database = "mtc" | "mtc_rebuild";

export type Engine = {
  /**
   * Writes events, as the bytes they travelled in, each by the door for its type, and resolves once their rows can be
   * queried. Writing the same events again changes no figure (invariant 2), so a failed call is simply repeated;
   * the tables behind the views may have taken a part of it.
   * @throws EngineError
   */
  insertEvents(stretch: Stretch, into?: Database): Promise<void>;
  /** Runs one SELECT with bound parameters. 64-bit integers come back as numbers. @throws EngineError */
  query<Row>(sql: string, params: Record<string, unknown>): Promise<Row[]>;
  /** Runs one statement that writes what it reads, with bound parameters: INSERT … SELECT. @throws EngineError */
  run(sql: string, params: Record<string, unknown>): Promise<void>;
  /** The bytes of one SELECT in an output format, as they come, without limit of time. @throws EngineError */
  read(sql: string, format: "Native"): Promise<AsyncIterable<Uint8Array>>;
  /** `query` and `run` on a connection of their own, on one thread, without hurry or limit of time: for the lake. */
  aside: Pick<Engine, "query" | "run">;
  /** Runs a statement that may take long, beside all others: databases, copies, partitions. @throws EngineError */
  maintain(sql: string, params?: Record<string, unknown>): Promise<void>;
  /** Drops the raw observations of days that are over for as long as they are kept, by the caller's time. @throws EngineError */
  expire(now_ms: number): Promise<void>;
  /** Everything whose insertion began before this time, µs since 1970, can be queried by now. */
  visibleUntil_us(): number;
  /**
   * Another number whenever what entries made (configuration, annotations) may have changed; undefined where others
   * write them as well, so that nobody can tell.
   */
  entriesVersion(): number | undefined;
  /** The analyst of a tenant. @throws EngineError where its views cannot be made */
  analyst(tenant: string): Promise<Analyst>;
  /** Resolves when it answers the smallest question there is, on a connection of its own. @throws EngineError */
  ping(): Promise<void>;
  /** How the engine's own process is doing, where it is embedded, and what was damaged and set aside. */
  process?: () => ProcessStatus & { set_aside: string[] };
  close(): Promise<void>;
};

/** Asks for one tenant, and can do nothing but read that tenant's views. */
export type Analyst = {
  /**
   * @param question.params values of `{name:Type}`, as text
   * @param question.format chooses the output format, given the one the query itself names
   * @throws EngineError with ClickHouse's code and words, OverBounds, TooManyQueries
   */
  ask(question: {
    query: string;
    params: Record<string, string>;
    format: (named: string | undefined) => string;
    /** Aborts when whoever asks is gone: the query is cancelled. */
    left?: AbortSignal;
  }): Promise<AnalystAnswer>;
};

export type AnalystAnswer = {
  bytes: Uint8Array;
  format: string;
  read_rows: number;
  read_bytes: number;
  elapsed_s: number;
};

/** The engine refused, or failed. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  /** The events' own bytes are at fault: sending them again will never help. Otherwise try again later. */
  readonly poison: boolean;
  /** ClickHouse's error code, 0 where there was none. */
  readonly code: number;
  constructor(message: string, code: number, poison: boolean, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.poison = poison;
  }
}

/** The engine is not there, or went while it was asked: it is back within seconds, or somebody must look. */
export class EngineAway extends EngineError {
  readonly retry_after_s = 2;
  constructor(message: string, cause: unknown) {
    super(message, 0, false, cause);
  }
}

/** ClickHouse's code, and the system's words, for a disk that takes no more. */
const NOT_ENOUGH_SPACE = 243;
const NO_SPACE = /No space left on device|ENOSPC/;

/** Nothing was begun, since there is too little room for it to come to its end. */
export class NoRoom extends EngineError {
  constructor(what: string) {
    super(`the disk is full: ${what} waits until there is room`, NOT_ENOUGH_SPACE, false, null);
  }
}

/** Did the engine fail for want of room on its disk? */
export const isForRoom = (error: unknown): error is EngineError =>
  error instanceof EngineError && (error.code === NOT_ENOUGH_SPACE || NO_SPACE.test(error.message));
