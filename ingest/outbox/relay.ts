// Carries the outbox to the bus, in order: retries with backoff, sets poison aside, moves the watermark.
import { Backoff, type BackoffOptions } from "../../domain/lib/backoff.ts";
import type { OutboxBatch, Store } from "../store/store.ts";
import { type Failing, Trouble } from "../trouble.ts";
import type { Bus, Refusal } from "./bus.ts";

/** An insert costs tens of milliseconds however little it holds, so small events go by the thousand. */
const BATCH_EVENTS = 4_000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Small batches wait this long for company: every insert makes a part that must be merged later. */
const LINGER_MS = 500;
const IDLE_MS = 1_000;
/** The first wait after a failure, and the longest. */
const BACKOFF: BackoffOptions = { first_ms: 100, max_ms: 10_000 };
/**
 * An event that is too large even alone is offered this often, for two minutes or three, then set aside. None is too large for
 * the engine by itself (its largest takes half of what one insert may), but queries may hold the memory for a while.
 */
const TOO_LARGE_TRIES = 27;
/** The largest takes seconds; one that takes longer than this may never end, and nothing else would tell. */
const HUNG_MS = 60_000;

export type RelayStatus = {
  delivered_events: number;
  poison_events: number;
  /** Why nothing is carried, and since when; undefined while it is. */
  failing: Failing | undefined;
};

export type Relay = {
  /** Something was committed: look at the outbox now. */
  wake(): void;
  /** Somebody waits for what was committed: do not wait for company. */
  hurry(): void;
  status(): RelayStatus;
  /** Resolves once the batch under way is delivered: nothing more is until `resume`. Commits go on. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
};

/** Of a process that carries nothing: another one does. */
export const NO_RELAY: Relay = {
  wake() {},
  hurry() {},
  status: () => ({ delivered_events: 0, poison_events: 0, failing: undefined }),
  async pause() {},
  resume() {},
  async stop() {},
};

/** Starts the relay; it runs until `stop`, which waits for the batch under way. */
export function startRelay(
  store: Pick<Store, "readOutbox" | "delivered" | "setAside">,
  bus: Pick<Bus, "deliver">,
  log: (message: string) => void,
  backoff_options = BACKOFF,
): Relay {
  const status = { delivered_events: 0, poison_events: 0 };
  const trouble = new Trouble("relay", log);
  const stopped = Promise.withResolvers<void>();
  let hurry = () => {};
  let running = true;
  let wake = () => {};
  let awake = false;
  let pause: { reached: PromiseWithResolvers<void>; over: PromiseWithResolvers<void> } | undefined;

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Ends sooner where somebody waits for what is in the outbox. */
  async function lingering(): Promise<void> {
    const hurried = Promise.withResolvers<void>();
    hurry = hurried.resolve;
    await Promise.race([Bun.sleep(LINGER_MS), hurried.promise, stopped.promise]);
  }

  async function run(): Promise<void> {
    const backoff = new Backoff(backoff_options);
    while (running) {
      if (pause) {
        pause.reached.resolve();
        await pause.over.promise;
        continue;
      }
      awake = false;
      try {
        const batch = await store.readOutbox(BATCH_EVENTS, BATCH_BYTES);
        if (batch.events.length > 0) await deliver(batch);
        trouble.over();
        backoff.reset();
        if (batch.events.length === 0) {
          if (!awake) await sleep(IDLE_MS);
          continue;
        }
        if (batch.events.length < BATCH_EVENTS && batch.bytes.length < BATCH_BYTES) await lingering();
      } catch (error) {
        trouble.failed(error);
        await Promise.race([Bun.sleep(backoff.next_ms()), stopped.promise]);
      }
    }
  }

  async function deliver(batch: OutboxBatch): Promise<void> {
    const last = batch.events.at(-1);
    if (!last) return;
    const began_ms = Date.now();
    const hung = setTimeout(
      () => trouble.failed(new Error(`a delivery has no answer for ${HUNG_MS / 1_000} s`), began_ms),
      HUNG_MS,
    );
    try {
      await bus.deliver(batch);
      status.delivered_events += batch.events.length;
    } catch (error) {
      await isolate(batch, error as Refusal);
    } finally {
      clearTimeout(hung);
    }
    await store.delivered(last.position);
  }

  /** How often the event at the head was too large, alone. */
  const too_large = { id: "", times: 0 };

  /** Halves a refused stretch until what is at fault stands alone; the rest goes on (it may be delivered twice). */
  async function isolate({ bytes, events }: OutboxBatch, why: Refusal): Promise<void> {
    if (!why.poison && !why.too_large) throw why;
    const [first] = events;
    if (!first) return;
    if (events.length === 1) {
      if (!why.poison) {
        if (too_large.id !== first.id) Object.assign(too_large, { id: first.id, times: 0 });
        too_large.times += 1;
        if (too_large.times < TOO_LARGE_TRIES) throw why;
      }
      await store.setAside(first.position, why.message);
      status.poison_events += 1;
      log(`relay: event ${first.id} set aside: ${why.message}`);
      return;
    }
    const middle = events.length >> 1;
    for (const half of [events.slice(0, middle), events.slice(middle)]) {
      try {
        await bus.deliver({ bytes, events: half });
        status.delivered_events += half.length;
      } catch (error) {
        await isolate({ bytes, events: half }, error as Refusal);
      }
    }
  }

  const resume = (): void => {
    pause?.reached.resolve();
    pause?.over.resolve();
    pause = undefined;
  };

  const done = run();
  return {
    wake() {
      awake = true;
      wake();
    },
    hurry: () => hurry(),
    status: () => ({ ...status, failing: trouble.failing }),
    pause() {
      if (!running) return Promise.resolve();
      pause ??= { reached: Promise.withResolvers(), over: Promise.withResolvers() };
      awake = true;
      wake();
      return pause.reached.promise;
    },
    resume,
    async stop() {
      running = false;
      stopped.resolve();
      resume();
      wake();
      await done;
    },
  };
}
