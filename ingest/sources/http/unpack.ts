// Unpacks a body (gzip, zstd) within a bound; what is torn or spoilt is refused as a whole.
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { badInput } from "../../problem.ts";

/** The packings we take, as `Accept-Encoding` names them. */
export const PACKINGS = "gzip, zstd";
export type Packing = "gzip" | "zstd";

/** RFC 9659: what is packed for HTTP keeps to a window of 8 MiB. Without it a body of ten bytes may ask for gigabytes. */
const ZSTD_WINDOW_LOG_MAX = 23;

/**
 * Unpacks in one go: only one body at a time is unpacked, and it costs less than reading its JSON.
 * @param max_bytes how much may come out; nothing beyond it is unpacked
 * @returns undefined where more would come out
 * @throws BadInput where the bytes are not what `packing` says, or not all of it
 */
export function unpack(packed: Uint8Array, packing: Packing, max_bytes: number): Uint8Array | undefined {
  if (packing === "zstd" && !isWholeZstd(packed)) throw badInput("", "zstd_torn");
  try {
    return packing === "gzip"
      ? gunzipSync(packed, { maxOutputLength: max_bytes })
      : zstdDecompressSync(packed, {
          maxOutputLength: max_bytes,
          params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
        });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw badInput("", "not_packed", { packing, error: message });
  }
}

/**
 * Do the frames end where the bytes end? The decoder takes a torn frame for a whole one, and lines that were cut off
 * would be missed by nobody. Frames and blocks as in RFC 8878, section 3.1.
 */
function isWholeZstd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) at = zstdFrameEnd(view, at);
  return bytes.length > 0 && at === bytes.length;
}

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_SKIPPABLE = 0x184d2a50;
const RLE_BLOCK = 1;

/** @returns where the frame at `at` ends; Infinity where it does not */
function zstdFrameEnd(view: DataView, at: number): number {
  if (at + 8 > view.byteLength) return Infinity;
  const magic = view.getUint32(at, true);
  if ((magic & 0xffff_fff0) >>> 0 === ZSTD_SKIPPABLE) return at + 8 + view.getUint32(at + 4, true);
  if (magic !== ZSTD_MAGIC) return Infinity;
  const descriptor = view.getUint8(at + 4);
  const single_segment = (descriptor >> 5) & 1;
  const dictionary_bytes = [0, 1, 2, 4][descriptor & 3] as number;
  const size_bytes = [single_segment, 2, 4, 8][descriptor >> 6] as number;
  let end = at + 5 + (1 - single_segment) + dictionary_bytes + size_bytes;
  for (let last = 0; last === 0; ) {
    if (end + 3 > view.byteLength) return Infinity;
    const header = view.getUint16(end, true) | (view.getUint8(end + 2) << 16);
    last = header & 1;
    end += 3 + (((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3);
  }
  return end + (descriptor & 4);
}
