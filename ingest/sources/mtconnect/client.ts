// Asks one agent over HTTP: probe, current, sample and the sample stream, everything bounded in size, silence and time.
import { cut } from "../text.ts";
import type { Asset } from "./asset-document.ts";
import { MAX_ASSETS, MAX_DOCUMENT_BYTES } from "./bounds.ts";
import type { DevicesDocument, ErrorDocument, StreamsDocument } from "./document.ts";
import {
  type Body,
  ContactError,
  DEFAULT_PATIENCE,
  Exchange,
  type Patience,
  Refused,
  Unreadable,
} from "./exchange.ts";
import { boundaryOf, MultipartCutter } from "./multipart.ts";
import { readAnswer } from "./reader.ts";
import type { Expected, ReadDocument } from "./reader.worker.ts";

/** The agent answered with an error document. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly codes: string[];
  constructor({ errors }: ErrorDocument) {
    const words = errors.map(({ code, message }) => `${code}: ${message}`).join("; ");
    super(cut(words) || "an error without a code");
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
  readonly #patience: Patience;
  /** The device asked for, as a path in front of the request; empty is all of them. */
  device = "";

  /** @param stop aborts whatever is under way */
  constructor(url: string, stop: AbortSignal, patience = DEFAULT_PATIENCE) {
    this.#base = url.replace(/\/+$/, "");
    this.#stop = stop;
    this.#patience = patience;
  }

  async probe(): Promise<DevicesDocument> {
    const document = await this.#answer(`${this.#base}/probe`, "document");
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

  /** All assets the agent holds, removed ones too. @throws AgentError where it has no such thing */
  allAssets(): Promise<Asset[]> {
    // Without a count some agents give a hundred; others take no count, or none this large.
    return this.#assets(`assets?removed=true&count=${MAX_ASSETS}`, "assets");
  }

  /** One asset. @throws AgentError where the agent has none of that id */
  asset(id: string): Promise<Asset[]> {
    const name = encodeURIComponent(id);
    return this.#assets(`asset/${name}`, `assets/${name}`);
  }

  /** The oldest observation that the agent holds, whichever device's it is. */
  async oldest(): Promise<StreamsDocument> {
    return streamsOf(await this.#answer(`${this.#base}/sample?count=1`, "streams"));
  }

  /**
   * The sample stream, document by document; heartbeats are documents without observations.
   * Nothing is read ahead of the consumer but what lies in the socket's buffers.
   * @throws NoStream where the agent does not stream, AgentError on its errors, ContactError when it falls silent
   */
  async *stream({ from, count, interval_ms, heartbeat_ms }: StreamOptions): AsyncGenerator<StreamsDocument> {
    const query = `sample?from=${from}&count=${count}&interval=${interval_ms}&heartbeat=${heartbeat_ms}`;
    const patience = { ...this.#patience, silence_ms: 2 * heartbeat_ms };
    const exchange = await Exchange.open(this.#url(query), patience, this.#stop);
    try {
      const boundary = exchange.refusal ? undefined : boundaryOf(exchange.content_type);
      if (boundary === undefined) throw await this.#refusalOf(exchange);
      const cutter = new MultipartCutter(boundary, MAX_DOCUMENT_BYTES);
      for await (const chunk of exchange.chunks()) {
        const parts = cutInto(cutter, chunk);
        // Line ends between documents are none: whoever sends nothing else for a minute is not heard.
        if (parts.length > 0) exchange.documentEnds();
        for (const part of parts) yield streamsOf(await this.#read(part, "streams"));
      }
    } finally {
      exchange.close();
    }
  }

  async #streams(query: string): Promise<StreamsDocument> {
    return streamsOf(await this.#answer(this.#url(query), "streams"));
  }

  /** @param other asked for where the agent refuses the path, but not where it only does not have the asset */
  async #assets(path: string, other?: string): Promise<Asset[]> {
    try {
      const document = await this.#answer(`${this.#base}/${path}`, "assets");
      if (document.kind === "assets") return document.assets;
      throw new ContactError("the answer to assets is no MTConnectAssets document");
    } catch (error) {
      const refused = error instanceof AgentError && !error.codes.includes("ASSET_NOT_FOUND");
      if (!refused || other === undefined) throw error;
      return await this.#assets(other);
    }
  }

  #url(query: string): string {
    return `${this.#base}/${this.device === "" ? "" : `${encodeURIComponent(this.device)}/`}${query}`;
  }

  /** @throws AgentError, Unreadable, ContactError where the answer is neither a success nor an agent's error */
  async #answer(url: string, expected: Expected): Promise<Exclude<ReadDocument, ErrorDocument>> {
    const exchange = await Exchange.open(url, this.#patience, this.#stop);
    let body: Body;
    try {
      body = await exchange.body();
    } finally {
      // The agent need not wait for its document to be read.
      exchange.close();
    }
    try {
      if (exchange.refusal) throw (await this.#errorIn(body.bytes)) ?? new Refused(exchange.refusal);
      if (body.bytes.length === 0) throw new ContactError("an empty answer");
      return await this.#read(body.bytes, expected);
    } finally {
      body.done();
    }
  }

  /** @throws AgentError where the agent says one, Unreadable */
  async #read(bytes: Uint8Array, expected: Expected): Promise<Exclude<ReadDocument, ErrorDocument>> {
    const document = await readAnswer(bytes, expected, this.#stop);
    if (document.kind === "error") throw new AgentError(document);
    return document;
  }

  /** The agent's error, where the document is one. */
  async #errorIn(bytes: Uint8Array): Promise<AgentError | undefined> {
    try {
      await this.#read(bytes, "document");
    } catch (error) {
      if (error instanceof AgentError) return error;
    }
    return undefined;
  }

  /** Why there is no stream, from the single answer that came instead. */
  async #refusalOf(exchange: Exchange): Promise<Error> {
    const { bytes, done } = await exchange.body();
    try {
      await this.#read(bytes, "streams");
    } catch (error) {
      if (error instanceof AgentError) return error.out_of_range ? error : new NoStream(error.message);
      if (!exchange.refusal) throw error;
    } finally {
      done();
    }
    if (exchange.refusal) return new Refused(exchange.refusal);
    return new NoStream("the agent answers interval with a single document");
  }
}

function streamsOf(document: ReadDocument): StreamsDocument {
  if (document.kind !== "streams") throw new Unreadable("the answer is no MTConnectStreams document");
  const { first_sequence, next_sequence } = document.header;
  if (Number.isNaN(first_sequence + next_sequence)) throw new Unreadable("a header without its sequences");
  return document;
}

/** What cannot be read is no MTConnect: as good as silence. */
function cutInto(cutter: MultipartCutter, chunk: Uint8Array): Uint8Array[] {
  try {
    return cutter.push(chunk);
  } catch (error) {
    throw new Unreadable(error instanceof Error ? error.message : String(error));
  }
}
