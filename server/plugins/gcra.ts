// Budgets that refill steadily, one for each name, by the generic cell rate algorithm: all that is kept of one is when it is full again.

/** How many at once, and how fast they come back. */
export type Rate = { burst: number; per_s: number };

/** Names remembered; the oldest goes first (invariant 7). */
const MAX_NAMES = 10_000;
/** What sums of fractions may be off by. */
const SLACK_MS = 0.001;

export const intervalMs = ({ per_s }: Rate): number => 1_000 / per_s;
export const burstMs = (rate: Rate): number => rate.burst * intervalMs(rate);

export class Budgets {
  readonly #full_ms = new Map<string, number>();
  readonly #interval_ms: number;
  readonly #burst_ms: number;
  readonly #now_ms: () => number;

  /** @param now_ms a clock that nobody sets */
  constructor(rate: Rate, now_ms: () => number = () => performance.now()) {
    this.#interval_ms = intervalMs(rate);
    this.#burst_ms = burstMs(rate);
    this.#now_ms = now_ms;
  }

  /** Takes one. @returns 0, or how many ms until there is one; then nothing was taken */
  take(name: string): number {
    const now_ms = this.#now_ms();
    const known_ms = this.#full_ms.get(name);
    const full_ms = Math.max(known_ms ?? 0, now_ms) + this.#interval_ms;
    const wait_ms = full_ms - now_ms - this.#burst_ms;
    if (wait_ms > SLACK_MS) return wait_ms;
    if (known_ms === undefined) this.#makeRoom();
    this.#full_ms.set(name, full_ms);
    return 0;
  }

  /** @returns 0 where there is one, or how many ms until there is; nothing is taken */
  wait_ms(name: string): number {
    const now_ms = this.#now_ms();
    const full_ms = Math.max(this.#full_ms.get(name) ?? 0, now_ms) + this.#interval_ms;
    return Math.max(0, full_ms - now_ms - this.#burst_ms);
  }

  /** As if one had not been taken. */
  giveBack(name: string): void {
    const full_ms = this.#full_ms.get(name);
    if (full_ms !== undefined) this.#full_ms.set(name, full_ms - this.#interval_ms);
  }

  #makeRoom(): void {
    const [oldest] = this.#full_ms.keys();
    if (this.#full_ms.size >= MAX_NAMES && oldest !== undefined) this.#full_ms.delete(oldest);
  }
}
