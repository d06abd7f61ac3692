// The store on MongoDB, for many processes at once: connects, prepares, and puts its parts together.
import { type ClientSession, MongoClient, MongoNetworkError } from "mongodb";
import { Committer, type Together } from "./mongo/committer.ts";
import { MongoSource } from "./mongo/copying.ts";
import { type Collections, collectionsOf } from "./mongo/documents.ts";
import { Holes } from "./mongo/holes.ts";
import { Leases } from "./mongo/leases.ts";
import { MongoTarget, type Moved, refuseHalfMoved } from "./mongo/moving.ts";
import { Outbox } from "./mongo/outbox.ts";
import { type Capabilities, LACKING, prepare } from "./mongo/prepare.ts";
import { startSeries } from "./mongo/series.ts";
import { Settings } from "./mongo/settings.ts";
import { shareOf } from "./mongo/share.ts";
import { startWatch, type Watch } from "./mongo/watch.ts";
import type { Store } from "./store.ts";

/**
 * Is told the schema's version that the database has, if any, before anything else is done there.
 * @returns the one to be noted; undefined: it stays what it is @throws where this program cannot work with it
 */
export type KeepVersion = (found: string | undefined) => string | undefined;

export type MongoOptions = {
  /** mongodb://… or mongodb+srv://… with the database's name; without one it is `mtc`. */
  url: string;
  /** How much may wait for the bus before commits are refused (invariant 7). */
  max_outbox_bytes: number;
  /** How long the time series keeps an observation, by its own time. */
  raw_retention_days: number;
  /** Who writes the time series: this process (the role `relay`), another one, or nobody. */
  project: "here" | "elsewhere" | "nowhere";
  log: (message: string) => void;
  /** Left out where nobody looks: tests. */
  version?: KeepVersion;
  /** How long the bus may take to have on disk what it took; without it ten minutes. */
  settle_ms?: number;
  /** How long a process may be silent before others take over what it delivers; without it five seconds. */
  lease_ms?: number;
};

const SETTLE_MS = 10 * 60_000;
const LEASE_MS = 5_000;
/** How long an answer may take. */
const TIMEOUT_MS = 30_000;
const SELECT_MS = 5_000;
/** A command that somebody typed tries once, and does not give up that soon. */
const COMMAND_SELECT_MS = 60_000;
/** Whether it answers is asked again and again: an answer that was lost must not keep the next one waiting. */
const PING_MS = 5_000;
const PREPARE_TRIES = 5;

/**
 * Connects, and makes what is not there yet.
 * @throws MongoError where the server cannot be reached or refuses
 */
export async function openMongo(options: MongoOptions): Promise<Store> {
  const { log, raw_retention_days, project, settle_ms = SETTLE_MS, lease_ms = LEASE_MS } = options;
  const client = clientOf(options.url);
  try {
    await client.connect();
    const db = client.db(databaseOf(options.url));
    const collections = collectionsOf(db);
    if (options.version) await keepVersion(collections, options.version);
    const capabilities = await prepared(() => prepare(client, db, collections, raw_retention_days));
    await refuseHalfMoved(collections);
    const lacks = lacking(capabilities);
    for (const one of lacks) log(`store: the server at ${hostsOf(client)} has no ${one}`);

    const together = togetherOf(client, capabilities.transactions);
    const committer: Committer = new Committer(collections, together, {
      transactions: capabilities.transactions,
      project: project !== "nowhere",
      max_outbox_bytes: options.max_outbox_bytes,
      waiting_bytes: async () => (await outbox.outboxDepth()).bytes,
    });
    const leases = new Leases(collections, { consumer: "bus", lease_ms });
    const outbox = new Outbox(
      collections,
      leases,
      committer,
      settle_ms,
      new Holes(collections, 2 * lease_ms),
    );
    const settings = new Settings(collections, together);
    const series =
      project === "here"
        ? startSeries(collections, new Leases(collections, { consumer: "raw", lease_ms }), log)
        : undefined;
    let watch: Watch | undefined;

    return {
      about: () => ({ engine: "mongodb", lacks }),
      onArrival(arrived) {
        if (capabilities.change_streams) {
          watch ??= startWatch(
            collections,
            () => {
              arrived();
              series?.wake();
            },
            log,
          );
        }
      },
      commit: (commit) => committer.commit(commit),
      async ping() {
        await db.command({ ping: 1 }, { timeoutMS: PING_MS });
      },
      share: (what) => shareOf(new Leases(collections, { consumer: what, lease_ms })),
      async checkpoint(agent) {
        const doc = await collections.checkpoints.findOne({ _id: agent });
        if (!doc) return undefined;
        const { _id, ...checkpoint } = doc;
        return { agent, ...checkpoint };
      },
      async openGaps(machine_id) {
        const gaps = await collections.open_gaps.find({ machine_id }).toArray();
        return gaps.map(({ _id, ...gap }) => gap);
      },
      lastEventId: () => outbox.lastEventId(),
      readOutbox: (max_events, max_bytes) => outbox.readOutbox(max_events, max_bytes),
      readLog: (range, max_events, max_bytes) => outbox.readLog(range, max_events, max_bytes),
      logState: () => outbox.logState(),
      delivered: (position) => outbox.delivered(position),
      rewind: (to) => outbox.rewind(to),
      setAside: (position, error) => outbox.setAside(position, error),
      poison: (tenant_id, max_events) => outbox.poison(tenant_id, max_events),
      poisonBytes: (tenant_id, position) => outbox.poisonBytes(tenant_id, position),
      retryPoison: (tenant_id, position) => outbox.retryPoison(tenant_id, position),
      discardPoison: (tenant_id, position) => outbox.discardPoison(tenant_id, position),
      freeBytes: async () => 0,
      outboxDepth: () => outbox.outboxDepth(),
      waiting: (tenant_id) => outbox.waiting(tenant_id),
      async purge(before_ms) {
        if (!capabilities.ttl) await settings.deleteExpired();
        if (!capabilities.time_series) {
          await collections.raw_machine_data.deleteMany({ ts: { $lt: new Date(before_ms) } });
        }
        return outbox.purge(before_ms);
      },
      retentionTime_ms: () => outbox.retentionTime_ms(),
      noteRetentionTime: (time_ms) => outbox.noteRetentionTime(time_ms),
      entries: (tenant_id, machine_id, type) => outbox.entries(tenant_id, machine_id, type),
      settingsVersion: () => settings.version(),
      machines: () => settings.machines(),
      async deleteMachine(tenant_id, machine_id, event) {
        await committer.commit({ events: [event], gone: { tenant_id, machine_id } });
      },
      keys: () => settings.keys(),
      putKey: (key) => settings.putKey(key),
      deleteKey: (tenant_id, id) => settings.deleteKey(tenant_id, id),
      users: () => settings.users(),
      putUser: (user, ends_sessions) => settings.putUser(user, ends_sessions),
      deleteUser: (tenant_id, id) => settings.deleteUser(tenant_id, id),
      session: (hash) => settings.session(hash),
      putSession: (session) => settings.putSession(session),
      deleteSession: (hash) => settings.deleteSession(hash),
      async close() {
        await watch?.stop();
        await series?.stop();
        await committer.idle();
        await leases
          .release()
          .catch((error: Error) => log(`store: leases were not given back: ${error.message}`));
        await client.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Connects to a database that an installation is to be moved to, and makes what is not there yet.
 * @throws MongoError where the server cannot be reached or refuses
 */
export async function openMongoTarget(
  url: string,
  raw_retention_days: number,
  version?: KeepVersion,
): Promise<{ target: MongoTarget; name: string; close(): Promise<void> }> {
  const client = clientOf(url, COMMAND_SELECT_MS);
  try {
    await client.connect();
    const db = client.db(databaseOf(url));
    if (version) await keepVersion(collectionsOf(db), version);
    await prepared(() => prepare(client, db, collectionsOf(db), raw_retention_days));
    return {
      target: new MongoTarget(db),
      name: `${db.databaseName} at ${hostsOf(client)}`,
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * How a database stands to a restore, which has changed nothing in it yet.
 * @returns what it holds of an installation, in words, "" where that is nothing; and what was moved or restored there
 * @throws MongoError where the server cannot be reached or refuses
 */
export async function lookAtMongo(url: string): Promise<{ holds: string; moved: Moved | undefined }> {
  const client = clientOf(url, COMMAND_SELECT_MS);
  try {
    await client.connect();
    const target = new MongoTarget(client.db(databaseOf(url)));
    return { holds: await target.holds(), moved: await target.moved() };
  } finally {
    await client.close();
  }
}

/**
 * Connects to a database that is to be copied while a cluster works with it.
 * @throws MongoError where the server cannot be reached or refuses
 */
export async function openMongoSource(url: string): Promise<{ source: MongoSource; close(): Promise<void> }> {
  const client = clientOf(url, COMMAND_SELECT_MS);
  try {
    await client.connect();
    return {
      source: new MongoSource(client.db(databaseOf(url)), 2 * LEASE_MS),
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The counter's name. */
const VERSION = "schema_version";

async function keepVersion({ counters }: Pick<Collections, "counters">, version: KeepVersion): Promise<void> {
  const noted = version((await counters.findOne({ _id: VERSION }))?.version);
  if (noted !== undefined)
    await counters.updateOne({ _id: VERSION }, { $set: { version: noted } }, { upsert: true });
}

const clientOf = (url: string, select_ms = SELECT_MS): MongoClient =>
  new MongoClient(url, {
    appName: "mtc",
    // Acknowledged is on the journals of a majority (invariant 1), and only that is read.
    writeConcern: { w: "majority", journal: true },
    readConcern: { level: "majority" },
    promoteBuffers: true,
    ignoreUndefined: true,
    serverSelectionTimeoutMS: select_ms,
    socketTimeoutMS: TIMEOUT_MS,
  });

/** Processes that start at once make the same things; FerretDB ends the connection of one that comes too late. */
async function prepared(attempt: () => Promise<Capabilities>): Promise<Capabilities> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof MongoNetworkError) || tries === PREPARE_TRIES) throw error;
    }
  }
}

/** The path of the URL names the database. */
const databaseOf = (url: string): string => /^[^:]+:\/\/[^/]+\/([^?]+)/.exec(url)?.[1] ?? "mtc";

/** Without its password. */
const hostsOf = (client: MongoClient): string => client.options.hosts.map(String).join(",");

const lacking = (capabilities: Capabilities): string[] =>
  Object.entries(LACKING).flatMap(([name, words]) =>
    capabilities[name as keyof Capabilities] ? [] : [words],
  );

/** One transaction for all of it, where the server has them; then it may run several times until it goes through. */
const togetherOf =
  (client: MongoClient, transactions: boolean): Together =>
  async (write: (session?: ClientSession) => Promise<void>) => {
    if (!transactions) return write();
    await client.withSession((session) => session.withTransaction(() => write(session)));
  };
