// The thread that owns the SQLite file: nothing else opens it, so an fsync never stalls HTTP.
import { type SqliteOptions, SqliteStore } from "./sqlite-store.ts";
import { type Appended, type Commit, Overloaded } from "./store.ts";

/** One call from the main thread: `method` of the store with its arguments, or the commits of one turn of its loop. */
export type Call =
  | { n: number; method: Exclude<keyof SqliteStore, "commit">; args: unknown[] }
  | { n: number; commits: Commit[] };
export type Failure = { name: string; message: string; code?: string; retry_after_s?: number };
export type Outcome = { appended: Appended[] } | { error: Failure };
/** The value of a group of commits is its `Outcome[]`. */
export type Reply = { n: number; value: unknown } | { n: number; error: Failure };

declare const self: Worker;

let store: SqliteStore | undefined;

self.onmessage = async ({ data }: MessageEvent<Call | { n: number; open: SqliteOptions }>) => {
  try {
    const value = await answer(data);
    self.postMessage({ n: data.n, value } satisfies Reply, transferable(value));
  } catch (error) {
    self.postMessage({ n: data.n, error: failure(error) } satisfies Reply);
  }
};

function answer(data: Call | { open: SqliteOptions }): unknown {
  if ("open" in data) {
    store = new SqliteStore(data.open);
    return null;
  }
  if (!store) throw new Error("the store is not open");
  if ("commits" in data) return commitAll(store, data.commits);
  const method = store[data.method] as (...args: unknown[]) => unknown;
  return method.apply(store, data.args);
}

/** They share an fsync; each has an outcome of its own. */
async function commitAll(store: SqliteStore, commits: Commit[]): Promise<Outcome[]> {
  return Promise.all(
    commits.map(async (commit): Promise<Outcome> => {
      try {
        return { appended: await store.commit(commit) };
      } catch (error) {
        return { error: failure(error) };
      }
    }),
  );
}

/** Outbox batches are handed over, not copied. */
const transferable = (value: unknown): ArrayBuffer[] =>
  typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array
    ? [value.bytes.buffer as ArrayBuffer]
    : [];

function failure(error: unknown): Failure {
  const { name, message, code } = error as Error & { code?: string };
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(error instanceof Overloaded ? { retry_after_s: error.retry_after_s } : {}),
  };
}
