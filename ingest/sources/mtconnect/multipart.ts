// Cuts a multipart stream into its documents, by Content-length where there is one, wherever the network cut it.

const MAX_HEADER_BYTES = 8_192;
/** A part's length is believed so far before its bytes are there. */
const MAX_TRUSTED_BYTES = 1024 * 1024;
const CR = 13;
const LF = 10;

/** The stream does not keep to its boundary, or a part is over the bound. */
export class NotMultipart extends Error {
  override readonly name = "NotMultipart";
}

/**
 * Collects chunks of `multipart/x-mixed-replace` or `multipart/mixed` and gives out whole parts.
 * 1.4 agents count the CRLF after the document, 2.x agents do not: stray line ends before a boundary are skipped.
 * A part that says no length ends before the next boundary.
 */
export class MultipartCutter {
  readonly #boundary: string;
  readonly #max_part_bytes: number;
  #header = "";
  /** Bytes since the last part, line ends too. */
  #header_bytes = 0;
  #part: Part | undefined;
  #ended = false;
  #fault: NotMultipart | undefined;

  constructor(boundary: string, max_part_bytes: number) {
    this.#boundary = `--${boundary}`;
    this.#max_part_bytes = max_part_bytes;
  }

  /** Whether a part has begun that is not whole yet. */
  get in_part(): boolean {
    return this.#part !== undefined || this.#header !== "";
  }

  /**
   * @returns the parts that this chunk completed; what is wrong behind them is thrown with the next chunk
   * @throws NotMultipart
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#fault) throw this.#fault;
    const parts: Uint8Array[] = [];
    let at = 0;
    try {
      while (at < chunk.length && !this.#ended) {
        at = this.#part ? this.#part.take(chunk, at) : this.#readHeader(chunk, at);
        const whole = this.#part?.whole;
        if (!whole) continue;
        parts.push(whole);
        // A part that ended with the next boundary has read it too.
        this.#header = this.#part?.length === undefined ? this.#boundary : "";
        this.#part = undefined;
      }
    } catch (error) {
      if (parts.length === 0 || !(error instanceof NotMultipart)) throw error;
      this.#fault = error;
    }
    return parts;
  }

  /** Takes bytes up to the blank line that ends a part's header. */
  #readHeader(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (++this.#header_bytes > MAX_HEADER_BYTES) throw new NotMultipart("a part's header is too long");
      if (byte === CR || (byte === LF && this.#header === "")) continue;
      if (byte === LF && !this.#header.includes("\n")) this.#checkBoundary();
      if (this.#ended) return chunk.length;
      if (byte === LF && this.#header.endsWith("\n")) {
        this.#openPart();
        return at + 1;
      }
      this.#header += String.fromCharCode(byte);
    }
    return chunk.length;
  }

  /** The first line is whole. The last boundary closes the stream; nothing is expected after it. */
  #checkBoundary(): void {
    const line = this.#header.trim();
    this.#ended = line === `${this.#boundary}--`;
    if (!this.#ended && line !== this.#boundary)
      throw new NotMultipart(`expected a boundary, got ${line.slice(0, 80)}`);
  }

  #openPart(): void {
    const said = /^content-length\s*:\s*(\d{1,12})\s*$/im.exec(this.#header)?.[1];
    this.#header = "";
    this.#header_bytes = 0;
    const length = said === undefined ? undefined : Number(said);
    if (length !== undefined && length > this.#max_part_bytes)
      throw new NotMultipart(`a part of ${length} bytes is over the bound`);
    this.#part = new Part(length, `\n${this.#boundary}`, this.#max_part_bytes);
  }
}

/** One part that is being filled. */
class Part {
  /** What its header says; undefined: it ends before the next boundary. */
  readonly length: number | undefined;
  readonly #delimiter: Uint8Array;
  readonly #max_bytes: number;
  #bytes: Buffer;
  #filled = 0;
  #whole: Uint8Array | undefined;

  constructor(length: number | undefined, delimiter: string, max_bytes: number) {
    this.length = length;
    this.#delimiter = Buffer.from(delimiter, "latin1");
    this.#max_bytes = max_bytes;
    this.#bytes = Buffer.alloc(Math.min(length ?? 16_384, MAX_TRUSTED_BYTES));
    if (length === 0) this.#whole = this.#bytes;
  }

  /** The part's bytes once all of them are there. */
  get whole(): Uint8Array | undefined {
    return this.#whole;
  }

  /** @returns where in the chunk the part, and the boundary that ends it, are over */
  take(chunk: Uint8Array, at: number): number {
    const end = this.length === undefined ? chunk.length : at + this.length - this.#filled;
    const slice = chunk.subarray(at, end);
    const before = this.#filled;
    this.#append(slice);
    if (this.length !== undefined) {
      if (this.#filled === this.length) this.#whole = this.#bytes.subarray(0, this.#filled);
      return at + slice.length;
    }
    const from = Math.max(0, before - this.#delimiter.length);
    const found = this.#bytes.subarray(0, this.#filled).indexOf(this.#delimiter, from);
    if (found < 0) return chunk.length;
    this.#whole = this.#bytes.subarray(0, this.#bytes[found - 1] === CR ? found - 1 : found);
    return at + found + this.#delimiter.length - before;
  }

  #append(slice: Uint8Array): void {
    const needed = this.#filled + slice.length;
    if (needed > this.#max_bytes) throw new NotMultipart(`a part over ${this.#max_bytes} bytes`);
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(Math.min(Math.max(needed, 2 * this.#bytes.length), this.#max_bytes));
      this.#bytes.copy(grown, 0, 0, this.#filled);
      this.#bytes = grown;
    }
    this.#bytes.set(slice, this.#filled);
    this.#filled = needed;
  }
}

/** The boundary a Content-Type names, or undefined where it is not multipart. */
export function boundaryOf(content_type: string): string | undefined {
  const match = /^multipart\/(?:x-mixed-replace|mixed)\s*;.*?boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))/i.exec(
    content_type,
  );
  return match?.[1] ?? match?.[2];
}
