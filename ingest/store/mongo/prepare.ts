// Makes the collections and indexes, as often as it is asked, and finds out what the server can do by trying.
import { type CollectionInfo, type Db, type Document, type MongoClient, MongoServerError } from "mongodb";
import { type Collections, PLAIN_SERIES, PLANS, RAW, RAW_SERIES } from "./documents.ts";

/** What a replica set of MongoDB 7 has, and servers that only speak its protocol may lack. */
export type Capabilities = {
  transactions: boolean;
  change_streams: boolean;
  time_series: boolean;
  ttl: boolean;
  validators: boolean;
  partial_indexes: boolean;
};

/** What stands in for each that is missing. */
export const LACKING: Record<keyof Capabilities, string> = {
  transactions: "transactions: writes are ordered instead",
  change_streams: "change streams: the relay looks once a second",
  time_series: "time-series collections: raw_machine_data is a plain one",
  ttl: "expiry of its own: what is old is deleted hourly",
  validators: "schema validation",
  partial_indexes: "partial indexes: theirs hold the whole log",
};

/** What an index has for longer than it takes to make it. */
type Lasting = { partialFilterExpression?: unknown; expireAfterSeconds?: number | undefined };

const NAMESPACE_EXISTS = 48;
/**
 * How servers say that they do not know something: BadValue, FailedToParse, IllegalOperation, CommandNotFound,
 * InvalidOptions, CommandNotSupported, NotImplemented, unknown stages and fields, no replica set. Anything else, a missing
 * right above all, is an error and no lack.
 */
const UNKNOWN = [2, 9, 20, 59, 72, 115, 238, 263, 303, 304, 40_324, 40_415, 40_573];

/** @returns whether the server knows what was tried; @throws where it fails for another reason */
async function knows(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && UNKNOWN.includes(Number(error.code))) return false;
    throw error;
  }
}

/**
 * Makes what is not there yet and brings what is there up to date.
 * @param retention_days how long the time series keeps an observation, by its own time
 * @throws MongoError where the server cannot be reached or refuses
 */
export async function prepare(
  client: MongoClient,
  db: Db,
  collections: Collections,
  retention_days: number,
): Promise<Capabilities> {
  const there = new Map<string, "series" | "plain">();
  for (const { name, options } of await db.listCollections<CollectionInfo>().toArray()) {
    there.set(name, options?.timeseries ? "series" : "plain");
  }
  const expire_s = retention_days * 86_400;
  const capabilities: Capabilities = {
    transactions: false,
    change_streams: false,
    time_series: await makeSeries(db, there.get(RAW), expire_s),
    ttl: true,
    validators: true,
    partial_indexes: true,
  };
  for (const [name, { schema, indexes }] of Object.entries(PLANS)) {
    const validator = { $jsonSchema: schema };
    if (!(await makeCollection(db, name, validator, there.has(name)))) capabilities.validators = false;
    const made = there.has(name) ? await db.collection(name).indexes() : [];
    for (const index of indexes) {
      const { partialFilterExpression, expireAfterSeconds, ...plain } = index;
      // By name: one that is to change needs another one. FerretDB ends the connection where an index is made again.
      let found: Lasting | undefined = made.find((one) => one.name === index.name);
      if (!found) {
        if (await knows(() => db.collection(name).createIndexes([index]))) continue;
        await db.collection(name).createIndexes([plain]);
        found = {};
      }
      if (partialFilterExpression && !found.partialFilterExpression) capabilities.partial_indexes = false;
      if (expireAfterSeconds !== undefined && found.expireAfterSeconds === undefined)
        capabilities.ttl = false;
    }
  }
  if (!capabilities.time_series) {
    const made = await db.collection(RAW).indexes();
    const missing = PLAIN_SERIES.filter(({ name }) => !made.some((one) => one.name === name));
    if (missing.length > 0) await collections[RAW].createIndexes(missing);
  }
  capabilities.transactions = await hasTransactions(client, collections);
  capabilities.change_streams = await knows(() => tryWatching(collections));
  return capabilities;
}

/** @returns whether the server keeps to the schema */
async function makeCollection(
  db: Db,
  name: string,
  validator: Document,
  is_there: boolean,
): Promise<boolean> {
  if (is_there) return knows(() => db.command({ collMod: name, validator }));
  if (await knows(() => create(db, name, { validator }))) return true;
  await create(db, name, {});
  return false;
}

/** @returns whether it is a time series */
async function makeSeries(db: Db, type: "series" | "plain" | undefined, expire_s: number): Promise<boolean> {
  if (type === "series") {
    await db.command({ collMod: RAW, expireAfterSeconds: expire_s });
    return true;
  }
  // One that was plain stays so: its observations would have to be copied.
  if (type !== undefined) return false;
  if (await knows(() => create(db, RAW, { timeseries: RAW_SERIES, expireAfterSeconds: expire_s })))
    return true;
  await create(db, RAW, {});
  return false;
}

/** Another process may be making the same. */
async function create(db: Db, name: string, options: Document): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
  }
}

/** A server may take a transaction and not keep it: what was taken back must be gone. */
async function hasTransactions(client: MongoClient, { counters }: Collections): Promise<boolean> {
  const _id = `probe-${crypto.randomUUID()}`;
  const session = client.startSession();
  try {
    const taken = await knows(async () => {
      session.startTransaction();
      await counters.insertOne({ _id }, { session });
      await session.abortTransaction();
    });
    if (!taken) return false;
    const { deletedCount } = await counters.deleteOne({ _id });
    return deletedCount === 0;
  } finally {
    await session.endSession();
  }
}

async function tryWatching({ outbox }: Collections): Promise<void> {
  const stream = outbox.watch([], { maxAwaitTimeMS: 1 });
  try {
    await stream.tryNext();
  } finally {
    await stream.close();
  }
}
