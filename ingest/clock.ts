// The host's clock as modules are read by it: it goes as the program runs, and where the host's is set it is in doubt (SPEC 5.9).

/** From so far on the host's clock was set; what is less is followed little by little. */
const JUMP_MS = 1_000;
/** Of looks far apart the time between may be told so differently by what only drifts. */
const DRIFT = 1 / 1_000;
/** So much faster or slower it goes until a small difference is gone. */
const SLEW = 1 / 10;
/** A clock that was set is in doubt for as long as it was set by, but not longer: it may be set back. */
const DOUBT_MAX_MS = 600_000;

export type HostClockOptions = {
  log?: (message: string) => void;
  /** The host's clock, ms since 1970: somebody may set it. */
  wall_ms?: () => number;
  /** Nobody sets this one; where it starts does not matter. */
  running_ms?: () => number;
};

type Doubt = { by_ms: number; until_ms: number };

export class HostClock {
  readonly #log: (message: string) => void;
  readonly #wall_ms: () => number;
  readonly #running_ms: () => number;
  /** The time that was told last, and when that was by the running time. */
  #time_ms: number;
  #at_ms: number;
  #doubt: Doubt | undefined;
  #turns = 0;

  constructor({
    log = () => {},
    wall_ms = Date.now,
    running_ms = () => performance.now(),
  }: HostClockOptions = {}) {
    this.#log = log;
    this.#wall_ms = wall_ms;
    this.#running_ms = running_ms;
    this.#time_ms = wall_ms();
    this.#at_ms = running_ms();
  }

  /** ms since 1970. It goes back by nothing but a clock that was set back and stayed so: `turns` has changed then. */
  now_ms(): number {
    this.#look();
    return Math.floor(this.#time_ms);
  }

  /** Why its time is in doubt, in words; "" while it is not. */
  doubt(): string {
    this.#look();
    return this.#doubt ? `the host's clock was set ${wordsOf(this.#doubt.by_ms)}` : "";
  }

  /** Another number where time was in doubt since: what was read before cannot be told by what was read after. */
  get turns(): number {
    this.#look();
    return this.#turns;
  }

  #look(): void {
    const at_ms = this.#running_ms();
    const ran_ms = at_ms - this.#at_ms;
    const even_ms = this.#time_ms + ran_ms;
    const off_ms = this.#wall_ms() - even_ms;
    this.#at_ms = at_ms;
    if (Math.abs(off_ms) <= Math.max(JUMP_MS, ran_ms * DRIFT)) {
      const most_ms = ran_ms * SLEW;
      this.#time_ms = even_ms + Math.min(most_ms, Math.max(-most_ms, off_ms));
      if (this.#doubt) this.#sure("is what it was before");
      return;
    }
    this.#time_ms = even_ms;
    if (!this.#doubt || Math.abs(off_ms - this.#doubt.by_ms) > JUMP_MS) this.#begin(off_ms, at_ms);
    else if (at_ms >= this.#doubt.until_ms) {
      this.#time_ms = even_ms + off_ms;
      this.#sure("stays as it was set");
    }
  }

  #begin(by_ms: number, at_ms: number): void {
    const for_ms = Math.min(Math.abs(by_ms), DOUBT_MAX_MS);
    this.#doubt = { by_ms, until_ms: at_ms + for_ms };
    this.#turns += 1;
    this.#log(
      `clock: the host's clock was set ${wordsOf(by_ms)}; what modules tell waits until it has stayed so for ${(for_ms / 1_000).toFixed(1)} s`,
    );
  }

  #sure(how: string): void {
    this.#doubt = undefined;
    this.#turns += 1;
    this.#log(`clock: the host's clock ${how}; modules go on`);
  }
}

const wordsOf = (by_ms: number): string =>
  `${(Math.abs(by_ms) / 1_000).toFixed(1)} s ${by_ms > 0 ? "ahead" : "back"}`;
