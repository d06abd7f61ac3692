// How much one may ask: requests of a key or a user, and sign-ins that fail; together over all replicas where there is a Redis.
import { Counter, type Registry } from "prom-client";
import type { Redis } from "../../ingest/live/redis.ts";
import { Problem } from "./errors.ts";
import { Budgets, type Rate } from "./gcra.ts";
import { RedisBudgets } from "./redis-budgets.ts";

/** Failed sign-ins of an address, and of a name whoever tries it. */
const SIGN_INS: Rate = { burst: 10, per_s: 10 / 60 };
/** Sign-ins of a user or a key that are right: each costs a moment of a core, and a session. */
const RIGHT_SIGN_INS: Rate = { burst: 60, per_s: 0.5 };
/** What was spent is told to the other replicas so often, or when it is this part of a burst. */
const TELL_EVERY_MS = 50;
const TELL_FRACTION = 20;
/** A sign-in does not wait longer for Redis; then this replica decides alone. */
const ASK_WITHIN_MS = 300;

/** Which budget it was. */
type Spent = "too_many_requests" | "too_many_sign_ins" | "sign_ins_failed" | "keys_wrong";

type Deps = {
  /** Requests a second of one key or user, and as many at once. */
  per_s: number;
  /** Without it each process limits by itself. */
  redis: Redis | undefined;
  metrics: Registry;
  now_ms?: () => number;
};

/**
 * A request is decided on here, at once: by a budget of this process, and by what Redis said of all replicas' spending, which
 * is told to it in batches. So replicas together may go over by what they spend between two batches; it is owed, and waited
 * for. A sign-in is decided on in Redis itself.
 */
export class RateLimits {
  readonly #rate: Rate;
  readonly #requests: Budgets;
  readonly #sign_ins: Budgets;
  readonly #right_sign_ins: Budgets;
  readonly #redis: RedisBudgets | undefined;
  readonly #refused: Counter;
  readonly #now_ms: () => number;
  readonly #telling: Timer | undefined;
  /** Spent here since Redis was told, by name. */
  #untold = new Map<string, number>();
  /** Whose budget the replicas together have used up, and until when. */
  readonly #shut_ms = new Map<string, number>();
  #told: Promise<void> | undefined;

  constructor({ per_s, redis, metrics, now_ms = () => performance.now() }: Deps) {
    this.#rate = { burst: per_s, per_s };
    this.#requests = new Budgets(this.#rate, now_ms);
    this.#sign_ins = new Budgets(SIGN_INS, now_ms);
    this.#right_sign_ins = new Budgets(RIGHT_SIGN_INS, now_ms);
    this.#now_ms = now_ms;
    this.#refused = new Counter({
      name: "mtc_rate_limited_requests_total",
      help: "Requests refused because a key, a user, an address or a name had used its budget up",
      labelNames: ["limit"],
      registers: [metrics],
    });
    if (!redis) return;
    this.#redis = new RedisBudgets(redis);
    this.#telling = setInterval(() => this.#tell(), TELL_EVERY_MS);
  }

  /** One request of a key or a user. @throws 429 with Retry-After */
  request(caller_id: string): void {
    const wait_ms = this.#shutFor(caller_id) || this.#requests.take(caller_id);
    if (wait_ms > 0) throw this.#tooMany("requests", wait_ms, this.#rate, "too_many_requests");
    if (!this.#redis) return;
    const untold = (this.#untold.get(caller_id) ?? 0) + 1;
    this.#untold.set(caller_id, untold);
    if (untold * TELL_FRACTION >= this.#rate.burst) this.#tell();
  }

  /**
   * One sign-in, counted as failed until it is found right: many at once are as many.
   * @param names what it counts against: `address:…`, `name:…`
   * @returns to be called when it was right
   * @throws 429 with Retry-After where too many failed
   */
  async signIn(...names: string[]): Promise<() => void> {
    const asked = names.map((name) => `sign-in:${name}`);
    const taken: string[] = [];
    const giveBack = (): void => {
      for (const name of taken) this.#sign_ins.giveBack(name);
    };
    for (const name of asked) {
      const wait_ms = this.#sign_ins.take(name);
      if (wait_ms > 0) {
        giveBack();
        throw this.#tooManySignIns(wait_ms);
      }
      taken.push(name);
    }
    const wait_ms = await this.#redis?.ask(SIGN_INS, asked, ASK_WITHIN_MS);
    if (wait_ms) {
      giveBack();
      throw this.#tooManySignIns(wait_ms);
    }
    return () => {
      giveBack();
      if (wait_ms !== undefined) void this.#redis?.tell(SIGN_INS, new Map(asked.map((name) => [name, -1])));
    };
  }

  /**
   * Before a password is looked at: whoever knows it may not have it looked at for ever. Only right sign-ins spend this
   * budget, so nobody uses up another's.
   * @throws 429 with Retry-After
   */
  maySignIn(name: string): void {
    const wait_ms = this.#right_sign_ins.wait_ms(name);
    if (wait_ms > 0) throw this.#tooMany("right-sign-ins", wait_ms, RIGHT_SIGN_INS, "too_many_sign_ins");
  }

  /** A sign-in that was right. @throws 429 with Retry-After where there were too many */
  signedIn(name: string): void {
    this.maySignIn(name);
    this.#right_sign_ins.take(name);
  }

  /** A key that is none; of this process alone. @throws 429 with Retry-After where an address tried too many */
  wrongKey(address: string): void {
    const wait_ms = this.#sign_ins.take(`wrong-key:${address}`);
    if (wait_ms > 0) throw this.#tooMany("wrong-keys", wait_ms, SIGN_INS, "keys_wrong");
  }

  async stop(): Promise<void> {
    clearInterval(this.#telling);
    await this.#told;
  }

  #shutFor(caller_id: string): number {
    const until_ms = this.#shut_ms.get(caller_id);
    if (until_ms === undefined) return 0;
    const wait_ms = until_ms - this.#now_ms();
    if (wait_ms > 0) return wait_ms;
    this.#shut_ms.delete(caller_id);
    return 0;
  }

  /** One batch at a time; what cannot be told is forgotten, and this process's own budget stays. */
  #tell(): void {
    if (this.#told !== undefined) return;
    for (const id of this.#shut_ms.keys()) this.#shutFor(id);
    if (this.#untold.size === 0) return;
    const spent = new Map([...this.#untold].map(([id, n]) => [`requests:${id}`, n]));
    this.#untold = new Map();
    this.#told = this.#redis?.tell(this.#rate, spent).then((waits) => {
      this.#told = undefined;
      for (const [name, wait_ms] of waits ?? []) {
        if (wait_ms > 0) this.#shut_ms.set(name.slice("requests:".length), this.#now_ms() + wait_ms);
      }
    });
  }

  #tooManySignIns(wait_ms: number): Problem {
    return this.#tooMany("sign-ins", wait_ms, SIGN_INS, "sign_ins_failed");
  }

  #tooMany(limit: string, wait_ms: number, { burst, per_s }: Rate, code: Spent): Problem {
    this.#refused.inc({ limit });
    const wait_s = Math.max(1, Math.ceil(wait_ms / 1_000));
    const headers = {
      "retry-after": String(wait_s),
      "ratelimit-policy": `"${limit}";q=${burst};w=${Math.round(burst / per_s)}`,
      ratelimit: `"${limit}";r=0;t=${wait_s}`,
    };
    return code === "too_many_requests" || code === "too_many_sign_ins"
      ? new Problem(code, { wait_s }, { headers })
      : new Problem(code, { max: burst, wait_s }, { headers });
  }
}
