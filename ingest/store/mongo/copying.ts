// A MongoDB store as it is copied while processes write to it: a prefix of the log that is whole, and what is beside it as it stood then.
import type { Db } from "mongodb";
import type { GapData } from "../../event.ts";
import { type Belongings, CONFIGURES, type LoggedEvent, PURGED } from "../moving.ts";
import type { OpenGap } from "../store.ts";
import { type Collections, collectionsOf } from "./documents.ts";
import { Holes, NOBODY } from "./holes.ts";
import { belongingsOf, loggedOf, refuseHalfMoved } from "./moving.ts";
import { firstWaiting } from "./outbox.ts";

const POLL_MS = 100;
/** Longer than a writer that died is waited for, with what a slow server takes. */
const PATIENCE_MS = 10 * 60_000;
/** Machines are configured now and then; where somebody does it all the time, another time is better. */
const TRIES = 20;
const decoder = new TextDecoder();

/** Where a log stood: delivered up to there, its newest position, and what waited between them. */
export type MongoStanding = { delivered: number; last: number; waiting: number };

/** What is beside the log when its newest position was this one. */
export type Cut = { last: number; belongings: Belongings };

export class MongoSource {
  readonly #collections: Collections;
  readonly #holes: Holes;

  /** @param dead_ms how long a writer may say nothing before its positions are filled, as any process fills them */
  constructor(db: Db, dead_ms: number) {
    this.#collections = collectionsOf(db);
    this.#holes = new Holes(this.#collections, dead_ms);
  }

  /** @throws Error where a restore or a move into it did not come to its end */
  refuseHalf(): Promise<void> {
    return refuseHalfMoved(this.#collections);
  }

  /** Of its schema; undefined where none is noted. */
  async version(): Promise<string | undefined> {
    return (await this.#collections.counters.findOne({ _id: "schema_version" }))?.version;
  }

  /** What was acknowledged by now is at positions up to `last`, all of which is written. @throws Error after minutes */
  async standing(): Promise<MongoStanding> {
    const last = await this.#last();
    await this.#wholeUpTo(last);
    const [waiting] = await firstWaiting(this.#collections);
    const delivered = Math.min(last, waiting === undefined ? last : waiting._id - 1);
    return { delivered, last, waiting: await this.#purgeable(delivered, last) };
  }

  /** @throws Error where something was purged since then that was not delivered then: analytics may not have had it */
  async refusePurged({ delivered, last, waiting }: MongoStanding): Promise<void> {
    if ((await this.#purgeable(delivered, last)) < waiting)
      throw new Error("events were purged from the log before analytics was copied: back up again");
  }

  /**
   * What is beside the log, and a position up to which the log is whole, that say the same: no machine was configured between
   * the two, no agent is read on behind what the log has, and gaps are open that are open in the log.
   * @throws Error where it is not to be had
   */
  async cut(): Promise<Cut> {
    for (let tries = 0; tries < TRIES; tries++) {
      const first = await this.#last();
      await this.#wholeUpTo(first);
      // All that was committed up to there is in it, and something of what came since.
      const found = await belongingsOf(this.#collections);
      const last = await this.#last();
      await this.#wholeUpTo(last);
      const configured = { _id: { $gt: first, $lte: last }, type: { $in: [...CONFIGURES] } };
      if ((await this.#collections.outbox.countDocuments(configured, { limit: 1 })) > 0) continue;
      const open_gaps = await this.#gaps(found.open_gaps, first, last);
      return { last, belongings: { ...found, open_gaps } };
    }
    throw new Error("machines are configured all the time: back up again later");
  }

  /** The next events at positions in (after, upto], in order; none at the end. */
  async read(after: number, upto: number, max_events: number, max_bytes: number): Promise<LoggedEvent[]> {
    const cursor = this.#collections.outbox
      .find({ _id: { $gt: after, $lte: upto }, tenant_id: { $ne: NOBODY } })
      .sort({ _id: 1 })
      .limit(max_events);
    const taken: LoggedEvent[] = [];
    let size = 0;
    for await (const doc of cursor) {
      taken.push(loggedOf(doc));
      size += doc.bytes.length;
      if (size >= max_bytes) break;
    }
    return taken;
  }

  /** Asked after the log was read, which then never seems more whole than it is. */
  async purgedBefore_ms(): Promise<number> {
    return (await this.#collections.counters.findOne({ _id: "purged" }))?.before_ms ?? 0;
  }

  async retentionTime_ms(): Promise<number> {
    return (await this.#collections.counters.findOne({ _id: "retention" }))?.time_ms ?? 0;
  }

  async #last(): Promise<number> {
    return (await this.#collections.counters.findOne({ _id: "log" }))?.last ?? 0;
  }

  /** Resolves when nothing is on its way any more to a position up to this one, nor what is written with it. */
  async #wholeUpTo(position: number): Promise<void> {
    const end_ms = performance.now() + PATIENCE_MS;
    for (;;) {
      const log = await this.#collections.counters.findOne({ _id: "log" });
      const open = await this.#holes.after(log?.open ?? {}, log?.last ?? 0);
      if (open.every((after) => after >= position)) return;
      if (performance.now() > end_ms)
        throw new Error(`the log is not whole up to ${position}: somebody writes to it, and does not end`);
      await Bun.sleep(POLL_MS);
    }
  }

  /** What a purge may take of the events at positions in (after, upto]. */
  #purgeable(after: number, upto: number): Promise<number> {
    return this.#collections.outbox.countDocuments({
      _id: { $gt: after, $lte: upto },
      type: { $in: PURGED },
      tenant_id: { $ne: NOBODY },
    });
  }

  /** What was open at the one position or somewhat later becomes what was open at the other one: said again, it changes nothing. */
  async #gaps(found: OpenGap[], first: number, last: number): Promise<OpenGap[]> {
    const nameOf = ({ machine_id, from_us, cause }: OpenGap): string =>
      [machine_id, from_us, cause].join("\n");
    const open = new Map(found.map((gap) => [nameOf(gap), gap]));
    const closed = new Set<string>();
    const said = this.#collections.outbox
      .find({ _id: { $gt: first, $lte: last }, type: "mtc.gap.v1" })
      .sort({ _id: 1 });
    for await (const { machine_id, bytes } of said) {
      const { gap } = (JSON.parse(decoder.decode(bytes)) as { data: GapData }).data;
      const one = { machine_id, from_us: gap.from_us, cause: gap.cause };
      if (gap.to_us === 0) open.set(nameOf(one), one);
      else closed.add(nameOf(one));
    }
    return [...open.values()].filter((one) => !closed.has(nameOf(one)));
  }
}
