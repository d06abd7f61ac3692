// Asks one agent over HTTP: probe, current, sample and the sample stream, everything bounded in size and silence.
import {
  type DevicesDocument,
  type ErrorDocument,
  readDocument,
  readStreams,
  type StreamsDocument,
} from "./document.ts";
import { boundaryOf, MultipartCutter } from "./multipart.ts";

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** How long an agent may stay silent within an answer that is no stream. */
const ANSWER_SILENCE_MS = 10_000;

/** The agent cannot be reached, or does not speak MTConnect: contact is lost. */
export class ContactError extends Error {
  override readonly name = "ContactError";
}

/** Nothing was heard for longer than the agent may be silent. */
export class Silence extends ContactError {}

/** The agent answered with an error document. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly codes: string[];
  constructor({ errors }: ErrorDocument) {
    super(errors.map(({ code, message }) => `${code}: ${message}`).join("; ") || "an error without a code");
    this.codes = errors.map(({ code }) => code);
  }
  get out_of_range(): boolean {
    return this.codes.includes("OUT_OF_RANGE");
  }
}

/** The agent gives no stream: ask it again and again instead. */
export class NoStream extends Error {
  override readonly name = "NoStream";
}

export type StreamOptions = { from: number; count: number; interval_ms: number; heartbeat_ms: number };

export class AgentClient {
  readonly #base: string;
  readonly #stop: AbortSignal;
  /** The device asked for, as a path in front of the request; empty is all of them. */
  device = "";

  /** @param stop aborts whatever is under way */
  constructor(url: string, stop: AbortSignal) {
    this.#base = url.replace(/\/+$/, "");
    this.#stop = stop;
  }

  async probe(): Promise<DevicesDocument> {
    const document = parse(readDocument, await this.#answer(`${this.#base}/probe`));
    if (document.kind === "error") throw new AgentError(document);
    if (document.kind !== "devices")
      throw new ContactError("the answer to probe is no MTConnectDevices document");
    return document;
  }

  /** The values in force at that sequence, or now. */
  current(at?: number): Promise<StreamsDocument> {
    return this.#streams(at === undefined ? "current" : `current?at=${at}`);
  }

  /** One page of observations; without `from` it starts with the oldest the agent holds. */
  sample(count: number, from?: number): Promise<StreamsDocument> {
    return this.#streams(`sample?${from === undefined ? "" : `from=${from}&`}count=${count}`);
  }

  /**
   * The sample stream, document by document; heartbeats are documents without observations.
   * Nothing is read ahead of the consumer but what lies in the socket's buffers.
   * @throws NoStream where the agent does not stream, AgentError on its errors, ContactError when it falls silent
   */
  async *stream({ from, count, interval_ms, heartbeat_ms }: StreamOptions): AsyncGenerator<StreamsDocument> {
    const query = `sample?from=${from}&count=${count}&interval=${interval_ms}&heartbeat=${heartbeat_ms}`;
    const exchange = await Exchange.open(this.#url(query), 2 * heartbeat_ms, this.#stop);
    try {
      const boundary = boundaryOf(exchange.content_type);
      if (boundary === undefined) {
        const document = parse(readStreams, await exchange.body());
        if (document.kind !== "error")
          throw new NoStream("the agent answers interval with a single document");
        const error = new AgentError(document);
        throw error.out_of_range ? error : new NoStream(error.message);
      }
      const cutter = new MultipartCutter(boundary, MAX_DOCUMENT_BYTES);
      for await (const chunk of exchange.chunks()) {
        for (const part of parse((bytes) => cutter.push(bytes), chunk)) yield streamsOf(part);
      }
    } finally {
      exchange.close();
    }
  }

  async #streams(query: string): Promise<StreamsDocument> {
    return streamsOf(await this.#answer(this.#url(query)));
  }

  #url(query: string): string {
    return `${this.#base}/${this.device === "" ? "" : `${encodeURIComponent(this.device)}/`}${query}`;
  }

  async #answer(url: string): Promise<Uint8Array> {
    const exchange = await Exchange.open(url, ANSWER_SILENCE_MS, this.#stop);
    try {
      return await exchange.body();
    } finally {
      exchange.close();
    }
  }
}

function streamsOf(bytes: Uint8Array): StreamsDocument {
  const document = parse(readStreams, bytes);
  if (document.kind === "error") throw new AgentError(document);
  const { first_sequence, next_sequence } = document.header;
  if (Number.isNaN(first_sequence + next_sequence)) throw new ContactError("a header without its sequences");
  return document;
}

/** What cannot be read is no MTConnect: as good as silence. */
function parse<T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return read(bytes);
  } catch (error) {
    throw new ContactError(message(error));
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One HTTP request that is given up when nothing arrives for `silence_ms` while somebody waits for it. */
class Exchange {
  readonly #abort: AbortController;
  readonly #silence_ms: number;
  readonly #response: Response;

  private constructor(abort: AbortController, silence_ms: number, response: Response) {
    this.#abort = abort;
    this.#silence_ms = silence_ms;
    this.#response = response;
  }

  static async open(url: string, silence_ms: number, stop: AbortSignal): Promise<Exchange> {
    const abort = new AbortController();
    const response = await heard(
      abort,
      silence_ms,
      fetch(url, {
        headers: { accept: "application/xml, text/xml, multipart/x-mixed-replace, multipart/mixed" },
        // An agent does not redirect; following would leave the network that was allowed.
        redirect: "error",
        keepalive: false,
        signal: AbortSignal.any([abort.signal, stop]),
      }),
    );
    return new Exchange(abort, silence_ms, response);
  }

  get content_type(): string {
    return this.#response.headers.get("content-type") ?? "";
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const reader = this.#response.body?.getReader();
    while (reader) {
      const { done, value } = await heard(this.#abort, this.#silence_ms, reader.read());
      if (done) return;
      yield value;
    }
  }

  async body(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_DOCUMENT_BYTES) throw new ContactError(`an answer over ${MAX_DOCUMENT_BYTES} bytes`);
    }
    if (!this.#response.ok && size === 0) throw new ContactError(`HTTP ${this.#response.status}`);
    return Buffer.concat(chunks);
  }

  close(): void {
    this.#abort.abort();
  }
}

/** Waits for something of the agent, but not in silence for longer than `silence_ms`. */
async function heard<T>(abort: AbortController, silence_ms: number, waiting: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    silence.reject(new Silence(`nothing heard for ${silence_ms} ms`));
    abort.abort();
  }, silence_ms);
  try {
    return await Promise.race([waiting, silence.promise]);
  } catch (error) {
    throw error instanceof ContactError ? error : new ContactError(message(error));
  } finally {
    clearTimeout(timer);
  }
}
