// A failure that goes on: told once with its cause, and once when it is over, however often it was tried meanwhile.

/** Since when something fails, and why. */
export type Failing = { error: string; since_ms: number };

/** So many causes of one failure are told; one that goes on has one or two. */
const MAX_CAUSES = 10;
const MAX_LENGTH = 500;

/** An error in words: there are some, whatever was thrown. */
export function causeOf(error: unknown): string {
  const { message, code, name, cause } = Object(error) as Partial<Error & { code: unknown }>;
  const words =
    message?.trim() ||
    (cause === undefined ? "" : causeOf(cause)) ||
    `${code ?? name ?? error}, without a word`;
  return words.replaceAll(/\s*\n\s*/g, " ").slice(0, MAX_LENGTH);
}

export class Trouble {
  readonly #what: string;
  readonly #log: (message: string) => void;
  #failing: Failing | undefined;
  /** Told already, without the numbers in them: those of a request or a time differ with every try. */
  readonly #told = new Set<string>();

  /** @param what fails, as the log's lines begin */
  constructor(what: string, log: (message: string) => void) {
    this.#what = what;
    this.#log = log;
  }

  /** Undefined while nothing is wrong. */
  get failing(): Failing | undefined {
    return this.#failing;
  }

  /** @param since_ms when what failed was begun */
  failed(error: unknown, since_ms = Date.now()): void {
    const cause = causeOf(error);
    this.#failing = { error: cause, since_ms: this.#failing?.since_ms ?? since_ms };
    const kind = cause.replaceAll(/\d+(\.\d+)?/g, "#");
    if (this.#told.has(kind) || this.#told.size >= MAX_CAUSES) return;
    this.#told.add(kind);
    this.#log(`${this.#what}: ${cause}`);
  }

  over(): void {
    if (!this.#failing) return;
    const lasted_s = (Date.now() - this.#failing.since_ms) / 1_000;
    this.#failing = undefined;
    this.#told.clear();
    this.#log(`${this.#what}: goes on, after ${lasted_s.toFixed(1)} s`);
  }
}
