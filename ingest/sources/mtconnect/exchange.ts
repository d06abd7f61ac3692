// One HTTP request to an agent and its answer, bounded in size, silence and time.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { checkAddress, lookupChecked } from "../addresses.ts";
import { cut, messageOf } from "../text.ts";
import { MAX_DOCUMENT_BYTES, MAX_INLINE_BYTES } from "./bounds.ts";
import { answers } from "./room.ts";

/** What may be read ahead of the consumer (invariant 7). */
const MAX_AHEAD_BYTES = 256 * 1024;

/** XML first: the others are for agents that have nothing else. */
const ACCEPT =
  "application/xml, text/xml, multipart/x-mixed-replace, multipart/mixed, application/json;q=0.5, */*;q=0.1";

export type Patience = {
  /** How long an agent may stay silent within an answer that is no stream. */
  silence_ms: number;
  /** How long one document may be waited for in all: slow is not silence, but has an end. */
  document_ms: number;
};

export const DEFAULT_PATIENCE: Patience = { silence_ms: 10_000, document_ms: 60_000 };

/** A header's value: no agent needs more to say what it sends. */
const MAX_HEADER_LENGTH = 1_000;

/** The agent cannot be reached, or does not speak MTConnect: contact is lost. Its words may be the agent's, and are cut. */
export class ContactError extends Error {
  override readonly name: string = "ContactError";
  constructor(message: string, options?: ErrorOptions) {
    super(cut(message), options);
  }
}

/** Something answers, but with an HTTP status that is no success. */
export class Refused extends ContactError {}

/** Nothing was heard for longer than the agent may be silent. */
export class Silence extends ContactError {}

/** A document comes, but not so that it can be read: it is broken, or not whole in time. */
export class Unreadable extends ContactError {
  override readonly name = "Unreadable";
}

/** An answer, and what is called when nobody needs its bytes any more. */
export type Body = { bytes: Uint8Array; done: () => void };

/**
 * An answer that is given up when nothing arrives for too long while somebody waits for it. What arrived before the
 * connection broke is given out first. Not `fetch`: that discards what it has read when a connection breaks, and
 * serves 256 requests of a process at a time, while every agent's stream is one.
 */
export class Exchange {
  readonly #patience: Patience;
  readonly #response: IncomingMessage;
  readonly #close: () => void;
  readonly #stop: AbortSignal;
  readonly #arrived: Uint8Array[] = [];
  #ahead_bytes = 0;
  #ended: Error | "whole" | undefined;
  #wake = (): void => undefined;
  /** How long the document under way has been waited for; how long the consumer takes is not the agent's. */
  #waited_ms = 0;

  private constructor(patience: Patience, response: IncomingMessage, close: () => void, stop: AbortSignal) {
    this.#patience = patience;
    this.#response = response;
    this.#close = close;
    this.#stop = stop;
    const end = (how: Error | "whole"): void => {
      this.#ended ??= how;
      this.#wake();
    };
    response.on("data", (chunk: Uint8Array) => {
      this.#arrived.push(chunk);
      this.#ahead_bytes += chunk.length;
      if (this.#ahead_bytes > MAX_AHEAD_BYTES) response.pause();
      this.#wake();
    });
    response.on("end", () => end(response.complete ? "whole" : new Error("the answer broke off")));
    response.on("error", end);
    response.on("close", () => end(new Error("the connection was closed")));
  }

  /** @throws ContactError where there is no answer, with what is behind it as its cause */
  static async open(url: string, patience: Patience, stop: AbortSignal): Promise<Exchange> {
    if (stop.aborted) throw new ContactError("stopped");
    const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
    let close = (): void => undefined;
    try {
      checkAddress(new URL(url).hostname);
      const ask = url.startsWith("https:") ? requestHttps : requestHttp;
      // A redirect is an answer like any other: following it would leave the network that was allowed.
      const request = ask(url, { agent: false, lookup: lookupChecked, headers: { accept: ACCEPT } });
      const abort = (): void => {
        request.destroy(new Error("stopped"));
      };
      close = (): void => {
        stop.removeEventListener("abort", abort);
        request.destroy();
      };
      stop.addEventListener("abort", abort);
      request.on("response", (response) => resolve(new Exchange(patience, response, close, stop)));
      request.on("error", reject);
      request.on("close", () => reject(new Error("the connection was closed")));
      request.end();
      return await heard(promise, patience.silence_ms);
    } catch (error) {
      close();
      throw error instanceof ContactError ? error : new ContactError(messageOf(error), { cause: error });
    }
  }

  get content_type(): string {
    return cut(this.#response.headers["content-type"] ?? "", MAX_HEADER_LENGTH);
  }

  /** The status, where it is no success; agents of version 1 say 200 to everything. */
  get refusal(): string {
    const { statusCode = 0 } = this.#response;
    return statusCode >= 200 && statusCode < 300 ? "" : `HTTP ${statusCode}`;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const asked_ms = performance.now();
      const chunk = await this.#next();
      if (!chunk) return;
      this.#waited_ms += performance.now() - asked_ms;
      if (this.#waited_ms > this.#patience.document_ms)
        throw new Unreadable(`a document not whole after ${this.#patience.document_ms} ms`);
      yield chunk;
    }
  }

  /** What comes next is another document. */
  documentEnds(): void {
    this.#waited_ms = 0;
  }

  /**
   * The whole answer. One that gets long waits until there is room for it, unread, and has it until `done`.
   * @throws ContactError
   */
  async body(): Promise<Body> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let done: Body["done"] | undefined;
    try {
      for await (const chunk of this.chunks()) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_DOCUMENT_BYTES) throw new ContactError(`an answer over ${MAX_DOCUMENT_BYTES} bytes`);
        if (size > MAX_INLINE_BYTES) done ??= await answers.take(this.#most_bytes(), this.#stop);
      }
      return { bytes: Buffer.concat(chunks), done: done ?? (() => undefined) };
    } catch (error) {
      done?.();
      throw error instanceof ContactError ? error : new ContactError(messageOf(error), { cause: error });
    }
  }

  /** No more than it was told to be: HTTP ends there. */
  #most_bytes(): number {
    const told_bytes = Number(this.#response.headers["content-length"] ?? Number.POSITIVE_INFINITY);
    return Math.min(MAX_DOCUMENT_BYTES, told_bytes);
  }

  close(): void {
    this.#close();
  }

  /** @returns undefined after the last one @throws ContactError where the answer broke off, Silence */
  async #next(): Promise<Uint8Array | undefined> {
    while (this.#arrived.length === 0 && this.#ended === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await heard(promise, this.#patience.silence_ms);
    }
    const chunk = this.#arrived.shift();
    if (!chunk && this.#ended !== "whole") throw new ContactError(messageOf(this.#ended));
    this.#ahead_bytes -= chunk?.length ?? 0;
    if (this.#arrived.length === 0) this.#response.resume();
    return chunk;
  }
}

/** Waits for something of the agent, but not in silence for longer than `silence_ms`. @throws Silence */
async function heard<T>(waiting: Promise<T>, silence_ms: number): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new Silence(`nothing heard for ${silence_ms} ms`)),
    silence_ms,
  );
  try {
    return await Promise.race([waiting, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
