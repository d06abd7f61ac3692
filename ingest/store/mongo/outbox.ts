// The log's reading side: claims, marks, stretches, what was set aside, what is purged.
import type { Filter } from "mongodb";
import type { EventType } from "../../event.ts";
import { joinLines } from "../lines.ts";
import { PURGED } from "../moving.ts";
import type { Entry, LogRange, LogState, LogStretch, OutboxBatch, OutboxDepth, Poison } from "../store.ts";
import type { Committer } from "./committer.ts";
import type { Collections, EventDoc } from "./documents.ts";
import { type Holes, NOBODY } from "./holes.ts";
import { type Leases, SLOTS } from "./leases.ts";

/** Positions that one read of the log goes over at the most. */
const READ_POSITIONS = 20_000;
const PURGE_EVENTS = 1_000;
/** So many ticks of running time, and the bus has safely on disk what it took. */
const SETTLE_TICKS = 20;
const ALL_SLOTS = Array.from({ length: SLOTS }, (_, slot) => slot);

/** The first event that waits for the bus, if any. All slots are named so that the index gives it without sorting. */
export const firstWaiting = ({
  outbox,
}: Pick<Collections, "outbox">): Promise<Pick<EventDoc, "_id" | "time_ms">[]> =>
  outbox
    .find({ bus: true, slot: { $in: ALL_SLOTS } }, { projection: { time_ms: 1 } })
    .sort({ _id: 1 })
    .limit(1)
    .toArray();

/** What this process claimed of the outbox, and the log as everybody sees it. */
export class Outbox {
  readonly #collections: Collections;
  readonly #leases: Leases;
  readonly #committer: Pick<Committer, "after" | "name" | "commit">;
  readonly #tick_ms: number;
  readonly #holes: Holes;
  /** Positions that were given to the relay and are not delivered yet. */
  #claimed: number[] = [];
  #ticks = 0;
  #ticked_ms = -Infinity;

  constructor(
    collections: Collections,
    leases: Leases,
    committer: Pick<Committer, "after" | "name" | "commit">,
    settle_ms: number,
    holes: Holes,
  ) {
    this.#collections = collections;
    this.#leases = leases;
    this.#committer = committer;
    this.#tick_ms = settle_ms / SETTLE_TICKS;
    this.#holes = holes;
  }

  async readOutbox(max_events: number, max_bytes: number): Promise<OutboxBatch> {
    const slots = await this.#leases.hold();
    if (slots.includes(0)) await this.#tick();
    const filter: Filter<EventDoc> = { bus: true, slot: { $in: slots } };
    const { taken } = slots.length > 0 ? await this.#read(filter, max_events, max_bytes) : { taken: [] };
    this.#claimed = taken.map(({ position }) => position);
    return joinLines(taken);
  }

  async #read(filter: Filter<EventDoc>, max_events: number, max_bytes: number) {
    const taken: { position: number; id: string; type: EventType; rows: number; bytes: Uint8Array }[] = [];
    const cursor = this.#collections.outbox
      .find(filter, { projection: { id: 1, type: 1, rows: 1, bytes: 1 } })
      .sort({ _id: 1 })
      .limit(max_events);
    let size = 0;
    for await (const { _id, id, type, rows, bytes } of cursor) {
      taken.push({ position: _id, id, type, rows, bytes });
      size += bytes.length + 1;
      if (size >= max_bytes) break;
    }
    return { taken, full: taken.length === max_events || size >= max_bytes };
  }

  async delivered(position: number): Promise<void> {
    const done = this.#claimed.filter((one) => one <= position);
    if (done.length === 0) return;
    await this.#collections.outbox.updateMany(
      { _id: { $in: done } },
      { $unset: { bus: "" }, $set: { sent: this.#ticks } },
    );
    this.#claimed = this.#claimed.filter((one) => one > position);
  }

  async readLog(
    { after, upto, since_ms }: LogRange,
    max_events: number,
    max_bytes: number,
  ): Promise<LogStretch> {
    const to = Math.min(upto, after + READ_POSITIONS);
    const filter: Filter<EventDoc> = {
      _id: { $gt: after, $lte: to },
      aside: { $exists: false },
      $or: [{ time_ms: { $gte: since_ms } }, { type: { $nin: PURGED } }],
    };
    const { taken, full } = await this.#read(filter, max_events, max_bytes);
    const end = full ? taken.at(-1)?.position : undefined;
    return { ...joinLines(taken), to: end ?? to, rows: taken.reduce((sum, { rows }) => sum + rows, 0) };
  }

  /**
   * Delivered is what lies before everything that waits or is on its way. What is on its way is asked for first: what was
   * not begun by then has positions after `last`, what was over by then is found waiting.
   */
  async logState(): Promise<LogState> {
    const { counters } = this.#collections;
    const log = await counters.findOne({ _id: "log" });
    const last = log?.last ?? 0;
    const { [this.#committer.name]: _, ...others } = log?.open ?? {};
    const open = await this.#holes.after(others, last);
    const own = this.#committer.after();
    if (own !== undefined) open.push(own);
    const [waiting] = await this.#waiting();
    const purged = await counters.findOne({ _id: "purged" });
    return {
      last,
      delivered: Math.min(last, ...open, waiting === undefined ? last : waiting._id - 1),
      purged_before_ms: purged?.before_ms ?? 0,
    };
  }

  #waiting(): Promise<Pick<EventDoc, "_id" | "time_ms">[]> {
    return firstWaiting(this.#collections);
  }

  async rewind(to: "start" | "settled"): Promise<void> {
    let filter: Filter<EventDoc> = { aside: { $exists: false } };
    if (to === "settled") {
      const ran = await this.#collections.counters.findOne({ _id: "ran" });
      filter = { ...filter, sent: { $gt: (ran?.ticks ?? 0) - SETTLE_TICKS } };
    }
    await this.#collections.outbox.updateMany(filter, { $set: { bus: true }, $unset: { sent: "" } });
  }

  /** One process of all counts the time that the program runs: whoever has the first slot. */
  async #tick(): Promise<void> {
    if (performance.now() - this.#ticked_ms < this.#tick_ms) return;
    const first = this.#ticked_ms === -Infinity;
    this.#ticked_ms = performance.now();
    const ran = await this.#collections.counters.findOneAndUpdate(
      { _id: "ran" },
      { $inc: { ticks: first ? 0 : 1 } },
      { upsert: true, returnDocument: "after" },
    );
    this.#ticks = ran?.ticks ?? 0;
  }

  async outboxDepth(): Promise<OutboxDepth> {
    const { outbox } = this.#collections;
    const [events, [depth], [waiting]] = await Promise.all([
      outbox.countDocuments({ bus: true }),
      // One sum for each pass: FerretDB gives a second one nothing.
      outbox
        .aggregate<{ bytes: number }>([
          { $match: { bus: true } },
          { $group: { _id: null, bytes: { $sum: "$size_bytes" } } },
        ])
        .toArray(),
      this.#waiting(),
    ]);
    return { events, bytes: depth?.bytes ?? 0, oldest_ms: waiting?.time_ms ?? 0 };
  }

  /** By the index of what waits: nearly always the first or the last that it holds is the tenant's. */
  async waiting(tenant_id: string): Promise<{ first: number; last: number } | undefined> {
    const filter: Filter<EventDoc> = { bus: true, slot: { $in: ALL_SLOTS }, tenant_id };
    const end = (direction: 1 | -1) =>
      this.#collections.outbox.findOne(filter, { projection: { _id: 1 }, sort: { _id: direction } });
    const last = await end(-1);
    const first = last && (await end(1));
    return first ? { first: first._id, last: last._id } : undefined;
  }

  async setAside(position: number, error: string): Promise<void> {
    await this.#collections.outbox.updateOne(
      { _id: position, aside: { $exists: false } },
      { $set: { aside: { error, time_ms: Date.now() } }, $unset: { bus: "" } },
    );
    this.#claimed = this.#claimed.filter((one) => one !== position);
  }

  async poison(tenant_id: string, max_events: number): Promise<Poison[]> {
    if (max_events === 0) return [];
    const rows = await this.#collections.outbox
      .find({ tenant_id, "aside.time_ms": { $exists: true } }, { projection: { bytes: 0 } })
      .sort({ _id: 1 })
      .limit(max_events)
      .toArray();
    return rows.map(({ _id, id, machine_id, type, size_bytes, aside }) => ({
      position: _id,
      id,
      machine_id,
      type,
      size_bytes,
      error: aside?.error ?? "",
      time_ms: aside?.time_ms ?? 0,
    }));
  }

  async poisonBytes(tenant_id: string, position: number): Promise<Uint8Array | undefined> {
    return (await this.#aside(tenant_id, position))?.bytes;
  }

  #aside(tenant_id: string, _id: number): Promise<EventDoc | null> {
    return this.#collections.outbox.findOne({ _id, tenant_id, "aside.time_ms": { $exists: true } });
  }

  /**
   * At the end of the log, so that a rebuild under way meets it. First the old one gives up its name, then the new one is
   * stored under it, then the old one goes: cut off in between, it is set aside still, and can be put back again.
   */
  async retryPoison(tenant_id: string, position: number): Promise<boolean> {
    const { outbox } = this.#collections;
    const old = await this.#aside(tenant_id, position);
    if (!old) return false;
    await outbox.updateOne({ _id: position }, { $set: { once: `aside\n${old.id}` } });
    const { id, type, machine_id, time_ms, rows, bytes, dedupe_key, body_hash } = old;
    const header = { id, type, tenant_id, machine_id, time_ms };
    const dedupe =
      dedupe_key === undefined ? {} : { dedupe: { key: dedupe_key, body_hash: body_hash ?? "" } };
    await this.#committer.commit({ events: [{ header, bytes, rows, ...dedupe }] });
    return (await outbox.deleteOne({ _id: position })).deletedCount === 1;
  }

  async discardPoison(tenant_id: string, position: number): Promise<boolean> {
    const gone = await this.#collections.outbox.deleteOne({
      _id: position,
      tenant_id,
      "aside.time_ms": { $exists: true },
    });
    return gone.deletedCount === 1;
  }

  /** It is noted before anything goes: a log never seems more whole than it is. */
  async purge(before_ms: number): Promise<number> {
    const { outbox, counters } = this.#collections;
    const old = await outbox
      .find(
        {
          type: { $in: PURGED },
          time_ms: { $lt: before_ms },
          bus: { $exists: false },
          raw: { $exists: false },
          // What somebody may still mend stays; what nobody wrote does not.
          $or: [{ aside: { $exists: false } }, { tenant_id: NOBODY }],
        },
        { projection: { _id: 1 } },
      )
      .limit(PURGE_EVENTS)
      .toArray();
    if (old.length === 0) return 0;
    await counters.updateOne({ _id: "purged" }, { $max: { before_ms } }, { upsert: true });
    const { deletedCount } = await outbox.deleteMany({
      _id: { $in: old.map(({ _id }) => _id) },
      bus: { $exists: false },
    });
    return deletedCount;
  }

  async retentionTime_ms(): Promise<number> {
    const noted = await this.#collections.counters.findOne({ _id: "retention" });
    return noted?.time_ms ?? 0;
  }

  async noteRetentionTime(time_ms: number): Promise<void> {
    await this.#collections.counters.updateOne(
      { _id: "retention" },
      { $set: { time_ms: Math.floor(time_ms) } },
      { upsert: true },
    );
  }

  async entries(tenant_id: string, machine_id: string, type: EventType): Promise<Entry[]> {
    if (PURGED.includes(type)) return [];
    const rows = await this.#collections.outbox
      .find({ tenant_id, machine_id, type })
      .sort({ _id: 1 })
      .toArray();
    return rows.map(({ id, time_ms, bytes, dedupe_key = null, body_hash = null }) => ({
      id,
      time_ms,
      bytes: new Uint8Array(bytes),
      dedupe_key,
      body_hash,
    }));
  }

  /** Ids rise with positions but for a few that overtook each other. */
  async lastEventId(): Promise<string | undefined> {
    const rows = await this.#collections.outbox
      .find({ tenant_id: { $ne: NOBODY } }, { projection: { id: 1 } })
      .sort({ _id: -1 })
      .limit(1_000)
      .toArray();
    return rows
      .map(({ id }) => id)
      .sort()
      .at(-1);
  }
}
