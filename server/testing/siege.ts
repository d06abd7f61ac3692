// For tests: all attacks at once upon a running program, again and again, and those who mean well beside them.
import { pace } from "../../.ci/limits.ts";
import type { TestServer } from "./server.ts";
import { ATTACKS } from "./siege-attacks.ts";

/** What an attack has to work with. */
export type Siege = {
  server: TestServer;
  /** A key with those scopes, read where nothing is said. */
  newKey(name: string, scopes?: string[]): Promise<string>;
  /** Notes how something ended: a status, or a word. */
  note(who: string, outcome: string | number): void;
  /** Whether it goes on. */
  running(): boolean;
  /** Waits, no longer than it goes on. */
  pause(ms: number): Promise<void>;
  /** A key that ended the engine, and was shut out. */
  shutOut(key: string): void;
  /** Notes that the engine was asked for more memory than it may have, between these two times. */
  greedy(from_ms: number, to_ms: number): void;
};

const STEP_MS = 200;

/** Who was answered what, how often. */
export type Tally = Map<string, Map<string, number>>;

export class Besieged {
  readonly tally: Tally = new Map();
  /** The keys that were shut out, the last one at the end. */
  readonly shut_out: string[] = [];
  /** When the engine was asked for more memory than it may have, by performance.now(). */
  readonly greedy: { from_ms: number; to_ms: number }[] = [];
  #running = true;
  readonly #attacking: Promise<unknown>;

  constructor(server: TestServer) {
    const running = (): boolean => this.#running;
    const siege: Siege = {
      server,
      running,
      newKey: async (name, scopes = ["read"]) =>
        (await server.call<{ key: string }>("POST", "/api/v1/keys", { name, scopes })).body.key,
      note: (who, outcome) => this.#note(who, String(outcome)),
      async pause(ms) {
        const until_ms = performance.now() + ms;
        while (running() && performance.now() < until_ms) await pace(STEP_MS);
      },
      shutOut: (key) => this.shut_out.push(key),
      greedy: (from_ms, to_ms) => this.greedy.push({ from_ms, to_ms }),
    };
    this.#attacking = Promise.all(ATTACKS.map((attack) => attack(siege)));
    // It is told when it is stopped.
    this.#attacking.catch(() => {});
  }

  /** @throws what an attack met with that was no answer */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#attacking;
  }

  /** How often who was answered that. */
  count(who: string, outcome: string): number {
    return this.tally.get(who)?.get(outcome) ?? 0;
  }

  #note(who: string, outcome: string): void {
    const own = this.tally.get(who) ?? new Map<string, number>();
    this.tally.set(who, own.set(outcome, (own.get(outcome) ?? 0) + 1));
  }
}
