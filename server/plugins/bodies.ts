// How large a body may be, told before it is read and as a problem rather than Bun's bare 413; and how long it may take.
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

/** Who takes longer holds on to a connection more than it sends: 8 MiB take this long at 1.1 Mbit/s. */
const BODY_TIME_MS = 60_000;

export const tooLarge = (max_bytes = MAX_BODY_BYTES): Problem => new Problem("body_too_large", { max_bytes });

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
    throw new Problem("length_required", {});
  }
});

/**
 * Waits for a body.
 * @param read begins to read it; once it is late there is nobody left to read for
 * @throws Problem 408 where it is late, 400 where the client left
 */
export async function inTime<T>(
  request: Request,
  read: (late: Promise<never>) => Promise<T>,
  time_ms = BODY_TIME_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooSlow(time_ms)), time_ms);
  try {
    return await Promise.race([read(late.promise), late.promise]);
  } catch (error) {
    if (request.signal.aborted) throw new Problem("client_left", {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const tooSlow = (time_ms: number): Problem =>
  new Problem("body_late", { seconds: time_ms / 1_000 }, { headers: { connection: "close" } });

/** A body's fields, of a form as browsers send it. @throws as {@link inTime}, BadInput */
export const formBody = async ({ request }: { request: Request }): Promise<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(await inTime(request, () => request.text())));
