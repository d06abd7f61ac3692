// The thread that owns the SQLite file: nothing else opens it, so an fsync never stalls HTTP.
import { type SqliteOptions, SqliteStore } from "./sqlite-store.ts";
import { Overloaded } from "./store.ts";

/** One call from the main thread: `method` of the store with its arguments. */
export type Call = { n: number; method: keyof SqliteStore; args: unknown[] };
export type Reply =
  | { n: number; value: unknown }
  | { n: number; error: { name: string; message: string; code?: string; retry_after_s?: number } };

declare const self: Worker;

let store: SqliteStore | undefined;

self.onmessage = async ({ data }: MessageEvent<Call | { open: SqliteOptions }>) => {
  if ("open" in data) {
    try {
      store = new SqliteStore(data.open);
      self.postMessage({ n: 0, value: null } satisfies Reply);
    } catch (error) {
      self.postMessage(failure(0, error));
    }
    return;
  }
  if (!store) return;
  try {
    const method = store[data.method] as (...args: unknown[]) => unknown;
    const value = await method.apply(store, data.args);
    self.postMessage({ n: data.n, value } satisfies Reply, transferable(value));
  } catch (error) {
    self.postMessage(failure(data.n, error));
  }
};

/** Outbox batches are handed over, not copied. */
const transferable = (value: unknown): ArrayBuffer[] =>
  typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array
    ? [value.bytes.buffer as ArrayBuffer]
    : [];

function failure(n: number, error: unknown): Reply {
  const { name, message, code } = error as Error & { code?: string };
  return {
    n,
    error: {
      name,
      message,
      ...(code === undefined ? {} : { code }),
      ...(error instanceof Overloaded ? { retry_after_s: error.retry_after_s } : {}),
    },
  };
}
