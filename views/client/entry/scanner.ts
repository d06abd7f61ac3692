// Tells a barcode scanner, which types like a keyboard, from a person: it is faster than any hand, and ends with Enter.

/** Scanners leave 1-30 ms between keys; the fastest hands some 60. */
const MAX_PAUSE_MS = 45;
const MIN_LENGTH = 3;
const MAX_LENGTH = 100;

export class Scanner {
  #code = "";
  #last_ms = Number.NEGATIVE_INFINITY;

  /**
   * @param key as `KeyboardEvent.key` says
   * @param at_ms when it was pressed
   * @returns the code, with the Enter that ends it
   */
  key(key: string, at_ms: number): string | undefined {
    if (at_ms - this.#last_ms > MAX_PAUSE_MS) this.#code = "";
    this.#last_ms = at_ms;
    if (key === "Enter") {
      const code = this.#code;
      this.#code = "";
      return code.length >= MIN_LENGTH ? code : undefined;
    }
    // Shift and the like come between the letters; a code longer than any is none.
    if (key.length === 1) this.#code = this.#code.length < MAX_LENGTH ? this.#code + key : "";
    return undefined;
  }
}
