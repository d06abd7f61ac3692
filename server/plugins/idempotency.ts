// The client's Idempotency-Key: one rule for observations and entries.
import { badInput } from "../../ingest/problem.ts";
import type { NewEvent } from "../../ingest/store/store.ts";
import { Problem } from "./errors.ts";

/** A client's `Idempotency-Key` with the hash of the body it came with. */
export type Dedupe = NewEvent["dedupe"];

const MAX_LENGTH = 200;

/**
 * @param key the header, null where there is none
 * @returns undefined without a key
 * @throws BadInput where it is empty or too long (SPEC 11.6)
 */
export function dedupeOf(key: string | null | undefined, body: Uint8Array | string): Dedupe {
  if (key === null || key === undefined) return undefined;
  checkKey(key);
  return { key, body_hash: bodyHash(body) };
}

/** Also before the body is read. @throws BadInput */
export function checkKey(key: string | null): void {
  if (key !== null && (key.length === 0 || key.length > MAX_LENGTH))
    throw badInput("", "idempotency_key_length", { max: MAX_LENGTH });
}

export const idempotencyConflict = (): Problem => new Problem("key_reused", {});

/** Tells one body from another: an Idempotency-Key holds for one body only. */
const bodyHash = (body: Uint8Array | string): string =>
  new Bun.CryptoHasher("sha256").update(body).digest("base64url");
