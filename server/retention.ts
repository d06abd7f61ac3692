// What is old goes, in the log and in analytics: by a time of its own, which a clock that was set does not take along (SPEC 14.2).
import { decodeTime } from "ulid";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import type { Store } from "../ingest/store/store.ts";

const DAY_MS = 86_400_000;
export const PURGE_EVERY_MS = 3_600_000;
/** Where its time lies behind the host's clock, it goes so much faster than the program runs. */
const CATCH_UP = 8;
/** Between two runs a clock that nobody set differs by less than this from how long the program ran. */
const EVEN_MS = 60_000;
/** Longer ago than this another process did it: whoever takes over counts no idle weeks of its own. */
const RAN_MAX_MS = 2 * PURGE_EVERY_MS;

export type RetentionDeps = {
  store: Pick<Store, "purge" | "lastEventId" | "retentionTime_ms" | "noteRetentionTime">;
  engine: Pick<Engine, "expire">;
  raw_retention_days: number;
  wall_ms?: () => number;
  running_ms?: () => number;
};

export class Retention {
  readonly #deps: Required<RetentionDeps>;
  /** Both clocks at the last run, or at the start. */
  #last: { wall_ms: number; running_ms: number };

  constructor(deps: RetentionDeps) {
    this.#deps = { wall_ms: Date.now, running_ms: () => performance.now(), ...deps };
    this.#last = this.#clocks();
  }

  /** Where it begins is noted before anything goes by it. */
  async begin(): Promise<void> {
    if ((await this.#deps.store.retentionTime_ms()) === 0) await this.#goOn();
  }

  /** Its time, for whatever else goes by it. */
  async time_ms(): Promise<number> {
    return Math.min(this.#deps.wall_ms(), await this.#deps.store.retentionTime_ms());
  }

  /** Notes how far it came since the last run: whoever is restarted often gets on as well. */
  async end(): Promise<void> {
    await this.#goOn();
  }

  /** @param busy whether somebody counts on what there is: then nothing goes any more */
  async run(busy: () => Promise<boolean>): Promise<void> {
    const { store, engine, raw_retention_days } = this.#deps;
    const now_ms = await this.#goOn();
    while (!(await busy()) && (await store.purge(now_ms - raw_retention_days * DAY_MS)) > 0);
    if (!(await busy())) await engine.expire(now_ms);
  }

  /**
   * Never ahead of the host's clock, and never faster than the program runs while that clock does not go evenly. Where it
   * stood is kept, and not set back by a clock that is: so a start with a wrong clock begins where retention stood, and catches
   * up slowly enough for somebody to see.
   */
  async #goOn(): Promise<number> {
    const { store } = this.#deps;
    const before = this.#last;
    const now = this.#clocks();
    this.#last = now;
    const ran_ms = now.running_ms - before.running_ms;
    const even = Math.abs(now.wall_ms - before.wall_ms - ran_ms) <= EVEN_MS;
    const stood_ms = (await store.retentionTime_ms()) || (await this.#newest_ms()) || before.wall_ms;
    const time_ms = Math.min(now.wall_ms, stood_ms + (even ? CATCH_UP : 1) * Math.min(ran_ms, RAN_MAX_MS));
    await store.noteRetentionTime(Math.max(stood_ms, time_ms));
    return time_ms;
  }

  /** When the newest event was taken: of a log that no release with this retention has seen. */
  async #newest_ms(): Promise<number> {
    const id = await this.#deps.store.lastEventId();
    return id === undefined ? 0 : decodeTime(id);
  }

  #clocks(): { wall_ms: number; running_ms: number } {
    const { wall_ms, running_ms } = this.#deps;
    return { wall_ms: wall_ms(), running_ms: running_ms() };
  }
}
