// Passwords are kept as argon2id and looked at a few at a time: each costs memory and a core for a moment.
import { takeTurns } from "../analytics-sql/turns.ts";
import { Overloaded } from "../ingest/store/store.ts";

/** What OWASP asks for at the least: 19 MiB, two rounds. */
const COST = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
/** How many may wait (invariant 7): about two seconds' worth. */
const MAX_WAITING = 50;

export class Passwords {
  /** What an unknown name's password is held against, so that it takes as long as a known one's. */
  #nobody: Promise<string> | undefined;
  readonly #turn = takeTurns();
  #waiting = 0;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => Bun.password.hash(password.normalize("NFKC"), COST));
  }

  /** @param hash without it nothing is right */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    this.#nobody ??= this.hash(crypto.randomUUID());
    const nobody = await this.#nobody;
    const right = await this.#inTurn(() => Bun.password.verify(password.normalize("NFKC"), hash ?? nobody));
    return right && hash !== undefined;
  }

  /** @throws Overloaded where too many wait */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw new Overloaded("too many sign-ins at once", 2);
    this.#waiting += 1;
    try {
      return await this.#turn(work);
    } finally {
      this.#waiting -= 1;
    }
  }
}
