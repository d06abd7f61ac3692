// Reads a body of observations: bounded in bytes, in time, and together with all others that are being read.
import { PACKINGS, type Packing, unpack } from "../../../ingest/sources/http/unpack.ts";
import { Overloaded } from "../../../ingest/store/store.ts";
import { inTime, MAX_BODY_BYTES, tooLarge } from "../../plugins/bodies.ts";
import { Problem } from "../../plugins/errors.ts";

/** What all bodies together may hold, from their first byte to their answer (invariant 7). */
const MAX_BODIES_BYTES = 64 * 1024 * 1024;
/** Up to this size a body is counted as it was told, and read in one piece. */
const SMALL_BYTES = 64 * 1024;

/** How much memory bodies hold now. */
export class BodyBudget {
  readonly #max_bytes: number;
  #held_bytes = 0;

  constructor(max_bytes = MAX_BODIES_BYTES) {
    this.#max_bytes = max_bytes;
  }

  get held_bytes(): number {
    return this.#held_bytes;
  }

  /** @throws Overloaded where there is no room: the client comes again, and nothing of it is kept */
  check(bytes: number): void {
    if (this.#held_bytes + bytes <= this.#max_bytes) return;
    throw new Overloaded(`bodies of ${this.#held_bytes} bytes are being taken in`, 1);
  }

  /** @throws Overloaded */
  take(bytes: number): void {
    this.check(bytes);
    this.#held_bytes += bytes;
  }

  give(bytes: number): void {
    this.#held_bytes -= bytes;
  }
}

/**
 * Reads the body, unpacks it, and lets `use` work with it; as long as that takes its bytes count.
 * @throws 408 too slow, 413 over the bound of one body, 415 for a packing we do not know, Overloaded, BadInput
 */
export async function withBody<T>(
  request: Request,
  budget: BodyBudget,
  use: (body: Uint8Array) => Promise<T>,
  time_ms?: number,
): Promise<T> {
  const packing = packingOf(request.headers.get("content-encoding"));
  // What has no room now would be read in vain; what was only promised takes none.
  budget.check(Number(request.headers.get("content-length") ?? 0));
  let held_bytes = 0;
  const hold = (bytes: number): void => {
    budget.take(bytes);
    held_bytes += bytes;
  };
  try {
    const body = await inTime(request, (late) => readBounded(request, hold, late), time_ms);
    if (!packing) return await use(body);
    const unpacked = unpack(body, packing, MAX_BODY_BYTES);
    if (!unpacked) throw tooLarge();
    hold(unpacked.length);
    return await use(unpacked);
  } finally {
    budget.give(held_bytes);
  }
}

/** One packing, once: what was packed twice, or otherwise, is refused before it is read. */
function packingOf(encoding: string | null): Packing | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "zstd":
      return "zstd";
    default:
      throw new Problem(
        "unknown_encoding",
        { encoding: encoding ?? "", accepted: PACKINGS },
        { headers: { "accept-encoding": PACKINGS } },
      );
  }
}

type Hold = (bytes: number) => void;

/** Reads no further than the bound, whatever length was told. What has not come yet does not count. */
async function readBounded(request: Request, hold: Hold, late: Promise<never>): Promise<Uint8Array> {
  const told_bytes = request.headers.get("content-length");
  if (told_bytes !== null && Number(told_bytes) <= SMALL_BYTES) {
    hold(Number(told_bytes));
    return new Uint8Array(await Promise.race([request.arrayBuffer(), late]));
  }
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(chunks, size);
      size += value.length;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      hold(value.length);
      chunks.push(value);
    }
  } catch (error) {
    // Bun holds the client back while nobody reads; without this the rest would wait for us for ever.
    reader.cancel().catch(() => undefined);
    throw error;
  }
}
