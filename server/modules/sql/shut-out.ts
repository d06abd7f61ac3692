// Who ended the engine with a query asks nothing for a while: else one reader would have it started again for ever.
import { Problem } from "../../plugins/errors.ts";

const FIRST_MS = 600_000;
const LONGEST_MS = 24 * 3_600_000;

type Shut = { until_ms: number; lasts_ms: number };

export class ShutOut {
  readonly #now_ms: () => number;
  readonly #shut = new Map<string, Shut>();

  constructor(now_ms: () => number = () => performance.now()) {
    this.#now_ms = now_ms;
  }

  /** For ten minutes, and each time again for twice as long; a day without one, and it begins anew. */
  add(caller_id: string): void {
    const known = this.#known(caller_id);
    const lasts_ms = known ? Math.min(LONGEST_MS, 2 * known.lasts_ms) : FIRST_MS;
    this.#shut.set(caller_id, { until_ms: this.#now_ms() + lasts_ms, lasts_ms });
  }

  /** @throws 429 with Retry-After */
  check(caller_id: string): void {
    const wait_ms = (this.#known(caller_id)?.until_ms ?? 0) - this.#now_ms();
    if (wait_ms <= 0) return;
    const wait_s = Math.ceil(wait_ms / 1_000);
    throw new Problem("query_ended_engine", { wait_s }, { headers: { "retry-after": String(wait_s) } });
  }

  #known(caller_id: string): Shut | undefined {
    const known = this.#shut.get(caller_id);
    if (known && this.#now_ms() - known.until_ms < LONGEST_MS) return known;
    this.#shut.delete(caller_id);
    return undefined;
  }
}
