// Waiting between attempts to reach a source: doubling, with jitter, and ended at once by a stop.

export type BackoffOptions = { first_ms: number; max_ms: number };

export const DEFAULT_BACKOFF: BackoffOptions = { first_ms: 500, max_ms: 30_000 };

/** Exponential backoff; half of every delay is random, so that many collectors do not knock in step. */
export class Backoff {
  readonly #options: BackoffOptions;
  #next_ms: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#next_ms = options.first_ms;
  }

  /** How long to wait before the next attempt. */
  next_ms(): number {
    const delay_ms = this.#next_ms;
    this.#next_ms = Math.min(delay_ms * 2, this.#options.max_ms);
    return delay_ms / 2 + (Math.random() * delay_ms) / 2;
  }

  /** The source answered: start over with the shortest delay. */
  reset(): void {
    this.#next_ms = this.#options.first_ms;
  }
}

/** Waits; returns early, without an error, when the signal aborts. */
export function sleep(delay_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delay_ms);
    signal.addEventListener("abort", done);
  });
}
