// Machines whose days the engine refuses to roll up: set aside with the error, so that all others go on; tried again later.
import { detailOf } from "../../domain/problem.ts";

/** When such a machine is tried again: after this, twice that, and so on to the longest. */
const FIRST_MS = 30_000;
const LONGEST_MS = 600_000;
/** An engine's words may hold the whole statement. */
const MAX_ERROR_LENGTH = 300;

/** One that is set aside: since when, and when it is tried again, ms since 1970. */
export type Aside = { machine: string; error: string; since_ms: number; again_ms: number };

/** Figures of these machines are asked for, and cannot be had now. */
export class SetAside extends Error {
  override readonly name = "SetAside";
  readonly machines: readonly string[];
  readonly retry_after_s: number;
  constructor(aside: readonly Aside[], now_ms: number) {
    const machines = aside.map(({ machine }) => machine);
    super(detailOf("set_aside", { machines }));
    this.machines = machines;
    const again_ms = Math.min(...aside.map((one) => one.again_ms));
    this.retry_after_s = Math.max(1, Math.ceil((again_ms - now_ms) / 1_000));
  }
}

/** Who is set aside, by tenant; told in the log once, and once more when it is over. */
export class AsideList {
  readonly #known = new Map<string, Aside & { tenant: string; rest_ms: number }>();
  readonly #log: (message: string) => void;
  readonly #now_ms: () => number;

  constructor(log: (message: string) => void, now_ms: () => number = Date.now) {
    this.#log = log;
    this.#now_ms = now_ms;
  }

  /** Those of a tenant's machines that are set aside, in their order. */
  of(tenant: string, machines: readonly string[]): Aside[] {
    return machines.flatMap((machine) => {
      const known = this.#known.get(`${tenant}/${machine}`);
      return known ? [{ ...known }] : [];
    });
  }

  has(tenant: string, machine: string): boolean {
    return this.#known.has(`${tenant}/${machine}`);
  }

  /** Is it set aside, and not to be tried yet? */
  waits(tenant: string, machine: string): boolean {
    const known = this.#known.get(`${tenant}/${machine}`);
    return known !== undefined && this.#now_ms() < known.again_ms;
  }

  /** It failed, once more or for the first time. */
  add(tenant: string, machine: string, { message }: Error): void {
    const now_ms = this.#now_ms();
    const known = this.#known.get(`${tenant}/${machine}`);
    const rest_ms = known ? Math.min(2 * known.rest_ms, LONGEST_MS) : FIRST_MS;
    const error = message.slice(0, MAX_ERROR_LENGTH);
    const since_ms = known?.since_ms ?? now_ms;
    this.#known.set(`${tenant}/${machine}`, {
      tenant,
      machine,
      error,
      since_ms,
      rest_ms,
      again_ms: now_ms + rest_ms,
    });
    if (error !== known?.error) this.#log(`roll-up: machine ${machine} is set aside: ${error}`);
  }

  /** It was rolled up. */
  clear(tenant: string, machine: string): void {
    if (this.#known.delete(`${tenant}/${machine}`)) this.#log(`roll-up: machine ${machine} goes on`);
  }
}
