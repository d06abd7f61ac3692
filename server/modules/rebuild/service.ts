// Rebuilds analytics from the log while ingest goes on: a shadow is filled aside, then takes its place.
import { encodeTime } from "ulid";
import { type Engine, EngineError } from "../../../analytics-sql/engine/engine.ts";
import { ALL_DAYS, clear, type Days, Shadow } from "../../../analytics-sql/rebuild/shadow.ts";
import { MAX_AHEAD_US, type Stretch } from "../../../ingest/event.ts";
import type { Bus } from "../../../ingest/outbox/bus.ts";
import { badInput } from "../../../ingest/problem.ts";
import { type LogState, Overloaded, type Share, type Store, type Told } from "../../../ingest/store/store.ts";
import { Problem } from "../../plugins/errors.ts";
import type { Door } from "./door.ts";
import type { Rebuild, RebuildInput } from "./model.ts";

const DAY_MS = 86_400_000;
const MAX_AHEAD_MS = MAX_AHEAD_US / 1_000;
/** One read of the log, and one insert. */
const BATCH_EVENTS = 4_000;
const BATCH_BYTES = 8 * 1024 * 1024;
const POLL_MS = 200;
const TELL_MS = 1_000;
/** The relay rests for what arrives in the last round only: rounds go on until one is this small, but not for ever. */
const LAST_ROUND_EVENTS = 2_000;
const ROUNDS_MAX = 20;
/** ClickHouse's code. */
const MEMORY_LIMIT_EXCEEDED = 241;
/** A batch of one event that lacks memory is offered this often, with a second between. */
const TRIES = 20;

type Deps = {
  store: Store;
  engine: Engine;
  /** While it is shut nothing comes into the live tables. */
  door: Door;
  bus: Pick<Bus, "settled">;
  log: (message: string) => void;
  now_ms(): number;
  /** Of several processes one makes rebuilds, since there is one shadow; all know how far it is. */
  share: Pick<Share, "has" | "tell" | "told">;
  /** No other process makes any: what is there at the start was left behind. */
  alone: boolean;
};

/** As it is told to other processes. */
type Telling = Rebuild & { began_ms: number };

/** Where the log is read from: everything that was taken since then, up to a position. */
type Reading = { job: Rebuild; shadow: Shadow; since_ms: number; at: number };

/** One rebuild at a time; the last one is remembered until the process that made it ends. */
export class Rebuilds {
  readonly #deps: Deps;
  #job: Telling | undefined;
  #done: Promise<void> = Promise.resolve();
  #stopping = false;
  #busy = false;
  /** Of other processes that died over theirs, when those began: what they left is cleared away. */
  readonly #cleared = new Set<number>();

  /** What the process before this one may have left behind, or the last rebuild did, is not cleared away yet. */
  #left_behind: boolean;
  /** Until it is open again for sure. */
  #door_shut = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#left_behind = deps.alone;
  }

  /** The rebuild under way, or the last one, whichever process makes it. @throws where the store cannot be read */
  async last(): Promise<Rebuild | undefined> {
    const told = (await this.#deps.share.told()).map(heard);
    const all = [...(this.#job ? [this.#now(this.#job)] : []), ...told];
    const newest = all.reduce<Telling | undefined>(
      (found, one) => (one.began_ms > (found?.began_ms ?? 0) ? one : found),
      undefined,
    );
    if (!newest) return undefined;
    const { began_ms: _, ...shown } = newest;
    return shown;
  }

  #now(job: Telling): Telling {
    if (this.#busy) job.seconds = (this.#deps.now_ms() - job.began_ms) / 1_000;
    return { ...job };
  }

  /**
   * Starts one. @returns what it is going to do
   * @throws BadInput for days that are none, or that the log does not hold in full any more
   * @throws Problem 409 while one is under way, 503 where another process makes them
   */
  async start(ask: RebuildInput): Promise<Rebuild> {
    if (this.#busy) throw new Problem("rebuild_under_way", {});
    if (this.#stopping) throw new Problem("server_stops", {});
    if (!this.#deps.share.has("rebuild"))
      throw new Overloaded("another process of the cluster makes rebuilds: ask again", 1);
    // From here on nothing is purged: what the log holds now, it holds until the end.
    this.#busy = true;
    try {
      // The job may have come to this process while another one still makes what it began.
      if (isUnderWay(await this.last())) throw new Problem("rebuild_elsewhere", {});
      const state = await this.#deps.store.logState();
      const days = daysOf(ask, state);
      const job: Telling = {
        began_ms: this.#deps.now_ms(),
        phase: "waiting",
        from: days.from === ALL_DAYS.from ? null : days.from,
        to: days.to === ALL_DAYS.to ? null : days.to,
        events: 0,
        observations: 0,
        progress: 0,
        seconds: 0,
        error: "",
      };
      this.#job = job;
      const everything = ask.from === undefined && ask.to === undefined;
      this.#done = this.#run(job, days, state, everything);
      const { began_ms: _, ...shown } = job;
      return shown;
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  /** One is under way, here or elsewhere: the log must not be purged meanwhile. @throws where the store cannot be read */
  async underWay(): Promise<boolean> {
    return this.#busy || isUnderWay(await this.last());
  }

  /**
   * Call it at the start, and now and then: a process that died over its rebuild left a shadow, and may have left the door
   * shut; so did one of this process that found no engine at its end.
   * @throws EngineError; then call it again
   */
  async clearUp(): Promise<void> {
    const { share, engine, log } = this.#deps;
    if (this.#busy || this.#stopping) return;
    if (this.#door_shut) await this.#alone(() => this.#openDoor());
    if (!share.has("rebuild") || this.#busy || this.#stopping) return;
    if (this.#left_behind) await this.#alone(() => this.#clear());
    const told = (await share.told()).filter(({ lives }) => !lives);
    const left = told
      .map(({ words }) => JSON.parse(words) as Telling)
      .find((one) => isUnderWay(one) && !this.#cleared.has(one.began_ms));
    if (!left || this.#busy || this.#stopping) return;
    await this.#alone(async () => {
      await clear(engine);
      await this.#openDoor();
    });
    this.#cleared.add(left.began_ms);
    log(`rebuild: another process died over one when ${left.phase}; what it left is cleared away`);
  }

  async #openDoor(): Promise<void> {
    await this.#deps.door.resume();
    this.#door_shut = false;
  }

  async #clear(): Promise<void> {
    this.#left_behind = true;
    await clear(this.#deps.engine);
    this.#left_behind = false;
  }

  /** While this works none begins. */
  async #alone(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }

  /** Resolves when none is under way any more; the live tables are whole. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(job: Telling, days: Days, state: LogState, everything: boolean): Promise<void> {
    const { log, share } = this.#deps;
    const tell = (): void => share.tell(JSON.stringify(this.#now(job)));
    const telling = setInterval(tell, TELL_MS);
    tell();
    log(`rebuild: ${days.from} to ${days.to}`);
    try {
      await this.#rebuild(job, days, state, everything);
      job.phase = "done";
    } catch (error) {
      job.phase = "failed";
      job.error = (error as Error).message;
    }
    clearInterval(telling);
    tell();
    log(`rebuild: ${job.phase} after ${job.seconds} s, ${job.events} events; ${job.error}`);
    this.#busy = false;
  }

  async #rebuild(job: Rebuild, days: Days, state: LogState, everything: boolean): Promise<void> {
    const { store, engine, bus, door } = this.#deps;
    // A start may have set the watermark back behind what the live tables have. When all that was there at the begin is
    // delivered, they hold nothing that lies after the watermark.
    while ((await store.logState()).delivered < state.last) await this.#rest();
    const shadow = await Shadow.open(engine, days);
    try {
      // No event is about a time more than a day after it was taken: earlier ones have nothing to say of these days.
      const since_ms = everything ? 0 : Math.max(0, Date.parse(days.from) - MAX_AHEAD_MS);
      const reading: Reading = { job, shadow, since_ms, at: 0 };
      job.phase = "replaying";
      await this.#replay(reading, (await store.logState()).delivered);
      // Live rows are about to be taken: all that was replayed must be among them, or what it said of other days is lost.
      await bus.settled();
      job.phase = "gathering";
      await shadow.gather(everything ? encodeTime(state.purged_before_ms + MAX_AHEAD_MS, 10) : undefined);
      job.phase = "catching up";
      // The live rows that were just taken are those of now, so from here on every event counts, of whatever day.
      await this.#catchUp(reading);
      job.phase = "swapping";
      try {
        this.#door_shut = true;
        await door.pause();
        await this.#absorb(reading);
        const { purged_before_ms } = await store.logState();
        if (purged_before_ms > state.purged_before_ms)
          throw new Error("the log was purged meanwhile by another process; start it again");
        await shadow.swap(() => door.check());
      } finally {
        await this.#openDoor();
      }
    } finally {
      await this.#clear();
    }
  }

  async #catchUp(reading: Reading): Promise<void> {
    reading.since_ms = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if ((await this.#absorb(reading)) <= LAST_ROUND_EVENTS) return;
    }
  }

  /** @returns how many events there were since the last time */
  async #absorb(reading: Reading): Promise<number> {
    const from = reading.at;
    await this.#replay(reading, (await this.#deps.store.logState()).delivered);
    await reading.shadow.absorb();
    return reading.at - from;
  }

  async #replay(reading: Reading, upto: number): Promise<void> {
    const { job, shadow, since_ms } = reading;
    while (reading.at < upto) {
      this.#goOn();
      const range = { after: reading.at, upto, since_ms };
      const stretch = await this.#deps.store.readLog(range, BATCH_EVENTS, BATCH_BYTES);
      await this.#insert(shadow, stretch);
      reading.at = stretch.to;
      job.events += stretch.events.length;
      job.observations += stretch.rows;
      job.progress = reading.at / upto;
    }
  }

  /** What lacks memory at once goes in parts. The same events twice are the same rows (invariant 2). */
  async #insert(shadow: Shadow, stretch: Stretch, tries = TRIES): Promise<void> {
    try {
      await shadow.insert(stretch);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== MEMORY_LIMIT_EXCEEDED) throw error;
      const { bytes, events } = stretch;
      if (events.length > 1) {
        const middle = events.length >> 1;
        await this.#insert(shadow, { bytes, events: events.slice(0, middle) });
        await this.#insert(shadow, { bytes, events: events.slice(middle) });
        return;
      }
      if (tries === 0) throw error;
      await Bun.sleep(1_000);
      await this.#insert(shadow, stretch, tries - 1);
    }
  }

  async #rest(): Promise<void> {
    this.#goOn();
    await Bun.sleep(POLL_MS);
  }

  #goOn(): void {
    if (this.#stopping) throw new Error("the server stops");
  }
}

const isUnderWay = (job: Rebuild | undefined): boolean =>
  job !== undefined && job.phase !== "done" && job.phase !== "failed";

/** What another process told; one that died makes it no further. */
function heard({ words, lives }: Told): Telling {
  const told = JSON.parse(words) as Telling;
  if (lives || !isUnderWay(told)) return told;
  return { ...told, phase: "failed", error: "the process that made it is gone; start it again" };
}

/**
 * The days to rebuild. A day may be replaced only if every event that ever said something of it is still in the log.
 * Events are purged by the time they were taken, and none is about a time more than MAX_AHEAD_US after that (HTTP and
 * collectors refuse such a time). All purged events were taken before `purged_before_ms`; so what they said was of times
 * before purged_before_ms + MAX_AHEAD, and of every day that begins then or later the log holds all. Late data only
 * makes an event's times earlier than the time it was taken, which the rule does not depend on. Configuration,
 * operators' entries and gaps are never purged.
 * @throws BadInput
 */
export function daysOf(ask: RebuildInput, { purged_before_ms }: LogState): Days {
  const first =
    purged_before_ms === 0
      ? ALL_DAYS.from
      : new Date(Math.ceil((purged_before_ms + MAX_AHEAD_MS) / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
  const { from = first, to = ALL_DAYS.to } = ask;
  if (from < first) throw badInput("/from", "purged_days", { first });
  if (from < ALL_DAYS.from) throw badInput("/from", "days_before", { first: ALL_DAYS.from });
  if (to > ALL_DAYS.to) throw badInput("/to", "days_after", { last: ALL_DAYS.to });
  if (to <= from) throw badInput("/to", "not_a_later_day", { from });
  return { from, to };
}
