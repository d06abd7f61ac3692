// Read your write: whoever asks for exact figures waits until what their tenant had written by then is in analytics.
import type { Bus } from "../ingest/outbox/bus.ts";
import type { Relay } from "../ingest/outbox/relay.ts";
import type { Store } from "../ingest/store/store.ts";
import { causeOf } from "../ingest/trouble.ts";
import { Problem } from "./plugins/errors.ts";

/** Longer than a delivery takes that goes well, and shorter than a client waits. */
const WITHIN_MS = 5_000;
const RETRY_AFTER_S = 2;
/** Whoever comes within this time of each other waits for the same look. */
const TOGETHER_MS = 100;
const POLL_MS = { min: 20, max: 250 };

type Deps = { store: Pick<Store, "waiting">; bus: Pick<Bus, "settled">; relay: Pick<Relay, "hurry"> };
/** A tenant's latest look, and the one that whoever comes now is served by: it has not begun. */
type Looks = { began_ms: number; next: Promise<void> | undefined };

export class Arrivals {
  readonly #deps: Deps;
  readonly #looks = new Map<string, Looks>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Resolves when all that the tenant had written before the call is in analytics.
   * @throws Problem 503 where that takes too long
   */
  async of(tenant_id: string): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(notYet("it waits to be delivered")), WITHIN_MS);
    try {
      await Promise.race([this.#next(tenant_id), late.promise]);
    } catch (error) {
      throw error instanceof Problem ? error : notYet(causeOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** A look that has begun may have missed what the caller had written; one of many callers must not be one each. */
  #next(tenant_id: string): Promise<void> {
    const looks = this.#looks.get(tenant_id) ?? { began_ms: -Infinity, next: undefined };
    this.#looks.set(tenant_id, looks);
    looks.next ??= this.#begin(tenant_id, looks);
    return looks.next;
  }

  async #begin(tenant_id: string, looks: Looks): Promise<void> {
    // Never at once, or the caller would take for the next look one that has begun.
    await Bun.sleep(Math.max(0, looks.began_ms + TOGETHER_MS - performance.now()));
    looks.next = undefined;
    looks.began_ms = performance.now();
    await this.#look(tenant_id, AbortSignal.timeout(WITHIN_MS));
  }

  async #look(tenant_id: string, over: AbortSignal): Promise<void> {
    const { store, bus, relay } = this.#deps;
    const written = (await store.waiting(tenant_id))?.last;
    for (let rest_ms = POLL_MS.min; written !== undefined; rest_ms = Math.min(2 * rest_ms, POLL_MS.max)) {
      relay.hurry();
      await Bun.sleep(rest_ms);
      over.throwIfAborted();
      const waiting = await store.waiting(tenant_id);
      if (!waiting || waiting.first > written) break;
    }
    await bus.settled(over);
  }
}

const notYet = (why: string): Problem =>
  new Problem("not_in_analytics_yet", { why }, { headers: { "retry-after": String(RETRY_AFTER_S) } });
