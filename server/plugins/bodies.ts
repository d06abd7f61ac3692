// How large a body may be: told before it is read, and as a problem rather than Bun's bare 413.
import { Elysia } from "elysia";
import { Problem } from "./errors.ts";

/** The bound of a body of observations; a packed one counts unpacked (invariant 7). */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Of configuration and entries: a calendar with all its exceptions is a tenth of this. */
const MAX_OTHER_BYTES = 1024 * 1024;
/** Of what anybody may send, without a key. */
const MAX_SIGN_IN_BYTES = 16 * 1024;

/** Where Bun itself breaks off; up to here the refusal is ours, and has a shape. */
export const BREAK_OFF_BYTES = 256 * 1024 * 1024;

export const tooLarge = (max_bytes = MAX_BODY_BYTES): Problem =>
  new Problem(413, "Content too large", `a body has at most ${max_bytes} bytes here`);

function maxBytesAt(path: string): number {
  if (path.startsWith("/internal/")) return MAX_BODY_BYTES;
  return path === "/sign-in" ? MAX_SIGN_IN_BYTES : MAX_OTHER_BYTES;
}

/** Only observations and analysts' queries may come without a length: they are counted while they are read. */
export const boundedBodies = new Elysia({ name: "bodies" }).onRequest(({ request }) => {
  const { headers } = request;
  const told_bytes = Number(headers.get("content-length") ?? 0);
  const chunked = headers.has("transfer-encoding");
  if (told_bytes <= MAX_SIGN_IN_BYTES && !chunked) return;
  const path = new URL(request.url).pathname;
  const max_bytes = maxBytesAt(path);
  if (told_bytes > max_bytes) throw tooLarge(max_bytes);
  if (chunked && !path.startsWith("/internal/") && !path.startsWith("/sql")) {
    throw new Problem(411, "Length required", "give the body's Content-Length");
  }
});
