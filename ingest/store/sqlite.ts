// The embedded store as the rest of the program sees it: calls to the thread that owns the SQLite file.
import type { Failure, Outcome, Reply } from "./sqlite.worker.ts";
import type { SqliteOptions } from "./sqlite-store.ts";
import { type Appended, type Commit, DiskFull, Overloaded, type Store } from "./store.ts";

/** How much may be on its way to the disk before HTTP is told to wait (invariant 7). */
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024;

type Pending = { resolve: (value: unknown) => void; reject: (error: Error) => void };
/** A commit that has not left for the store's thread yet. */
type Leaving = { commit: Commit; resolve: (appended: Appended[]) => void; reject: (error: Error) => void };

/**
 * Opens (or makes) the store.
 * @param died told when the store's thread ended on its own: nothing can be taken any more, the program should end
 * @throws when the file cannot be opened or migrated
 */
export async function openSqlite(
  options: SqliteOptions,
  died: (error: Error) => void = () => {},
): Promise<Store> {
  const worker = new Worker(new URL("./sqlite.worker.ts", import.meta.url).href);
  const pending = new Map<number, Pending>();
  let n = 0;
  let in_flight_bytes = 0;
  let leaving: Leaving[] = [];
  let broken: Error | undefined;

  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const waiting = pending.get(data.n);
    pending.delete(data.n);
    if ("error" in data) waiting?.reject(revive(data.error));
    else waiting?.resolve(data.value);
  };
  worker.onerror = (event) => {
    broken = new Error(`the store's thread died: ${event.message}`);
    for (const { reject } of pending.values()) reject(broken);
    pending.clear();
    died(broken);
  };

  const post = <T>(message: object, n: number, transfer: Bun.Transferable[] = []): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (broken) return reject(broken);
      pending.set(n, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ ...message, n }, transfer);
    });
  const call =
    <M extends Exclude<keyof Store, "about" | "onArrival" | "share" | "settingsVersion" | "commit">>(
      method: M,
    ): Store[M] =>
    // @ts-expect-error one generic call for every method: the store's type says what goes in and out
    (...args: unknown[]) => {
      void sendCommits();
      return post({ method, args }, ++n);
    };

  /** What was committed in one turn of the loop goes in one message: waking the other thread is what costs. */
  async function sendCommits(): Promise<void> {
    const group = leaving;
    if (group.length === 0) return;
    leaving = [];
    const commits = group.map(({ commit }) => commit);
    const buffers = commits.flatMap(({ events }) => events.map(({ bytes }) => bytes.buffer as ArrayBuffer));
    try {
      const outcomes = await post<Outcome[]>({ commits }, ++n, buffers);
      for (const [i, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[i] as Outcome;
        if ("error" in outcome) reject(revive(outcome.error));
        else resolve(outcome.appended);
      }
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
    }
  }

  async function commit(commit: Commit): Promise<Appended[]> {
    let size = 0;
    for (const { bytes } of commit.events) {
      // What was handed over before is empty now, and would take its whole group down with it.
      if (bytes.length === 0) throw new TypeError("an event has bytes, and they are committed once");
      size += bytes.length;
    }
    if (in_flight_bytes + size > MAX_IN_FLIGHT_BYTES && in_flight_bytes > 0) {
      throw new Overloaded(`${in_flight_bytes} bytes are on their way to the disk`, 1);
    }
    in_flight_bytes += size;
    try {
      return await new Promise((resolve, reject) => {
        if (leaving.length === 0) setImmediate(() => void sendCommits());
        leaving.push({ commit, resolve, reject });
      });
    } finally {
      in_flight_bytes -= size;
    }
  }

  await post({ open: options }, 0);
  const close = call("close");
  return {
    about: () => ({ engine: "sqlite", lacks: [] }),
    // One process has the file, and its pipeline wakes its relay itself.
    onArrival() {},
    // Its only process has all there is, and knows of every change.
    share: () => ({
      balance: async () => false,
      has: () => true,
      standing: () => "held",
      tell() {},
      told: async () => [],
      async release() {},
    }),
    settingsVersion: async () => 0,
    commit,
    ping: call("ping"),
    checkpoint: call("checkpoint"),
    openGaps: call("openGaps"),
    lastEventId: call("lastEventId"),
    readOutbox: call("readOutbox"),
    readLog: call("readLog"),
    logState: call("logState"),
    delivered: call("delivered"),
    rewind: call("rewind"),
    setAside: call("setAside"),
    poison: call("poison"),
    poisonBytes: call("poisonBytes"),
    retryPoison: call("retryPoison"),
    discardPoison: call("discardPoison"),
    outboxDepth: call("outboxDepth"),
    waiting: call("waiting"),
    purge: call("purge"),
    freeBytes: call("freeBytes"),
    retentionTime_ms: call("retentionTime_ms"),
    noteRetentionTime: call("noteRetentionTime"),
    entries: call("entries"),
    machines: call("machines"),
    deleteMachine: call("deleteMachine"),
    keys: call("keys"),
    putKey: call("putKey"),
    deleteKey: call("deleteKey"),
    users: call("users"),
    putUser: call("putUser"),
    deleteUser: call("deleteUser"),
    session: call("session"),
    putSession: call("putSession"),
    deleteSession: call("deleteSession"),
    async close() {
      await close();
      worker.terminate();
    },
  };
}

/** A full disk is overload: nothing was stored, the client tries again, and it heals when there is room. */
function revive({ name, message, code, retry_after_s }: Failure): Error {
  if (code === "SQLITE_FULL" || code?.startsWith("SQLITE_IOERR")) return new DiskFull(message);
  if (name === "Overloaded") return new Overloaded(message, retry_after_s ?? 1);
  return Object.assign(new Error(message), { name });
}
