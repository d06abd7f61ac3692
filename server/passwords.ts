// Passwords are kept as argon2id and looked at a few at a time: each costs memory and a core for a moment.
import { mutex } from "../domain/lib/mutex.ts";
import { Overloaded } from "../ingest/store/store.ts";

/** What OWASP asks for at the least: 19 MiB, two rounds. */
const COST = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
/** How many may wait (invariant 7): about two seconds' worth. */
const MAX_WAITING = 50;

/** Fewer different characters are tried first by whoever guesses. */
const MIN_DIFFERENT = 5;
/** What lies side by side on keyboards and in the alphabet. */
const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "йцукенгшщзхъ",
];
const COMMON = /^(password|passwort|qwerty|admin|administrator|letmein|welcome|пароль|iloveyou)[\d\W_]*$/;

/**
 * Is this among what is tried first: a few characters again and again, a row of the keyboard, a common word with digits
 * behind it, the name itself?
 * @param login the name that it is for, as it is looked for
 */
export function isGuessable(password: string, login: string): boolean {
  const typed = password.normalize("NFKC").toLowerCase();
  if (new Set(typed).size < MIN_DIFFERENT || COMMON.test(typed)) return true;
  if (typed.replaceAll(login, "").length < MIN_DIFFERENT) return true;
  return ROWS.some((row) => {
    const endless = row.repeat(Math.ceil(typed.length / row.length) + 1);
    return endless.includes(typed) || [...endless].reverse().join("").includes(typed);
  });
}

export class Passwords {
  /** What an unknown name's password is held against, so that it takes as long as a known one's. */
  #nobody: Promise<string> | undefined;
  readonly #exclusive = mutex();
  #waiting = 0;

  hash(password: string): Promise<string> {
    return this.#bounded(() => Bun.password.hash(password.normalize("NFKC"), COST));
  }

  /** @param hash without it nothing is right */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    this.#nobody ??= this.hash(crypto.randomUUID());
    const nobody = await this.#nobody;
    const right = await this.#bounded(() => Bun.password.verify(password.normalize("NFKC"), hash ?? nobody));
    return right && hash !== undefined;
  }

  /** @throws Overloaded where too many wait */
  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw new Overloaded("too many sign-ins at once", 2);
    this.#waiting += 1;
    try {
      return await this.#exclusive(work);
    } finally {
      this.#waiting -= 1;
    }
  }
}
