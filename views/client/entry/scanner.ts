// Tells a barcode scanner, which types like a keyboard, from a person: it is faster than any hand, and ends with Enter or Tab.

/** Scanners leave 1-30 ms between keys; the fastest hands some 60. */
const MAX_PAUSE_MS = 45;
/** Keys further apart belong to no one scan, however busy the machine that hands them on. */
export const MAX_REST_MS = 2_000;
/** So many quick pauses in a row are no hand's any more. */
const QUICK_ROW = 3;
const MIN_LENGTH = 3;
const MAX_LENGTH = 100;

/** What a key is, with all that came before it. */
export type Heard =
  /** A person's, as far as is known by now; `first` after a pause, so that a scan may begin with it. */
  | { kind: "key"; first: boolean }
  /** Of a scan that goes on, or of what a scanner sends behind one. */
  | { kind: "scan" }
  | { kind: "code"; code: string }
  /** The end of a scan of which something may be missing: there was a pause within it, or it was longer than any code. */
  | { kind: "torn" };

export class Scanner {
  #code = "";
  #last_ms = Number.NEGATIVE_INFINITY;
  #ended_ms = Number.NEGATIVE_INFINITY;
  /** Pauses since the first key, and the quick ones among them since the last slow one. */
  #quick = 0;
  #slow = 0;
  #row = 0;

  /**
   * @param key as `KeyboardEvent.key` says
   * @param at_ms when it was pressed
   */
  key(key: string, at_ms: number): Heard {
    const pause_ms = at_ms - this.#last_ms;
    const is_slow = pause_ms > MAX_PAUSE_MS;
    if (pause_ms > MAX_REST_MS) this.#forget();
    else if (this.#code !== "") this.#pause(is_slow);
    const first = is_slow || this.#code === "";
    this.#last_ms = at_ms;
    if (key === "Enter" || key === "Tab") return this.#end(at_ms, first);
    // Shift and the like come between the letters.
    if (key.length === 1) this.#code += key;
    return this.#row >= QUICK_ROW ? { kind: "scan" } : { kind: "key", first };
  }

  /** Whether keys of a scan have come whose end has not: asked when nothing came for {@link MAX_REST_MS}, and forgotten then. */
  unended(): boolean {
    const was_scan = this.#row >= QUICK_ROW && this.#code.length >= MIN_LENGTH;
    this.#forget();
    return was_scan;
  }

  #pause(is_slow: boolean): void {
    this.#row = is_slow ? 0 : this.#row + 1;
    if (is_slow) this.#slow += 1;
    else this.#quick += 1;
  }

  #end(at_ms: number, first: boolean): Heard {
    const [code, quick, slow] = [this.#code, this.#quick, this.#slow];
    this.#forget();
    // Some send a line feed behind the Enter.
    if (code === "" && at_ms - this.#ended_ms <= MAX_PAUSE_MS) return { kind: "scan" };
    const is_scan = slow === 0 ? code.length >= MIN_LENGTH : quick > slow && quick >= QUICK_ROW;
    if (!is_scan) return { kind: "key", first };
    this.#ended_ms = at_ms;
    return slow === 0 && code.length <= MAX_LENGTH ? { kind: "code", code } : { kind: "torn" };
  }

  #forget(): void {
    this.#code = "";
    this.#quick = 0;
    this.#slow = 0;
    this.#row = 0;
  }
}
