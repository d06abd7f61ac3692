// The log's writing side: commits in groups, positions, and an order of writes for servers without transactions.
import { type AnyBulkWriteOperation, type ClientSession, MongoError, MongoServerError } from "mongodb";
import type { LoggedEvent } from "../moving.ts";
import { type Appended, type Commit, DiskFull, type NewEvent, Overloaded } from "../store.ts";
import type { CheckpointDoc, Collections, EventDoc, GapDoc, MachineDoc } from "./documents.ts";
import { slotOf } from "./leases.ts";
import { machineChange, machineDoc, settingsChanged } from "./settings.ts";

/** Runs what it is given in one transaction, where the server has them. */
export type Together = (write: (session?: ClientSession) => Promise<void>) => Promise<void>;

export type CommitterOptions = {
  transactions: boolean;
  /** Observations are marked for the time series. */
  project: boolean;
  /** How much may wait for the bus before commits are refused (invariant 7). */
  max_outbox_bytes: number;
  /** What waits for the bus, in bytes, of all processes. */
  waiting_bytes(): Promise<number>;
};

/** A commit, or the end of a machine with its event. */
export type Work = Commit & { gone?: { tenant_id: string; machine_id: string } };

type Waiting = {
  commit: Work;
  size: number;
  resolve: (appended: Appended[]) => void;
  reject: (error: unknown) => void;
};

/** A commit with what becomes of it; `docs` are its new events, still without a position. */
type Planned = { commit: Work; docs: EventDoc[]; followers: EventDoc[]; appended: Appended[] };

/** What waits for the bus as it was asked for last, and what this process committed since. */
type Depth = { bytes: number; at_ms: number; asked: Promise<void> | undefined };

/** How much may be on its way to the server before HTTP is told to wait (invariant 7). */
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024;
const MAX_GROUP_BYTES = 24 * 1024 * 1024;
const MAX_GROUP_COMMITS = 1_000;
/** How often a group is planned anew, when somebody else was faster with a name or a position. */
const TRIES = 8;
/** How old what is known of the outbox's depth may be. */
const DEPTH_MS = 2_000;
const DUPLICATE_KEY = 11_000;

/**
 * Groups commits: those that come while one group is on its way share the next one's round trips.
 *
 * What must be stored as a whole shares one transaction; a commit of one event is one document, and events with keys and
 * their checkpoint are in order. Where the server has no transactions, all is. The order of the writes is: gaps that open,
 * events made from another one, the other events, gaps that close, machines, checkpoints. Cut off anywhere in it, nothing
 * was acknowledged, and:
 * - an open gap without its event is closed after the next start like any other, and both events are as they would be;
 * - events made from one that is not stored are stored again with it when it is sent again: the same observations;
 * - events without their checkpoint are read again from where it stands, and known by their keys, or are the same
 *   observations once more (machine, signal, time and sequence: invariant 2);
 * - a gap that is closed in the log and open here is closed again, with a later end, by a collector that was away until then;
 * - a machine's event without the machine: whoever changed it got no answer, and does it again.
 */
export class Committer {
  readonly name = crypto.randomUUID();
  readonly #collections: Collections;
  readonly #together: Together;
  readonly #options: CommitterOptions;
  #queue: Waiting[] = [];
  #in_flight_bytes = 0;
  #running: Promise<void> | undefined;
  /** The newest position this process knows of: whatever it is writing has a higher one. */
  #last = 0;
  /** Events may be on their way after this position. */
  #after: number | undefined;
  #closing: Promise<unknown> = Promise.resolve();
  readonly #depth: Depth = { bytes: 0, at_ms: -Infinity, asked: undefined };

  constructor(collections: Collections, together: Together, options: CommitterOptions) {
    this.#collections = collections;
    this.#together = together;
    this.#options = options;
  }

  /** Behind which position events of this process may still come; undefined: behind none. */
  after(): number | undefined {
    return this.#after;
  }

  /** See {@link Store.commit}. */
  async commit(commit: Work): Promise<Appended[]> {
    let size = 0;
    for (const { bytes } of commit.events) {
      if (bytes.length === 0) throw new TypeError("an event has bytes, and they are committed once");
      size += bytes.length;
    }
    if (size > 0) await this.#refuseOverBound(size);
    this.#in_flight_bytes += size;
    try {
      return await new Promise<Appended[]>((resolve, reject) => {
        this.#queue.push({ commit, size, resolve, reject });
        this.#running ??= this.#run();
      });
    } finally {
      this.#in_flight_bytes -= size;
      this.#depth.bytes += size;
    }
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#closing;
  }

  /** The depth is asked for now and then; what this process committed since is added to it. */
  async #refuseOverBound(size: number): Promise<void> {
    if (this.#in_flight_bytes + size > MAX_IN_FLIGHT_BYTES && this.#in_flight_bytes > 0) {
      throw new Overloaded(`${this.#in_flight_bytes} bytes are on their way to the store`, 1);
    }
    const depth = this.#depth;
    const over = (): boolean => depth.bytes > this.#options.max_outbox_bytes;
    if (performance.now() - depth.at_ms > DEPTH_MS) {
      depth.asked ??= this.#askDepth().finally(() => {
        depth.asked = undefined;
      });
      // Nobody overtakes: all wait for it, or nobody does.
      if (over() || depth.at_ms === -Infinity) await depth.asked;
      else depth.asked.catch(() => {});
    }
    if (over()) throw new Overloaded(`the outbox holds ${depth.bytes} bytes that are not delivered yet`, 5);
  }

  async #askDepth(): Promise<void> {
    const bytes = await this.#options.waiting_bytes();
    Object.assign(this.#depth, { bytes, at_ms: performance.now() });
  }

  async #run(): Promise<void> {
    // What is committed in this turn of the loop travels together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        const why = overloadOf(error);
        if (group.length === 1 || why instanceof Overloaded) for (const one of group) one.reject(why);
        else for (const one of group) await this.#write([one]).catch((why) => one.reject(overloadOf(why)));
      }
    }
    this.#running = undefined;
    this.#close();
  }

  #takeGroup(): Waiting[] {
    let size = 0;
    let n = 0;
    for (const one of this.#queue) {
      if (n > 0 && (size + one.size > MAX_GROUP_BYTES || n === MAX_GROUP_COMMITS)) break;
      size += one.size;
      n += 1;
    }
    return this.#queue.splice(0, n);
  }

  async #write(group: Waiting[]): Promise<void> {
    this.#after = this.#last;
    for (let tries = 0; tries < TRIES; tries++) {
      const known = await this.#known(group, tries > 0);
      const planned = group.map(({ commit }) => this.#plan(commit, known));
      const docs = planned.flatMap(({ docs }) => docs);
      if (docs.length > 0) await this.#number(docs);
      const bound = planned.filter(isBound);
      const loose = planned.filter((one) => !isBound(one));
      try {
        await this.#apply(loose);
        if (bound.length > 0) await this.#together((session) => this.#apply(bound, session));
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        await this.#catchUp();
        continue;
      }
      if (tries > 0 && !this.#options.transactions) await this.#unfollow(planned);
      if (group.some(({ commit }) => commit.machine || commit.gone)) await settingsChanged(this.#collections);
      group.forEach(({ resolve }, i) => {
        resolve(planned[i]?.appended ?? []);
      });
      return;
    }
    throw new Overloaded("too many write to the log at once", 1);
  }

  /** Events that are there already, by their names; before the first try only those that came with a key may be. */
  async #known(group: Waiting[], all: boolean): Promise<Map<string, { id: string; body_hash?: string }>> {
    const names: string[] = [];
    for (const { commit } of group) {
      for (const event of commit.events) if (event.dedupe || all) names.push(nameOf(event));
    }
    if (names.length === 0) return new Map();
    const docs = await this.#collections.outbox
      .find({ once: { $in: names } }, { projection: { _id: 0, once: 1, id: 1, body_hash: 1 } })
      .toArray();
    return new Map(
      docs.map(({ once, id, body_hash }) => [once, body_hash === undefined ? { id } : { id, body_hash }]),
    );
  }

  /** What becomes of each event, given what is known; what it stores is known to the commits behind it. */
  #plan(commit: Work, known: Map<string, { id: string; body_hash?: string }>): Planned {
    const planned: Planned = { commit, docs: [], followers: [], appended: [] };
    for (const event of commit.events) {
      const before = planned.appended.at(-1);
      if (event.derived && before && before.outcome !== "stored") {
        planned.appended.push(before);
        planned.followers.push(docOf(event, this.#options.project));
        continue;
      }
      const once = nameOf(event);
      const first = known.get(once);
      if (!first) {
        const doc = docOf(event, this.#options.project);
        planned.docs.push(doc);
        known.set(once, event.dedupe ? { id: doc.id, body_hash: event.dedupe.body_hash } : { id: doc.id });
      }
      planned.appended.push(outcomeOf(event, first));
    }
    return planned;
  }

  /**
   * Gives positions. The newest one and what is on its way are told in one write: see {@link Outbox.logState}. That write
   * need not wait for a majority: an event that survives a change of primaries was written after it.
   */
  async #number(docs: EventDoc[]): Promise<void> {
    await this.#closing;
    this.#after ??= this.#last;
    // Finer than a round trip: no two are the same.
    const open = { after: this.#after, at_ms: performance.timeOrigin + performance.now() };
    const log = await this.#collections.counters.findOneAndUpdate(
      { _id: "log" },
      { $inc: { last: docs.length }, $set: { [`open.${this.name}`]: open } },
      { upsert: true, returnDocument: "after", writeConcern: { w: 1 } },
    );
    const last = log?.last ?? 0;
    docs.forEach((doc, i) => {
      doc._id = last - docs.length + 1 + i;
    });
    this.#last = Math.max(this.#last, last);
  }

  /** Nothing is on its way any more. The next group waits until that is written. */
  #close(): void {
    this.#after = undefined;
    this.#closing = this.#collections.counters
      .updateOne({ _id: "log" }, { $unset: { [`open.${this.name}`]: "" } }, { writeConcern: { w: 1 } })
      .catch(() => {});
  }

  /** After a change of primaries, or on a server that does not count exactly, positions may have been given before. */
  async #catchUp(): Promise<void> {
    const [newest] = await this.#collections.outbox
      .find({}, { projection: { _id: 1 }, readConcern: { level: "local" } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    await this.#collections.counters.updateOne({ _id: "log" }, { $max: { last: newest?._id ?? 0 } });
  }

  /** In the order that is told above. */
  async #apply(planned: Planned[], session?: ClientSession): Promise<void> {
    const { outbox, open_gaps, machines, checkpoints } = this.#collections;
    const options = { ordered: false, ...(session ? { session } : {}) };
    const gaps = planned.flatMap(({ commit }) => gapWrites(commit));
    const opened = gaps.filter((write) => "updateOne" in write);
    if (opened.length > 0) await open_gaps.bulkWrite(opened, options);
    const docs = planned.flatMap(({ docs }) => docs);
    const derived = new Set(
      planned.flatMap(({ commit }) => commit.events.filter((one) => one.derived)).map(idOf),
    );
    for (const some of [
      docs.filter(({ id }) => derived.has(id)),
      docs.filter(({ id }) => !derived.has(id)),
    ]) {
      if (some.length > 0) await outbox.insertMany(some, options);
    }
    const closed = gaps.filter((write) => "deleteOne" in write);
    if (closed.length > 0) await open_gaps.bulkWrite(closed, options);
    for (const { commit } of planned) {
      if (commit.gone)
        await open_gaps.deleteMany({ machine_id: commit.gone.machine_id }, session ? { session } : {});
    }
    const made = planned.flatMap(({ commit }) => machineWrites(commit));
    // In order: of two about one machine the later one holds.
    if (made.length > 0) await machines.bulkWrite(made, { ...options, ordered: true });
    const stood = planned.flatMap(({ commit }) => checkpointWrites(commit));
    if (stood.length > 0) await checkpoints.bulkWrite(stood, { ...options, ordered: true });
  }

  /** Without transactions, what was made from an event may have been stored before that one turned out to be a repetition. */
  async #unfollow(planned: Planned[]): Promise<void> {
    const ids = planned.flatMap(({ followers }) => followers.map(({ id }) => id));
    if (ids.length > 0) await this.#collections.outbox.deleteMany({ once: { $in: ids } });
  }
}

const idOf = ({ header }: NewEvent): string => header.id;

/**
 * Whether it must be stored as a whole. Events with keys and the checkpoint behind them need not: see {@link Committer}.
 * A transaction whose process was killed holds what it wrote for a minute; in one, whoever takes over a source would wait
 * for so long for its checkpoint.
 */
function isBound({ commit, docs }: Planned): boolean {
  const { machine, open_gap, close_gaps, gone } = commit;
  return (
    [machine, open_gap, close_gaps?.[0], gone].some((one) => one !== undefined) ||
    (docs.length > 1 && docs.some(({ dedupe_key }) => dedupe_key === undefined))
  );
}

/** With a key it is that key's, of that machine; without one an event is only ever itself. No id holds a line break. */
const onceOf = (event: Pick<EventDoc, "id" | "tenant_id" | "machine_id">, key: string | undefined): string =>
  key === undefined ? event.id : `${event.tenant_id}\n${event.machine_id}\n${key}`;

const nameOf = ({ header, dedupe }: NewEvent): string => onceOf(header, dedupe?.key);

function outcomeOf(
  { header, dedupe }: NewEvent,
  first: { id: string; body_hash?: string } | undefined,
): Appended {
  if (!first || first.id === header.id) return { outcome: "stored", event_id: header.id };
  const same = first.body_hash === dedupe?.body_hash;
  return { outcome: same ? "duplicate" : "conflict", event_id: first.id };
}

function docOf(event: NewEvent, project: boolean): EventDoc {
  const { header, bytes, rows, dedupe } = event;
  return {
    _id: 0,
    ...header,
    rows,
    size_bytes: bytes.length,
    bytes,
    once: nameOf(event),
    ...(dedupe ? { dedupe_key: dedupe.key, body_hash: dedupe.body_hash } : {}),
    slot: slotOf(header.tenant_id, header.machine_id),
    bus: true,
    ...(project && header.type === "mtc.observations.v1" ? { raw: true } : {}),
  };
}

/** An event of another log, at its place. @param waits for the bus; the time series is told of it in any case */
export function docOfLogged(event: LoggedEvent, waits: boolean): EventDoc {
  const { position, dedupe_key, body_hash, aside, bytes, rows, ...header } = event;
  const { bus, ...doc } = docOf(
    {
      header,
      bytes,
      rows,
      ...(dedupe_key === null ? {} : { dedupe: { key: dedupe_key, body_hash: body_hash ?? "" } }),
    },
    true,
  );
  return {
    ...doc,
    _id: position,
    ...(waits && bus && !aside ? { bus } : {}),
    ...(aside ? { aside } : {}),
  };
}

export function gapWrites({ open_gap, close_gaps = [] }: Commit): AnyBulkWriteOperation<GapDoc>[] {
  const id = ({ machine_id, from_us, cause }: NonNullable<Commit["open_gap"]>): string =>
    `${machine_id}\n${from_us}\n${cause}`;
  return [
    ...(open_gap
      ? [{ updateOne: { filter: { _id: id(open_gap) }, update: { $setOnInsert: open_gap }, upsert: true } }]
      : []),
    ...close_gaps.map((gap) => ({ deleteOne: { filter: { _id: id(gap) } } })),
  ];
}

export function machineWrites({ machine, machine_before, gone }: Work): AnyBulkWriteOperation<MachineDoc>[] {
  if (gone) return [{ deleteOne: { filter: { _id: gone.machine_id, tenant_id: gone.tenant_id } } }];
  if (!machine) return [];
  if (machine_before) {
    const change = machineChange(machine_before, machine);
    if (Object.keys(change).length === 0) return [];
    return [{ updateOne: { filter: { _id: machine.id }, update: { $set: change } } }];
  }
  const { _id, ...replacement } = machineDoc(machine);
  return [{ replaceOne: { filter: { _id }, replacement, upsert: true } }];
}

export function checkpointWrites({ checkpoint }: Commit): AnyBulkWriteOperation<CheckpointDoc>[] {
  if (!checkpoint) return [];
  const { agent, ...replacement } = checkpoint;
  return [{ replaceOne: { filter: { _id: agent }, replacement, upsert: true } }];
}

/** The server's code. */
const OUT_OF_DISK_SPACE = 14031;

export const isDuplicate = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === DUPLICATE_KEY;

/** A server that cannot be reached is overload: nothing was acknowledged, the client tries again, and it heals by itself. */
function overloadOf(error: unknown): unknown {
  if (error instanceof MongoServerError && error.code === OUT_OF_DISK_SPACE)
    return new DiskFull(error.message);
  if (!(error instanceof MongoError) || (error instanceof MongoServerError && !isPassing(error)))
    return error;
  return new Overloaded(`the store cannot be reached: ${error.message}`, 2);
}

/** A bulk write whose connection broke is a server's error without a code. */
const isPassing = (error: MongoServerError): boolean =>
  error.code === undefined ||
  error.hasErrorLabel("RetryableWriteError") ||
  error.hasErrorLabel("TransientTransactionError");
