// Reads agents' documents so that the event loop never stands still: short ones at once, all others in a thread of their own.

import { MAX_INLINE_BYTES } from "./bounds.ts";
import { readXmlStreams } from "./document.ts";
import { Unreadable } from "./exchange.ts";
import { StreamItems } from "./items.ts";
import type { Answer, Expected, Question, ReadDocument } from "./reader.worker.ts";

/** Whoever makes a document that takes longer has found something that no bound knows of. */
const MAX_READING_MS = 20_000;

/**
 * Reads one document, once: its bytes may be gone afterwards. Short ones of observations in XML, which are nearly all, are
 * read at once.
 * @throws Unreadable where it is none, over a bound, not read in time, or `stop` comes first
 */
export async function readAnswer(
  bytes: Uint8Array,
  expected: Expected,
  stop: AbortSignal,
): Promise<ReadDocument> {
  try {
    const streams =
      expected === "streams" && bytes.length <= MAX_INLINE_BYTES ? readXmlStreams(bytes) : undefined;
    return streams ?? (await apart({ bytes, expected }, stop));
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable((error as Error).message);
  }
}

type Waiting = { question: Question; tell: (answer: Answer) => void };

/** One thread for all agents: whoever waits has his document in memory in any case. */
const waiting: Waiting[] = [];
let thread: Worker | undefined;
let is_busy = false;

async function apart(question: Question, stop: AbortSignal): Promise<ReadDocument> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const one = { question, tell: resolve };
  const leave = (): void => {
    const place = waiting.indexOf(one);
    if (place >= 0) waiting.splice(place, 1);
    reject(new Unreadable("stopped"));
  };
  if (stop.aborted) leave();
  else {
    stop.addEventListener("abort", leave);
    waiting.push(one);
    next();
  }
  try {
    const answer = await promise;
    if ("unreadable" in answer) throw new Unreadable(answer.unreadable);
    return withItems(answer.document);
  } finally {
    stop.removeEventListener("abort", leave);
  }
}

/** Gives the thread the next one, if it has nothing to do. */
function next(): void {
  const one = is_busy ? undefined : waiting.shift();
  if (!one) return;
  is_busy = true;
  thread ??= new Worker(new URL("./reader.worker.ts", import.meta.url).href);
  const worker = thread;
  const done = (answer: Answer, ended = false): void => {
    clearTimeout(timer);
    worker.onmessage = worker.onerror = null;
    if (ended) {
      worker.terminate();
      thread = undefined;
    }
    is_busy = false;
    one.tell(answer);
    next();
  };
  const timer = setTimeout(
    () => done({ unreadable: `not read within ${MAX_READING_MS} ms` }, true),
    MAX_READING_MS,
  );
  worker.onmessage = ({ data }: MessageEvent<Answer>) => done(data);
  worker.onerror = ({ message }) => done({ unreadable: message }, true);
  worker.postMessage(one.question, handedOver(one.question.bytes));
}

/** A buffer that holds nothing else changes hands: a copy would be made on the event loop, and stand beside it. */
const handedOver = ({ buffer, length }: Uint8Array): ArrayBuffer[] =>
  buffer instanceof ArrayBuffer && buffer.byteLength === length ? [buffer] : [];

/** Columns get their methods back. */
function withItems(document: ReadDocument): ReadDocument {
  if (document.kind !== "streams") return document;
  const devices = document.devices.map((device) => ({ ...device, items: StreamItems.from(device.items) }));
  return { ...document, devices };
}
