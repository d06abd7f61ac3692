// A MongoDB store as the place an installation is moved or restored to: takes a log as it stands, and is held against it.
import type { Db } from "mongodb";
import type { Belongings, LoggedEvent } from "../moving.ts";
import { checkpointWrites, docOfLogged, gapWrites, machineWrites } from "./committer.ts";
import { type Collections, collectionsOf, type EventDoc } from "./documents.ts";
import { Settings } from "./settings.ts";

/** The counter's name. */
const MOVED = "moved";
/** A process beats every second. */
const BEATS_WITHIN_MS = 3_000;
/** So many events of either end of the log tell whose it is. */
const KNOWN_BY = 1_000;

/** What the token of a restore begins with; any other is a move's. */
const RESTORE = "restore-";
export const restoreToken = (): string => RESTORE + crypto.randomUUID();

/** Where a move, or a restore, stands; `token` names it. */
export type Moved = { token: string; done: boolean };

export const isRestore = ({ token }: Pick<Moved, "token">): boolean => token.startsWith(RESTORE);

/** A move or a restore into this database that did not reach its end: nobody may work with it. @throws Error */
export async function refuseHalfMoved({ counters }: Pick<Collections, "counters">): Promise<void> {
  const moved = await counters.findOne({ _id: MOVED });
  if (moved?.token === undefined || moved.done_ms !== undefined) return;
  throw new Error(
    isRestore({ token: moved.token })
      ? "a restore into this database is under way, or was cut off, and what it left is not whole: run `bun run restore` again"
      : "an installation is being moved into this database: let `bun run move` come to its end",
  );
}

export class MongoTarget {
  readonly #collections: Collections;

  constructor(db: Db) {
    this.#collections = collectionsOf(db);
  }

  /** @returns undefined where none was begun */
  async moved(): Promise<Moved | undefined> {
    const moved = await this.#collections.counters.findOne({ _id: MOVED });
    return moved?.token === undefined ? undefined : { token: moved.token, done: moved.done_ms !== undefined };
  }

  /** Whether a process of a cluster works with it at the moment. */
  async isInUse(): Promise<boolean> {
    const beats = async (): Promise<string> => {
      const relays = await this.#collections.relays.find().sort({ _id: 1 }).toArray();
      return relays.map(({ _id, beat }) => `${_id} ${beat}`).join();
    };
    const before = await beats();
    if (before === "") return false;
    await Bun.sleep(BEATS_WITHIN_MS);
    return (await beats()) !== before;
  }

  /** @returns what there is of an installation, in words; "" where there is nothing */
  async holds(): Promise<string> {
    const { outbox, machines, users, keys } = this.#collections;
    for (const [name, collection] of Object.entries({ outbox, machines, users, keys })) {
      const n = await (collection as Collections["machines"]).countDocuments({}, { limit: 1 });
      if (n > 0) return name;
    }
    return "";
  }

  /** Notes that a move begins. From here on the store does not open before it is done. */
  async begin(token: string): Promise<void> {
    await this.#collections.counters.updateOne({ _id: MOVED }, { $setOnInsert: { token } }, { upsert: true });
  }

  async end(): Promise<void> {
    await this.#collections.counters.updateOne({ _id: MOVED }, { $set: { done_ms: Date.now() } });
  }

  /** Positions up to here are taken, and until when the log was purged. Told before the first event. */
  async reserve(last: number, purged_before_ms: number): Promise<void> {
    const { counters } = this.#collections;
    await counters.updateOne({ _id: "log" }, { $max: { last } }, { upsert: true });
    if (purged_before_ms > 0)
      await counters.updateOne(
        { _id: "purged" },
        { $max: { before_ms: purged_before_ms } },
        { upsert: true },
      );
  }

  /** The position of the newest event; 0 without one. Events go in in order, so all before it are there. */
  async last(): Promise<number> {
    const [newest] = await this.#collections.outbox
      .find({}, { projection: { _id: 1 } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    return newest?._id ?? 0;
  }

  /** Events of both ends of the log: whose it is. */
  async ends(): Promise<{ position: number; id: string }[]> {
    const both = [1, -1] as const;
    const ends = both.map((order) =>
      this.#collections.outbox
        .find({}, { projection: { id: 1 } })
        .sort({ _id: order })
        .limit(KNOWN_BY)
        .toArray(),
    );
    return (await Promise.all(ends)).flat().map(({ _id, id }) => ({ position: _id, id }));
  }

  /**
   * Puts events behind those that are there, in order: cut off in between, a first part of them is there.
   * @param waits whether analytics has still to be given it; all others count as delivered
   */
  async take(events: LoggedEvent[], waits: (event: LoggedEvent) => boolean): Promise<void> {
    if (events.length === 0) return;
    await this.#collections.outbox.insertMany(
      events.map((event) => docOfLogged(event, waits(event))),
      { ordered: true },
    );
  }

  /** The events of positions in (after, upto], in order, as they stand. */
  async read(after: number, upto: number): Promise<LoggedEvent[]> {
    const docs = await this.#collections.outbox
      .find({ _id: { $gt: after, $lte: upto } })
      .sort({ _id: 1 })
      .toArray();
    return docs.map(loggedOf);
  }

  /** What is beside the log becomes what it is at the source. */
  async settle({ machines, keys, users, checkpoints, open_gaps }: Belongings): Promise<void> {
    const to = this.#collections;
    await only(
      to.machines,
      machines.flatMap((machine) => machineWrites({ events: [], machine })),
    );
    await only(
      to.checkpoints,
      checkpoints.flatMap((checkpoint) => checkpointWrites({ events: [], checkpoint })),
    );
    await to.open_gaps.deleteMany({});
    const gaps = open_gaps.flatMap((open_gap) => gapWrites({ events: [], open_gap }));
    if (gaps.length > 0) await to.open_gaps.bulkWrite(gaps, { ordered: false });
    await only(
      to.keys,
      keys.map(({ id, ...replacement }) => replaced(id, replacement)),
    );
    await only(
      to.users,
      users.map(({ id, ...replacement }) => replaced(id, replacement)),
    );
  }

  belongings(): Promise<Belongings> {
    return belongingsOf(this.#collections);
  }

  /** Takes away what a restore brought that was cut off; that there is one stays noted. */
  async empty(): Promise<void> {
    const { outbox, machines, checkpoints, open_gaps, keys, users, counters } = this.#collections;
    for (const own of [outbox, machines, checkpoints, open_gaps, keys, users] as Written[])
      await own.deleteMany({});
    await counters.deleteMany({ _id: { $in: ["log", "purged", "retention"] } });
  }
}

/** All that is beside the log. */
export async function belongingsOf(collections: Collections): Promise<Belongings> {
  const { checkpoints, open_gaps } = collections;
  const settings = new Settings(collections, (write) => write());
  return {
    machines: await settings.machines(),
    keys: await settings.keys(),
    users: await settings.users(),
    checkpoints: (await checkpoints.find().toArray()).map(({ _id, ...rest }) => ({ agent: _id, ...rest })),
    open_gaps: (await open_gaps.find().toArray()).map(({ _id, ...gap }) => gap),
  };
}

const replaced = <T>(_id: string, replacement: T) => ({
  replaceOne: { filter: { _id }, replacement, upsert: true },
});

type Write = { replaceOne: { filter: { _id: string } } };
type Written = {
  deleteMany(filter: object): Promise<unknown>;
  bulkWrite(writes: never[], options: object): Promise<unknown>;
};

/** The collection holds these and no others. */
async function only(collection: unknown, writes: unknown[]): Promise<void> {
  const to = collection as Written;
  const ids = (writes as Write[]).map(({ replaceOne }) => replaceOne.filter._id);
  await to.deleteMany({ _id: { $nin: ids } });
  if (writes.length > 0) await to.bulkWrite(writes as never[], { ordered: false });
}

/** An event as another log takes it. */
export function loggedOf(doc: EventDoc): LoggedEvent {
  const { _id, id, type, tenant_id, machine_id, time_ms, rows, bytes, aside } = doc;
  const { dedupe_key = null, body_hash = null } = doc;
  return {
    position: _id,
    id,
    type,
    tenant_id,
    machine_id,
    time_ms,
    rows,
    bytes,
    dedupe_key,
    body_hash,
    aside: aside ? { error: aside.error, time_ms: aside.time_ms } : null,
  };
}
