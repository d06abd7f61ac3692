// What a page saw last, kept in the browser: without the network it opens with the last seen, not the last loaded.
import type { LiveMachine } from "../../ingest/live/live.ts";

export type LastSeen = {
  /** The page's path. */
  page: string;
  /** Who saw it: nobody else gets it. */
  user: string;
  /** When the server was heard last, ms of its clock, and how far that is ahead of ours. */
  heard_ms: number;
  offset_ms: number;
  machines: LiveMachine[];
};

/** Pages seen longest ago are forgotten over this. */
const MAX_PAGES = 60;
const STORE = "pages";

export async function keepLastSeen(seen: LastSeen): Promise<void> {
  await run("readwrite", (pages) => pages.put(seen));
  const all = await run("readonly", (pages) => pages.count());
  if (all <= MAX_PAGES) return;
  const known = (await run("readonly", (pages) => pages.getAll())) as LastSeen[];
  const [oldest] = known.sort((a, b) => a.heard_ms - b.heard_ms);
  if (oldest) await run("readwrite", (pages) => pages.delete(oldest.page));
}

/** @returns undefined where nothing is kept, or somebody else saw it */
export async function lastSeen(page: string, user: string): Promise<LastSeen | undefined> {
  const seen = (await run("readonly", (pages) => pages.get(page))) as LastSeen | undefined;
  return seen?.user === user ? seen : undefined;
}

export async function forgetLastSeen(): Promise<void> {
  await run("readwrite", (pages) => pages.clear());
}

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  return (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("mtc-last-seen", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "page" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }));
}

async function run<T>(mode: IDBTransactionMode, work: (pages: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction(STORE, mode);
  const request = work(transaction.objectStore(STORE));
  // At once, without waiting for the answer: the page may be going.
  transaction.commit();
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}
