// How large a body may be: told before it is read, and as a problem rather than Bun's bare 413.
import { Elysia } from "elysia";
import { Problem } from "./errors.ts";

/** A body's bound; a packed one counts unpacked (invariant 7). */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Where Bun itself breaks off; up to here the refusal is ours, and has a shape. */
export const BREAK_OFF_BYTES = 256 * 1024 * 1024;

export const tooLarge = (): Problem =>
  new Problem(413, "Content too large", `a body has at most ${MAX_BODY_BYTES} bytes`);

/** Only observations may come without a length: they are counted while they are read. */
export const boundedBodies = new Elysia({ name: "bodies" }).onRequest(({ request }) => {
  const { headers } = request;
  if (Number(headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  if (headers.has("transfer-encoding") && !new URL(request.url).pathname.startsWith("/internal/")) {
    throw new Problem(411, "Length required", "give the body's Content-Length");
  }
});
