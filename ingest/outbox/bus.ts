// The way from the outbox to analytics, whatever it is made of.
import type { Stretch } from "../event.ts";

/** In-process it is the engine itself; with Kafka it is a topic that the engine reads from. */
export type Bus = {
  /**
   * Takes events, in order, and resolves once they are safely there. It may get the same events again (invariant 2), and
   * after a failure it gets them all again. One call at a time.
   * @throws Refusal
   */
  deliver(stretch: Stretch): Promise<void>;
  /** Resolves when analytics has taken all that was delivered by now. @throws while the bus cannot tell */
  settled(): Promise<void>;
  /** Events that are with the bus and that analytics has not taken yet; undefined where it cannot be told now. */
  backlog_events(): Promise<number | undefined>;
  close(): Promise<void>;
};

/**
 * Why the bus did not take events: `poison` where the bytes themselves are at fault, `too_large` where fewer at once
 * may pass. With neither it is the bus's own trouble, and the same is offered again later.
 */
export type Refusal = Error & { poison?: boolean; too_large?: boolean };
