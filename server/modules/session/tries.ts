// Failed sign-ins by address, and by the name that was tried: a few are a slip, many are somebody guessing.
import { Problem } from "../../plugins/errors.ts";

const MAX_TRIES = 10;
const WINDOW_MS = 60_000;
/** Addresses or names remembered; the oldest goes first (invariant 7). */
const MAX_ADDRESSES = 10_000;

export class FailedTries {
  readonly #failed = new Map<string, { times: number; until_ms: number }>();

  /** Before a try is looked at. @throws 429 with Retry-After where too many failed within a minute */
  check(address: string, now_ms = Date.now()): void {
    const failed = this.#failed.get(address);
    if (!failed || failed.until_ms <= now_ms || failed.times < MAX_TRIES) return;
    const wait_s = Math.ceil((failed.until_ms - now_ms) / 1_000);
    throw new Problem(429, "Too many requests", `${MAX_TRIES} sign-ins failed; try again in ${wait_s} s`, {
      headers: { "retry-after": String(wait_s) },
    });
  }

  /** What was counted as failed while nobody knew yet was right. */
  forgive(address: string): void {
    const known = this.#failed.get(address);
    if (known) known.times -= 1;
  }

  failed(address: string, now_ms = Date.now()): void {
    const known = this.#failed.get(address);
    if (known && known.until_ms > now_ms) known.times += 1;
    else {
      this.#failed.delete(address);
      this.#failed.set(address, { times: 1, until_ms: now_ms + WINDOW_MS });
    }
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > MAX_ADDRESSES && oldest !== undefined) this.#failed.delete(oldest);
  }
}
