// What the store says on the wire, held against MongoDB's documentation: what no server that can be made here takes as it is.
import { afterEach, describe, expect, test } from "bun:test";
import { type Document, Long } from "mongodb";
import { until } from "../../.ci/limits.ts";
import { encodeData, encodeEvent, type ObservationColumns } from "../event.ts";
import { startWirePeer, type WirePeer } from "../testing/mongo-wire.ts";
import { openMongo } from "./mongo.ts";
import type { NewEvent, Store } from "./store.ts";

const JOURNALED = { w: "majority", j: true };
const nameOf = (command: Document): string => Object.keys(command)[0] ?? "";
const cursor = (firstBatch: Document[] = [], id = 0, ns = "mtc.outbox"): Document => ({
  cursor: { id: Long.fromNumber(id), ns, firstBatch, postBatchResumeToken: { _data: "82" } },
});

const NUMBERS = { signals: ["n"], signal: [0, 0], t0: 1_000_000, dt: [0, 1], num: [1, 2] };

function event(
  id: string,
  machine_id: string,
  key?: string,
  columns: ObservationColumns = NUMBERS,
): NewEvent {
  const header = { id, type: "mtc.observations.v1" as const, tenant_id: "plant-1", machine_id, time_ms: 1 };
  const data = encodeData(columns);
  return {
    header,
    bytes: encodeEvent(header, data),
    rows: 2,
    ...(key ? { dedupe: { key, body_hash: "h" } } : {}),
  };
}

const gap = { machine_id: "m", from_us: 5, cause: "unreachable" as const };

let peer: WirePeer;
let store: Store;
afterEach(async () => {
  await store.close();
  peer.stop();
});

/** What answers as a replica set does with an empty store; `script` goes before. */
function startPeer(script: (command: Document) => Document | undefined): WirePeer {
  let last = 0;
  return startWirePeer((command) => {
    const scripted = script(command);
    if (scripted) return scripted;
    switch (nameOf(command)) {
      case "findAndModify":
        last += command.update.$inc.last ?? 0;
        return { value: { _id: "log", last, ticks: 0 } };
      case "insert":
      case "update":
        return { n: (command.documents ?? command.updates).length, nModified: 1 };
      case "delete":
        return { n: 0 };
      case "aggregate":
        return cursor([], command.pipeline[0]?.$changeStream ? 77 : 0);
      case "getMore":
        return {
          cursor: {
            id: Long.fromNumber(77),
            ns: "mtc.outbox",
            nextBatch: [],
            postBatchResumeToken: { _data: "83" },
          },
        };
      case "find":
      case "listCollections":
      case "listIndexes":
        return cursor();
      default:
        return undefined;
    }
  });
}

async function opened(
  script: (command: Document) => Document | undefined = () => undefined,
  project: "here" | "nowhere" = "nowhere",
): Promise<void> {
  peer = startPeer(script);
  const log = (message: string): number => said.push(message);
  said.length = 0;
  store = await openMongo({
    url: peer.url,
    max_outbox_bytes: 1 << 30,
    raw_retention_days: 30,
    project,
    log,
    lease_ms: 60_000,
  });
}

const said: string[] = [];
const sent = (name: string, collection?: string): Document[] =>
  peer.commands.filter(
    (one) => nameOf(one) === name && (collection === undefined || one[name] === collection),
  );

const versioned = (version: string | undefined) => (command: Document) =>
  command.find === "counters" && version !== undefined
    ? cursor([{ _id: "schema_version", version }], 0, "mtc.counters")
    : undefined;
const closed = (url: string) => ({
  url,
  max_outbox_bytes: 1,
  raw_retention_days: 30,
  project: "nowhere" as const,
  log: () => {},
});

describe("made", () => {
  test("the time series with its time, its meta field, its granularity and its expiry, and no validator", async () => {
    await opened();
    const series = sent("create", "raw_machine_data")[0];
    expect(series).toMatchObject({
      timeseries: { timeField: "ts", metaField: "machine", granularity: "seconds" },
      expireAfterSeconds: 30 * 86_400,
    });
    expect(series).not.toHaveProperty("validator");
    expect(store.about().lacks).toEqual([]);
  });

  test("every other collection with a JSON schema; names once by a unique index; what waits by a partial one", async () => {
    await opened();
    const made = sent("create").filter(({ create }) => create !== "raw_machine_data");
    expect(made.map(({ create }) => create)).toContain("outbox");
    for (const one of made) expect(one.validator.$jsonSchema.bsonType).toBe("object");
    const indexes = sent("createIndexes", "outbox").flatMap((one) => one.indexes as Document[]);
    expect(indexes).toContainEqual({ name: "once", key: { once: 1 }, unique: true });
    expect(indexes.find(({ name }) => name === "bus")).toMatchObject({
      key: { bus: 1, slot: 1, _id: 1 },
      partialFilterExpression: { bus: true },
    });
    const sessions = sent("createIndexes", "sessions").flatMap((one) => one.indexes as Document[]);
    expect(sessions).toContainEqual({ name: "expires", key: { expires: 1 }, expireAfterSeconds: 0 });
  });

  test.each([
    { found: undefined, noted: "1.1" },
    { found: "1.0", noted: "1.1" },
    { found: "1.7", noted: undefined },
  ])(
    "the schema's version is looked at first, and noted before the first change: $found",
    async ({ found, noted }) => {
      await opened();
      const told: (string | undefined)[] = [];
      const other = startPeer(versioned(found));
      const store = await openMongo({
        ...closed(other.url),
        version: (version) => {
          told.push(version);
          return noted;
        },
      });
      await store.close();
      const names = other.commands.map(nameOf);
      expect([told, names.slice(0, 2)]).toEqual([
        [found],
        ["find", noted === undefined ? "listCollections" : "update"],
      ]);
      const noting = other.commands.find(({ update }) => update === "counters")?.updates[0];
      if (noted === undefined) expect(noting).toBeUndefined();
      else
        expect(noting).toMatchObject({
          q: { _id: "schema_version" },
          u: { $set: { version: noted } },
          upsert: true,
        });
      other.stop();
    },
  );

  test("a program that is too old for the schema's version changes nothing", async () => {
    await opened();
    const other = startPeer(versioned("2.0"));
    const refused = await openMongo({
      ...closed(other.url),
      version: (found) => {
        throw new Error(`too old for ${found}`);
      },
    }).catch(String);
    expect([refused, other.commands.map(nameOf)]).toEqual(["Error: too old for 2.0", ["find"]]);
    other.stop();
  });

  test("there already: schemas and the series' expiry are brought up to date by collMod", async () => {
    const listed = [
      { name: "outbox", type: "collection", options: {} },
      { name: "raw_machine_data", type: "timeseries", options: { timeseries: { timeField: "ts" } } },
    ];
    await opened((command) => (nameOf(command) === "listCollections" ? cursor(listed) : undefined));
    expect(sent("create").map(({ create }) => create)).not.toContain("raw_machine_data");
    expect(sent("collMod", "raw_machine_data")[0]).toMatchObject({ expireAfterSeconds: 30 * 86_400 });
    expect(sent("collMod", "outbox")[0]?.validator.$jsonSchema.required).toContain("bytes");
  });
});

describe("written", () => {
  test("invariant 1: an event alone waits for the journals of a majority, retryable, in no transaction", async () => {
    await opened();
    await store.commit({ events: [event("a", "m")] });
    const insert = sent("insert", "outbox")[0];
    expect(insert?.writeConcern).toEqual(JOURNALED);
    expect(insert?.txnNumber).toBeDefined();
    expect(insert).not.toHaveProperty("startTransaction");
    expect(insert?.documents).toMatchObject([
      { _id: 1, id: "a", once: "a", bus: true, tenant_id: "plant-1" },
    ]);
    // Its position was given before.
    const order = peer.commands.map(nameOf);
    expect(order.lastIndexOf("findAndModify")).toBeLessThan(order.lastIndexOf("insert"));
  });

  test("what belongs together is one transaction: read and written by the majority, committed once", async () => {
    await opened();
    peer.commands.length = 0;
    await store.commit({ events: [event("a", "m"), { ...event("b", "m"), derived: true }], open_gap: gap });
    const bound = peer.commands.filter(({ autocommit }) => autocommit === false);
    expect(bound.map(nameOf)).toEqual(["update", "insert", "insert", "commitTransaction"]);
    expect(bound.map(({ startTransaction }) => startTransaction)).toEqual([
      true,
      undefined,
      undefined,
      undefined,
    ]);
    expect(bound[0]?.readConcern).toMatchObject({ level: "majority" });
    expect(new Set(bound.map(({ txnNumber }) => String(txnNumber))).size).toBe(1);
    // Inside of one no statement may have a write concern; the commit has it for all.
    expect(bound.slice(0, 3).map(({ writeConcern }) => writeConcern)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(bound[3]?.writeConcern).toMatchObject(JOURNALED);
    expect(bound[3]?.$db).toBe("admin");
  });

  test("events with keys are stored before the checkpoint behind them", async () => {
    await opened();
    peer.commands.length = 0;
    const checkpoint = { agent: "http://agent", instance_id: "1", next_sequence: 9 };
    await store.commit({ events: [event("a", "m", "k1"), event("b", "n", "k2")], checkpoint });
    const writes = peer.commands.filter((one) => one.insert === "outbox" || one.update === "checkpoints");
    expect(writes.map(nameOf)).toEqual(["insert", "update"]);
    expect(writes[0]?.ordered).toBe(false);
    for (const one of writes) expect(one.writeConcern).toEqual(JOURNALED);
    // Before they were looked for by their names.
    expect(sent("find", "outbox").map(({ filter }) => filter)).toContainEqual({
      once: { $in: ["plant-1\nm\nk1", "plant-1\nn\nk2"] },
    });
  });

  /** Opened by the one process there is, which finds these in the outbox once, for the time series. */
  const withRaw = (waiting: Document[]) => {
    let given = false;
    return opened((command) => {
      if (nameOf(command) !== "find") return undefined;
      if (command.find === "relays") return cursor([], 0, "mtc.relays");
      if (command.find === "leases") return cursor(leases(), 0, "mtc.leases");
      if (command.find !== "outbox" || given || !command.filter.raw) return undefined;
      given = true;
      return cursor(waiting);
    }, "here");
  };

  test("the time series afterwards: unordered, each machine's behind each other, in no transaction", async () => {
    const waiting = ["m", "n", "m"].map((machine, i) => {
      const { header, bytes, rows } = event(`e${i}`, machine);
      return { ...header, _id: i + 1, bytes, rows, slot: 0, raw: true };
    });
    await withRaw(waiting);
    const insert = await until(() => sent("insert", "raw_machine_data")[0]);
    expect(insert.ordered).toBe(false);
    expect(insert).not.toHaveProperty("autocommit");
    expect(insert.documents.map((one: Document) => one.machine.machine_id)).toEqual([
      "m",
      "m",
      "m",
      "m",
      "n",
      "n",
    ]);
    expect(insert.documents[0]).toMatchObject({ signal: "n", ts: new Date(1_000), ts_us: 1_000_000 });
    const marked = await until(() => sent("update", "outbox")[0]);
    expect(marked.updates[0]).toMatchObject({
      q: { _id: { $in: [1, 3, 2] } },
      u: { $unset: { raw: "" } },
      multi: true,
    });
  });

  test("in the time series a field has one type: a bucket of a machine ends with each change of one", async () => {
    const mixed = {
      signals: ["load", "execution"],
      signal: [0, 1, 0, 1],
      t0: 1_000_000,
      dt: [0, 1, 2, 3],
      num: [55.5, null, 0, null],
      words: ["ACTIVE"],
      word: [0, 1, 0, 0],
    };
    const { header, bytes, rows } = event("e", "m", undefined, mixed);
    await withRaw([{ ...header, _id: 1, bytes, rows, slot: 0, raw: true }]);
    const insert = await until(() => sent("insert", "raw_machine_data")[0]);
    const documents = insert.documents as Document[];
    expect(documents.map(({ num, word }) => [num, word])).toEqual([
      [55.5, undefined],
      [undefined, "ACTIVE"],
      [0, undefined],
      [undefined, undefined],
    ]);
    const types = new Map<string, Set<string>>();
    for (const document of documents)
      for (const [name, value] of Object.entries(document))
        types.set(name, (types.get(name) ?? new Set()).add(typeof value));
    expect([...types].filter(([, of]) => of.size > 1)).toEqual([]);
  });

  /** What was taken, given back as the server would. */
  const leases = (): Document[] => sent("insert", "leases").flatMap((one) => one.documents as Document[]);
});

describe("read", () => {
  test("the relay claims what waits in its slots, by position, of what a majority has", async () => {
    await opened((command) => {
      if (command.find !== "leases") return undefined;
      return cursor(
        sent("insert", "leases").flatMap((one) => one.documents as Document[]),
        0,
        "mtc.leases",
      );
    });
    await store.readOutbox(100, 1 << 20);
    const claim = sent("find", "outbox").at(-1);
    expect(claim).toMatchObject({
      filter: { bus: true },
      sort: { _id: 1 },
      limit: 100,
      readConcern: { level: "majority" },
    });
    expect(claim?.filter.slot.$in).toHaveLength(32);
    const turns = sent("insert", "leases").flatMap((one) => one.documents as Document[]);
    expect(turns[0]).toMatchObject({ _id: "bus/0/1", consumer: "bus", slot: 0, turn: 1 });
    expect(sent("insert", "leases")[0]?.writeConcern).toEqual(JOURNALED);
  });

  test("a change stream of inserts wakes the relay; one that lost its history is opened anew, without its token", async () => {
    let woken = 0;
    let lost = false;
    await opened((command) => {
      if (nameOf(command) !== "getMore" || command.collection !== "outbox") return undefined;
      if (woken === 0) {
        const inserted = { _id: { _data: "84" }, operationType: "insert" };
        return {
          cursor: {
            id: Long.fromNumber(77),
            ns: "mtc.outbox",
            nextBatch: [inserted],
            postBatchResumeToken: { _data: "84" },
          },
        };
      }
      if (lost) return undefined;
      lost = true;
      return {
        ok: 0,
        code: 286,
        codeName: "ChangeStreamHistoryLost",
        errmsg: "resume point no longer in the oplog",
      };
    });
    peer.commands.length = 0;
    store.onArrival(() => {
      woken += 1;
    });
    const streams = (): Document[] =>
      sent("aggregate", "outbox").filter(({ pipeline }) => pipeline[0]?.$changeStream);
    await until(() => (woken > 0 ? true : undefined));
    expect(streams()[0]?.pipeline).toEqual([
      { $changeStream: {} },
      { $match: { operationType: "insert" } },
      { $project: { _id: 1 } },
    ]);
    await until(() => (streams().length > 1 ? true : undefined));
    expect(streams()[1]?.pipeline[0]).toEqual({ $changeStream: {} });
    expect(said.some((message) => message.includes("resume point no longer in the oplog"))).toBe(true);
  });
});

test("a server that refuses for want of a right is no server that lacks something: the start fails", async () => {
  await opened();
  const refusing = startWirePeer((command) =>
    nameOf(command) === "create"
      ? { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not authorized" }
      : cursor(),
  );
  const options = { max_outbox_bytes: 1, raw_retention_days: 30, project: "nowhere" as const, log: () => {} };
  const error = await openMongo({ ...options, url: refusing.url }).catch(String);
  expect(error).toContain("not authorized");
  refusing.stop();
});
