// What an operator enters, on its way to the server: kept in IndexedDB until it has an answer, sent once and in order.
import { Backoff, type BackoffOptions } from "../../domain/lib/backoff.ts";

/** An entry; `id` is its Idempotency-Key, so sending it again changes nothing (invariant 2). */
export type Entry = {
  id: string;
  method: "POST" | "PATCH" | "DELETE";
  path: string;
  body: object | null;
  /** What it is, for people: "Reject 5". */
  label: string;
  /** When it was entered, ms. */
  at_ms: number;
};

export type QueueEvent = {
  entry: Entry;
  state: "queued" | "sent" | "refused" | "withdrawn";
  /** What the server said to it. */
  answer?: unknown;
  status?: number;
};

/** As it is kept: in order of `n`, for whoever entered it. */
type Kept = Entry & { n?: number; user: string; tried: boolean; refusal?: Refusal };
/** Why the server will not take an entry. */
export type Refusal = { status: number; detail: string };

/** More are not taken: the operator is told so at once (invariant 7). */
const MAX_ENTRIES = 1_000;
const RETRY: BackoffOptions = { first_ms: 1_000, max_ms: 30_000 };
const ANSWER_MS = 15_000;
/** Answers that are not about the entry itself: it stays, and is sent again. */
const PASSING = [401, 408, 425, 429];

const user = document.documentElement.dataset.user ?? "";
const channel = new BroadcastChannel("mtc-queue");
const listeners = new Set<(event: QueueEvent) => void>();
let wake = (): void => {};

/** Resolves when the entry is safe from a reload or a power cut. @throws where 1,000 entries wait already */
export async function enqueue(entry: Omit<Entry, "id" | "at_ms">): Promise<Entry> {
  const made: Entry = { ...entry, id: uuid(), at_ms: Date.now() };
  if ((await run("readonly", (entries) => entries.count())) >= MAX_ENTRIES)
    throw new Error("the queue is full");
  await run("readwrite", (entries) => entries.add({ ...made, user, tried: false } satisfies Kept));
  tell({ entry: made, state: "queued" });
  return made;
}

/** @returns true where it had not been sent, and never will be; else it may have arrived: take it back by another entry */
export async function withdraw(id: string): Promise<boolean> {
  let gone: Kept | undefined;
  await run("readwrite", (entries) => {
    const cursor = entries.openCursor();
    cursor.onsuccess = () => {
      const at = cursor.result;
      const kept = at?.value as Kept | undefined;
      if (!at || !kept) return;
      if (kept.id !== id) return at.continue();
      if (kept.tried) return;
      gone = kept;
      at.delete();
    };
    return cursor;
  });
  if (gone) tell({ entry: entryOf(gone), state: "withdrawn" });
  return gone !== undefined;
}

/** Not answered yet, oldest first. */
export async function pending(): Promise<Entry[]> {
  return (await waiting()).map(entryOf);
}

/** What the server would not take, until somebody has seen it: nothing vanishes silently. */
export async function refused(): Promise<(Entry & Refusal)[]> {
  return (await all()).flatMap((kept) => (kept.refusal ? [{ ...entryOf(kept), ...kept.refusal }] : []));
}

/** A refused entry that was seen. */
export async function dismiss(id: string): Promise<void> {
  const kept = (await all()).find((one) => one.id === id && one.refusal);
  if (kept?.n !== undefined) await run("readwrite", (entries) => entries.delete(kept.n ?? -1));
}

/** Calls back with what becomes of entries, whichever window they were made in. */
export function onQueue(listener: (event: QueueEvent) => void): void {
  listeners.add(listener);
}

/** Sends what waits, now and from now on; one window of the browser at a time does. */
export function startQueue(): void {
  channel.onmessage = ({ data }: MessageEvent<QueueEvent>) => hear(data);
  addEventListener("online", () => wake());
  // Without HTTPS there are no locks: two windows may then send the same entry, which the server takes once.
  if (navigator.locks) void navigator.locks.request("mtc-queue", sendAll);
  else void sendAll();
}

async function sendAll(): Promise<never> {
  for (const backoff = new Backoff(RETRY); ; ) {
    const next = (await waiting().catch(() => []))[0];
    const rest_ms = next ? await send(next) : Number.POSITIVE_INFINITY;
    if (rest_ms === undefined) {
      backoff.reset();
      continue;
    }
    await rest(next ? Math.max(rest_ms, backoff.next_ms()) : rest_ms);
  }
}

/** @returns undefined where it has its answer, or the least time to wait before it is sent again, ms */
async function send(kept: Kept): Promise<number | undefined> {
  await run("readwrite", (entries) => entries.put({ ...kept, tried: true }));
  let response: Response;
  try {
    response = await fetch(kept.path, {
      method: kept.method,
      headers: { "content-type": "application/json", "idempotency-key": kept.id },
      body: kept.body === null ? null : JSON.stringify(kept.body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    return 0;
  }
  const { ok, status } = response;
  if (status >= 500 || PASSING.includes(status))
    return 1_000 * (Number(response.headers.get("retry-after")) || 0);
  const answer: unknown = await response.json().catch(() => null);
  const refusal = { status, detail: detailOf(answer) };
  if (ok) await run("readwrite", (entries) => entries.delete(kept.n ?? -1));
  else await run("readwrite", (entries) => entries.put({ ...kept, tried: true, refusal }));
  tell({ entry: entryOf(kept), state: ok ? "sent" : "refused", answer, status });
  return undefined;
}

/** Until there may be something to send: an entry, the network, or the time to try again. */
function rest(rest_ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = Number.isFinite(rest_ms) ? setTimeout(resolve, rest_ms) : undefined;
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function tell(event: QueueEvent): void {
  channel.postMessage(event);
  hear(event);
}

function hear(event: QueueEvent): void {
  if (event.state === "queued") wake();
  for (const listener of listeners) listener(event);
}

/** Of a problem (RFC 9457) what it says to people. */
const detailOf = (answer: unknown): string => String(Object(answer).detail ?? Object(answer).title ?? "");

const entryOf = ({ n: _, user: __, tried: ___, refusal: ____, ...entry }: Kept): Entry => entry;

const waiting = async (): Promise<Kept[]> => (await all()).filter(({ refusal }) => !refusal);

/** Of whoever is signed in; another's wait until they are back. */
async function all(): Promise<Kept[]> {
  const kept = (await run("readonly", (entries) => entries.getAll())) as Kept[];
  return kept.filter((one) => one.user === user);
}

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  return (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("mtc-queue", 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore("entries", { keyPath: "n", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }));
}

/** One transaction; resolves when it is on the disk. */
async function run<T>(
  mode: IDBTransactionMode,
  work: (entries: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const transaction = (await database()).transaction("entries", mode, { durability: "strict" });
  const request = work(transaction.objectStore("entries"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** `crypto.randomUUID` wants HTTPS. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
