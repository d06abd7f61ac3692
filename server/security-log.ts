// The security log: who was refused what, from where and why, a JSON line each, in files that are bounded; no secret is in it.
import { appendFile, rename, stat } from "node:fs/promises";
import { cut } from "../ingest/sources/text.ts";
import { Budgets } from "./plugins/gcra.ts";

/** One file's size, and how many older ones are kept beside it (invariant 7). */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const OLDER_FILES = 4;
/** Lines at once and a second; what is beyond is counted in the next one. */
const RATE = { burst: 200, per_s: 20 };

export type Refusal = {
  /** A key's or a user's name; "" where nobody is known. */
  who: string;
  /** Method and path, without the query: there a token may stand. */
  what: string;
  /** The address. */
  from: string;
  why: string;
};

export class SecurityLog {
  readonly #path: string;
  readonly #max_bytes: number;
  readonly #budget: Budgets;
  readonly #log: (message: string) => void;
  #left_out = 0;
  #lines: string[] = [];
  #writing: Promise<void> | undefined;
  #size_bytes: number | undefined;
  #failed = false;

  constructor(
    path: string,
    log: (message: string) => void,
    { max_bytes = MAX_FILE_BYTES, now_ms = (): number => performance.now() } = {},
  ) {
    this.#budget = new Budgets(RATE, now_ms);
    this.#path = path;
    this.#log = log;
    this.#max_bytes = max_bytes;
  }

  /** Never throws, and waits for no disk. */
  note({ who, what, from, why }: Refusal): void {
    if (this.#budget.take("") > 0) {
      this.#left_out += 1;
      return;
    }
    const left_out = this.#left_out > 0 ? { left_out: this.#left_out } : {};
    this.#left_out = 0;
    const refusal = { who: cut(who, 200), what: cut(what, 300), from: cut(from, 100), why: cut(why, 300) };
    this.#lines.push(`${JSON.stringify({ time: new Date().toISOString(), ...refusal, ...left_out })}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was noted is in the file. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#lines.length > 0) {
      const text = this.#lines.join("");
      this.#lines = [];
      try {
        await this.#turn(Buffer.byteLength(text));
        await appendFile(this.#path, text, { mode: 0o600 });
        this.#failed = false;
      } catch (error) {
        // Once, and not for each line: whoever is refused must not fill that log instead.
        if (!this.#failed) this.#log(`security log: ${(error as Error).message}`);
        this.#failed = true;
        this.#size_bytes = undefined;
      }
    }
    this.#writing = undefined;
  }

  /** Begins another file where this one would be over its bound. */
  async #turn(more_bytes: number): Promise<void> {
    this.#size_bytes ??= (await stat(this.#path).catch(() => undefined))?.size ?? 0;
    if (this.#size_bytes > 0 && this.#size_bytes + more_bytes > this.#max_bytes) {
      for (let n = OLDER_FILES; n >= 1; n--) {
        const from = n === 1 ? this.#path : `${this.#path}.${n - 1}`;
        await rename(from, `${this.#path}.${n}`).catch(() => undefined);
      }
      this.#size_bytes = 0;
    }
    this.#size_bytes += more_bytes;
  }
}
