// The way from the outbox to analytics, whatever it is made of.
import type { Stretch } from "../event.ts";

/** Events, and a time, ms since 1970: what was with the bus by then is in analytics. */
export type Backlog = { events: number; arrived_ms: number };

/** In-process it is the engine itself; with Kafka it is a topic that the engine reads from. */
export type Bus = {
  /**
   * Takes events, in order, and resolves once they are safely there. It may get the same events again (invariant 2), and
   * after a failure it gets them all again. One call at a time.
   * @throws Refusal
   */
  deliver(stretch: Stretch): Promise<void>;
  /**
   * Resolves when analytics has taken all that was delivered by now.
   * @param gone aborted when nobody waits any more
   * @throws while the bus cannot tell, and what `gone` was aborted with
   */
  settled(gone?: AbortSignal): Promise<void>;
  /** What is with the bus and analytics has not taken yet. @throws while it cannot be told */
  backlog(): Promise<Backlog>;
  close(): Promise<void>;
};

/**
 * Why the bus did not take events: `poison` where the bytes themselves are at fault, `too_large` where fewer at once
 * may pass. With neither it is the bus's own trouble, and the same is offered again later.
 */
export type Refusal = Error & { poison?: boolean; too_large?: boolean };
