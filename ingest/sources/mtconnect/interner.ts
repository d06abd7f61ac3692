// Strings by their bytes: what was decoded once is not decoded again, and a dictionary is built on the way.
import { decodeUtf8 } from "./bytes.ts";

const FIRST_SLOTS = 1_024;
const FIRST_ARENA_BYTES = 16_384;
/** Over these bounds everything is forgotten when the next dictionary begins (invariant 7). */
const MAX_STRINGS = 32_768;
const MAX_ARENA_BYTES = 2 * 1024 * 1024;

/** Strings of one hash that are kept: by chance there are hardly two, but they can be made whatever the multiplier is. */
const MAX_EQUAL_HASHES = 8;

/** Not the same in every run, so that nobody can write names that all fall into one place. */
const MULTIPLIER = Math.trunc(Math.random() * 2 ** 30) * 4 + 3;

/** Interns byte strings for one dictionary after another: equal bytes are one entry, decoded at most once. But where they were made to have one hash. */
export class Interner {
  readonly #decode: (text: string) => string;
  /** Open addressing; 0 is free, else the number of a string plus 1. */
  #slots = new Int32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS);
  #starts = new Int32Array(FIRST_SLOTS);
  #lengths = new Int32Array(FIRST_SLOTS);
  /** In which dictionary a string was last seen, and its index there. */
  #epochs = new Int32Array(FIRST_SLOTS);
  #indexes = new Int32Array(FIRST_SLOTS);
  #arena = new Uint8Array(FIRST_ARENA_BYTES);
  #used_bytes = 0;
  #strings: string[] = [];
  #epoch = 0;
  #dictionary: string[] = [];

  /** @param decode applied once to each new string, as decoded from UTF-8 */
  constructor(decode: (text: string) => string) {
    this.#decode = decode;
  }

  /** From here on {@link index} counts in `dictionary`, which it fills. */
  begin(dictionary: string[]): void {
    if (this.#strings.length > MAX_STRINGS || this.#used_bytes > MAX_ARENA_BYTES) this.#forget();
    this.#epoch += 1;
    this.#dictionary = dictionary;
  }

  /** The index of these bytes' string in the dictionary, where it is put if it is new there. */
  index(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, MULTIPLIER) + (bytes[i] as number)) | 0;
    const mask = this.#slots.length - 1;
    // The low bits alone would put neighbours side by side.
    let slot = (hash ^ (hash >>> 15)) & mask;
    let equal_hashes = 0;
    for (;;) {
      const n = (this.#slots[slot] as number) - 1;
      if (n < 0) return this.#add(slot, hash, bytes, start, end);
      if (this.#hashes[n] === hash) {
        if (this.#equals(n, bytes, start, end)) return this.#indexOf(n);
        if (++equal_hashes === MAX_EQUAL_HASHES) return this.#alone(bytes, start, end);
      }
      slot = (slot + 1) & mask;
    }
  }

  /** An entry that is not kept: the next time it is another one. */
  #alone(bytes: Uint8Array, start: number, end: number): number {
    return this.#dictionary.push(this.#decode(decodeUtf8(bytes, start, end))) - 1;
  }

  #equals(n: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#lengths[n] !== length) return false;
    const from = this.#starts[n] as number;
    for (let i = 0; i < length; i++) if (this.#arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #indexOf(n: number): number {
    if (this.#epochs[n] === this.#epoch) return this.#indexes[n] as number;
    this.#epochs[n] = this.#epoch;
    return (this.#indexes[n] = this.#dictionary.push(this.#strings[n] as string) - 1);
  }

  #add(slot: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const n = this.#strings.length;
    if (this.#used_bytes + end - start > this.#arena.length) this.#growArena(end - start);
    this.#arena.set(bytes.subarray(start, end), this.#used_bytes);
    this.#starts[n] = this.#used_bytes;
    this.#lengths[n] = end - start;
    this.#used_bytes += end - start;
    this.#hashes[n] = hash;
    this.#epochs[n] = -1;
    this.#slots[slot] = n + 1;
    this.#strings.push(this.#decode(decodeUtf8(bytes, start, end)));
    // At most half full, so that a search ends soon.
    if (2 * (n + 2) > this.#slots.length) this.#growTable();
    return this.#indexOf(n);
  }

  #growArena(needed_bytes: number): void {
    const arena = new Uint8Array(2 * (this.#used_bytes + needed_bytes));
    arena.set(this.#arena.subarray(0, this.#used_bytes));
    this.#arena = arena;
  }

  #growTable(): void {
    const size = 2 * this.#slots.length;
    const grown = (old: Int32Array) => {
      const made = new Int32Array(size);
      made.set(old);
      return made;
    };
    this.#hashes = grown(this.#hashes);
    this.#starts = grown(this.#starts);
    this.#lengths = grown(this.#lengths);
    this.#epochs = grown(this.#epochs);
    this.#indexes = grown(this.#indexes);
    this.#slots = new Int32Array(size);
    for (let n = 0; n < this.#strings.length; n++) {
      const hash = this.#hashes[n] as number;
      let slot = (hash ^ (hash >>> 15)) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = n + 1;
    }
  }

  #forget(): void {
    this.#slots = new Int32Array(FIRST_SLOTS);
    this.#arena = new Uint8Array(FIRST_ARENA_BYTES);
    this.#used_bytes = 0;
    this.#strings = [];
    this.#hashes = new Int32Array(FIRST_SLOTS);
    this.#starts = new Int32Array(FIRST_SLOTS);
    this.#lengths = new Int32Array(FIRST_SLOTS);
    this.#epochs = new Int32Array(FIRST_SLOTS);
    this.#indexes = new Int32Array(FIRST_SLOTS);
  }
}
