// Room for agents' long answers: all that are in memory at once, each from where it gets long until it was read.
import { MAX_ANSWERS_BYTES } from "./bounds.ts";

type Waiting = { bytes: number; go: () => void };

export class Room {
  #free_bytes: number;
  /** In the order in which they came: who wants much is not passed by for ever by those who want little. */
  readonly #waiting: Waiting[] = [];

  constructor(bytes: number) {
    this.#free_bytes = bytes;
  }

  get free_bytes(): number {
    return this.#free_bytes;
  }

  /**
   * Resolves when there is room.
   * @param bytes no more than there is in all
   * @returns what gives it back, once
   * @throws the reason of `stop`
   */
  async take(bytes: number, stop: AbortSignal): Promise<() => void> {
    stop.throwIfAborted();
    const turn = Promise.withResolvers<void>();
    const one = { bytes, go: turn.resolve };
    const leave = (): void => {
      const place = this.#waiting.indexOf(one);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      turn.reject(stop.reason);
      this.#next();
    };
    stop.addEventListener("abort", leave, { once: true });
    this.#waiting.push(one);
    this.#next();
    await turn.promise.finally(() => stop.removeEventListener("abort", leave));
    let held_bytes = bytes;
    return () => {
      this.#free_bytes += held_bytes;
      held_bytes = 0;
      this.#next();
    };
  }

  #next(): void {
    for (let [one] = this.#waiting; one && one.bytes <= this.#free_bytes; [one] = this.#waiting) {
      this.#waiting.shift();
      this.#free_bytes -= one.bytes;
      one.go();
    }
  }
}

/** That of all agents. */
export const answers = new Room(MAX_ANSWERS_BYTES);
