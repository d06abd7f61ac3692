// So many at once, so many that wait, and no more.

/** Too many questions at once: 429. */
export class TooManyQueries extends Error {
  override readonly name = "TooManyQueries";
}

export class Admission {
  readonly #lanes: number;
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /** @param lanes how many run at once @param places how many wait for a lane */
  constructor(lanes: number, places: number) {
    this.#lanes = lanes;
    this.#places = places;
  }

  /**
   * Runs the work when a lane is free.
   * @param left whoever waits is gone, and waits no longer
   * @throws TooManyQueries where all places are taken, the reason of `left`, and what the work throws
   */
  async run<T>(work: () => Promise<T>, left?: AbortSignal): Promise<T> {
    if (this.#running < this.#lanes) this.#running += 1;
    else await this.#wait(left);
    try {
      return await work();
    } finally {
      // The lane goes to the next one as it is.
      const [next] = this.#waiting;
      if (next) next();
      else this.#running -= 1;
    }
  }

  #wait(left?: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#places)
      throw new TooManyQueries(`${this.#waiting.size} queries wait already`);
    return new Promise((resolve, reject) => {
      const go = (): void => {
        this.#waiting.delete(go);
        left?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(go);
        reject(left?.reason);
      };
      this.#waiting.add(go);
      left?.addEventListener("abort", leave, { once: true });
    });
  }
}
