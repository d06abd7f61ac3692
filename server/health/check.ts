// A look at something that may hang or fail, again and again in the background: whoever wants to know never waits for it.
import { Trouble } from "../../ingest/trouble.ts";

/** What a look found last, and when that was; `error` is "" unless it fails, or does not answer, since `since_ms`. */
export type Seen<T> = { value: T | undefined; at_ms: number; error: string; since_ms: number };

export type Check<T> = {
  seen(): Seen<T>;
  stop(): void;
};

/** From one look to the next, unless somebody asks; a look that takes long is rarer: it may cost a tenth of the time. */
const EVERY_MS = 1_000;
const ASKED_MS = 100;
const REST_TIMES = 9;
const REST_MAX_MS = 10_000;
/** The first look may have to connect. */
const FIRST_MS = 5_000;

/**
 * Starts at once. One look at a time: one that hangs is waited for, and is known as failing meanwhile.
 * @param name as the log's lines begin; `patience_ms` how long a look may take before it counts as failing
 */
export function check<T>(
  name: string,
  look: () => T | Promise<T>,
  { log, patience_ms }: { log: (message: string) => void; patience_ms: number },
): Check<T> {
  let running = true;
  const trouble = new Trouble(name, (message) => running && log(message));
  let found: { value: T; at_ms: number } | undefined;
  let wake = (): void => {};

  /** @returns whether it went well */
  async function once(): Promise<boolean> {
    const began_ms = Date.now();
    const bound_ms = found ? patience_ms : Math.max(FIRST_MS, patience_ms);
    let open = true;
    const late = (): void => {
      if (open) trouble.failed(new Error(`no answer within ${bound_ms / 1_000} s`), began_ms);
    };
    // An answer that is here already, and that this process was too busy to take, is none that is missing.
    const timer = Number.isFinite(bound_ms) ? setTimeout(() => setImmediate(late), bound_ms) : undefined;
    try {
      found = { value: await look(), at_ms: began_ms };
      trouble.over();
      return true;
    } catch (error) {
      trouble.failed(error, began_ms);
      return false;
    } finally {
      open = false;
      clearTimeout(timer);
    }
  }

  /** Ends when it is time for the next look: sooner where somebody asks. */
  async function rest(took_ms: number): Promise<void> {
    const least_ms = Math.min(REST_MAX_MS, Math.max(ASKED_MS, REST_TIMES * took_ms));
    const least = Bun.sleep(least_ms);
    const timer = Promise.withResolvers<void>();
    wake = timer.resolve;
    const longest = setTimeout(timer.resolve, Math.max(EVERY_MS, least_ms));
    await timer.promise;
    clearTimeout(longest);
    await least;
  }

  async function run(): Promise<void> {
    while (running) {
      const began_ms = performance.now();
      const went_well = await once();
      // What did not answer cost nothing, and is to be seen when it is back.
      if (running) await rest(went_well ? performance.now() - began_ms : 0);
    }
  }
  void run();

  return {
    seen() {
      wake();
      const { error = "", since_ms = 0 } = trouble.failing ?? {};
      return { value: found?.value, at_ms: found?.at_ms ?? 0, error, since_ms };
    },
    stop() {
      running = false;
      wake();
    },
  };
}
