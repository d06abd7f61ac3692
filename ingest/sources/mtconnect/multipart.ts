// Cuts a multipart stream into its documents by Content-length, wherever the network cut it.

const MAX_HEADER_BYTES = 8_192;
const CR = 13;
const LF = 10;

/**
 * Collects chunks of `multipart/x-mixed-replace` or `multipart/mixed` and gives out whole parts.
 * 1.4 agents count the CRLF after the document, 2.x agents do not: stray line ends before a boundary are skipped.
 */
export class MultipartCutter {
  readonly #boundary: string;
  readonly #max_part_bytes: number;
  #header = "";
  #body: Uint8Array | undefined;
  #filled = 0;

  constructor(boundary: string, max_part_bytes: number) {
    this.#boundary = `--${boundary}`;
    this.#max_part_bytes = max_part_bytes;
  }

  /**
   * @returns the parts that this chunk completed
   * @throws Error where the stream does not keep to its boundary, or a part has no length or is over the bound
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      at = this.#body ? this.#fill(this.#body, chunk, at) : this.#readHeader(chunk, at);
      if (this.#body && this.#filled === this.#body.length) {
        parts.push(this.#body);
        this.#body = undefined;
      }
    }
    return parts;
  }

  #fill(body: Uint8Array, chunk: Uint8Array, at: number): number {
    const slice = chunk.subarray(at, at + body.length - this.#filled);
    body.set(slice, this.#filled);
    this.#filled += slice.length;
    return at + slice.length;
  }

  /** Takes bytes up to the blank line that ends a part's header. */
  #readHeader(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === CR || (byte === LF && this.#header === "")) continue;
      if (byte === LF && this.#header.endsWith("\n")) {
        this.#openBody();
        return at + 1;
      }
      this.#header += String.fromCharCode(byte);
      if (this.#header.length > MAX_HEADER_BYTES) throw new Error("a part's header is too long");
    }
    return chunk.length;
  }

  #openBody(): void {
    const [boundary = "", ...lines] = this.#header.split("\n");
    this.#header = "";
    // The last boundary closes the stream; nothing is expected after it.
    if (boundary.trim() === `${this.#boundary}--`) return;
    if (boundary.trim() !== this.#boundary)
      throw new Error(`expected a boundary, got ${boundary.slice(0, 80)}`);
    const length = lines
      .map((line) => /^content-length\s*:\s*(\d{1,12})\s*$/i.exec(line)?.[1])
      .find((n) => n);
    if (length === undefined) throw new Error("a part without Content-length");
    if (Number(length) > this.#max_part_bytes) throw new Error(`a part of ${length} bytes is over the bound`);
    this.#body = new Uint8Array(Number(length));
    this.#filled = 0;
  }
}

/** The boundary a Content-Type names, or undefined where it is not multipart. */
export function boundaryOf(content_type: string): string | undefined {
  const match = /^multipart\/(?:x-mixed-replace|mixed)\s*;.*?boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))/i.exec(
    content_type,
  );
  return match?.[1] ?? match?.[2];
}
