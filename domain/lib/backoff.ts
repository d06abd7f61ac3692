// Waiting between attempts: doubling, with jitter.

export type BackoffOptions = { first_ms: number; max_ms: number };

/** Exponential backoff; half of every delay is random, so that many callers do not knock in step. */
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

  /** An attempt went well: start over with the shortest delay. */
  reset(): void {
    this.#next_ms = this.#options.first_ms;
  }
}
