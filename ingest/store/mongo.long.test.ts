// The store on MongoDB keeps the contract, on every server that speaks the protocol and is there.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { limit_ms, until } from "../../.ci/limits.ts";
import { type EventHeader, encodeData, encodeEvent } from "../event.ts";
import { MONGO_ENGINES, type MongoServer } from "../testing/mongo.ts";
import { Committer } from "./mongo/committer.ts";
import { collectionsOf } from "./mongo/documents.ts";
import { openMongo } from "./mongo.ts";
import { storeContract } from "./store.contract.ts";
import { type NewEvent, Overloaded, type Share, type Store } from "./store.ts";

let n = 0;

function sized(bytes: number, id: string, machine_id = "press-1"): NewEvent {
  const header: EventHeader = {
    id,
    type: "mtc.observations.v1",
    tenant_id: "plant-1",
    machine_id,
    time_ms: 1,
  };
  return { header, bytes: encodeEvent(header, new Uint8Array(bytes).fill(0x20)), rows: 1 };
}

for (const { name, whole, start } of MONGO_ENGINES) {
  if (!start) {
    test.skip(`${name}: the store's contract`, () => {});
    continue;
  }
  let server: MongoServer;
  const open = (
    options: {
      max_outbox_bytes?: number;
      project?: "here" | "nowhere";
      lease_ms?: number;
      log?: (message: string) => void;
    } = {},
  ) =>
    openMongo({
      url: server.url(n),
      max_outbox_bytes: 1 << 20,
      raw_retention_days: 30,
      project: "nowhere",
      log: () => {},
      lease_ms: 2_000,
      ...options,
    });
  beforeAll(async () => {
    server = await start();
  }, limit_ms(90));
  afterAll(() => server.stop());

  storeContract(name, open, () => {
    n += 1;
  });

  describe(name, () => {
    const fresh = (...options: Parameters<typeof open>): Promise<Store> => {
      n += 1;
      return open(...options);
    };

    test("says what its server lacks, in the log and for /readyz", async () => {
      const said: string[] = [];
      const store = await fresh({ log: (message) => said.push(message) });
      const { engine, lacks } = store.about();
      expect(engine).toBe("mongodb");
      expect(lacks.map((one) => one.split(":")[0])).toEqual(
        whole
          ? []
          : [
              "transactions",
              "change streams",
              "time-series collections",
              "expiry of its own",
              "schema validation",
              "partial indexes",
            ],
      );
      expect(said).toHaveLength(lacks.length);
      await store.close();
    });

    test("what a process tells of itself the others know, until it leaves, and of one that died that it did", async () => {
      const stores = [await fresh({ lease_ms: 1_000 }), await open({ lease_ms: 1_000 })] as const;
      const [one, other] = stores.map((store) => store.share("collect")) as [Share, Share];
      const told = (words: string, lives: boolean) =>
        until(async () => Bun.deepEquals(await other.told(), words === "" ? [] : [{ words, lives }]));
      one.tell("all is well");
      expect(await other.told()).toEqual([]);
      await one.balance(async () => {});
      await told("all is well", true);
      one.tell("not so well");
      await told("not so well", true);
      await one.release();
      await told("", false);

      const late = stores[0].share("collect");
      late.tell("I was there");
      await late.balance(async () => {});
      await told("I was there", true);
      // Its beats do not reach the server any more.
      await stores[0].close();
      await told("I was there", false);
      await late.release().catch(() => {});
      await stores[1].close();
    });

    test("opened again and again, by two at once: nothing is made twice, nothing is lost", async () => {
      const first = await fresh();
      await first.commit({ events: [sized(10, "a")] });
      const [second, third] = await Promise.all([open(), open()]);
      expect(await second.lastEventId()).toBe("a");
      for (const store of [first, second, third]) await store.close();
    });

    test("invariant 7: a full outbox refuses, stores nothing, and takes again when it is drained", async () => {
      const store = await fresh({ max_outbox_bytes: 10_000 });
      await store.commit({ events: [sized(20_000, "a")] });
      const refused = await store.commit({ events: [sized(10, "b")] }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Overloaded);
      const { events } = await store.readOutbox(10, 1 << 20);
      expect(events.map(({ id }) => id)).toEqual(["a"]);
      await store.delivered(events[0]?.position ?? 0);
      const taken = await until(async () => {
        const answer = await store.commit({ events: [sized(10, "c")] }).catch((error: unknown) => error);
        return !(answer instanceof Overloaded) && answer;
      });
      expect(taken).toMatchObject([{ outcome: "stored" }]);
      await store.close();
    });

    test("of commits that travel together each has an outcome of its own", async () => {
      const store = await fresh();
      const keyed = (id: string, body_hash: string) => ({
        ...sized(10, id),
        dedupe: { key: "k", body_hash },
      });
      const checkpoint = { agent: "http://agent", instance_id: "7", next_sequence: 42 };
      const results = await Promise.all([
        store.commit({ events: [keyed("a", "1")] }),
        store.commit({ events: [keyed("b", "1")], checkpoint }),
        store.commit({ events: [keyed("c", "2")] }),
        store.commit({ events: [sized(10, "d"), { ...sized(10, "e"), derived: true }] }),
      ]);
      expect(results.map((one) => one.map(({ outcome }) => outcome))).toEqual([
        ["stored"],
        ["duplicate"],
        ["conflict"],
        ["stored", "stored"],
      ]);
      expect((await store.outboxDepth()).events).toBe(3);
      expect(await store.checkpoint("http://agent")).toEqual(checkpoint);
      await store.close();
    });

    test("invariant 2: two processes that are sent the same key at once store one event", async () => {
      const [one, two] = [await fresh(), await open()];
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, i) => {
          const event = { ...sized(10, `e${i}`), dedupe: { key: `k${i >> 1}`, body_hash: "h" } };
          return (i % 2 === 0 ? one : two).commit({ events: [event] });
        }),
      );
      const ids = results.map(([result]) => result?.event_id ?? "");
      for (let i = 0; i < 40; i += 2) expect(ids[i]).toBe(ids[i + 1] as string);
      expect(new Set(ids).size).toBe(20);
      const depth = await one.outboxDepth();
      expect(depth.events).toBe(20);
      for (const store of [one, two]) await store.close();
    });

    // FerretDB reads a document and writes it back: what another process changed in between is undone.
    test.skipIf(!whole)(
      "invariant 6: nothing counts as delivered that another process has still on its way",
      async () => {
        const [one, two] = [await fresh(), await open()];
        await one.commit({ events: [sized(10, "a")] });
        await two.commit({ events: [sized(10, "b")] });
        const { events } = await one.readOutbox(10, 1 << 20);
        await one.delivered(events[0]?.position ?? 0);
        expect(await two.logState()).toMatchObject({ last: 2, delivered: 1 });
        await one.delivered(events[1]?.position ?? 0);
        expect(await two.logState()).toMatchObject({ last: 2, delivered: 2 });
        for (const store of [one, two]) await store.close();
      },
    );

    test.skipIf(!whole)(
      "invariants 1 and 2: a writer that sleeps over its commit is not waited for; when it wakes up, it commits at the end",
      async () => {
        const [store, lazy] = [await fresh({ lease_ms: 2_000 }), await sleeper(server.url(n))];
        await store.commit({ events: [sized(10, "a")] });
        const late = lazy.committer.commit({ events: [sized(10, "late", "press-2")] });
        await lazy.asleep;
        await store.commit({ events: [sized(10, "b")] });
        for (const { position } of (await store.readOutbox(10, 1 << 20)).events)
          await store.delivered(position);
        expect(await store.logState()).toMatchObject({ last: 3, delivered: 0 });
        await until(async () => (await store.logState()).delivered > 0);
        expect(await store.logState()).toMatchObject({ last: 3, delivered: 3 });
        lazy.wake();
        expect(await late).toEqual([{ outcome: "stored", event_id: "late" }]);
        const { events } = await store.readLog({ after: 0, upto: 10, since_ms: 0 }, 10, 1 << 20);
        expect(events.map(({ position, id }) => [position, id])).toEqual([
          [1, "a"],
          [3, "b"],
          [4, "late"],
        ]);
        expect((await store.readOutbox(10, 1 << 20)).events.map(({ id }) => id)).toEqual(["late"]);
        expect(await store.lastEventId()).toBe("late");
        expect((await store.outboxDepth()).events).toBe(1);
        await store.close();
        await lazy.close();
      },
    );

    test("observations arrive in the time series, each with its machine and its time", async () => {
      const store = await fresh({ project: "here" });
      const header: EventHeader = { ...sized(0, "s1").header };
      const data = encodeData({
        signals: ["load", "execution"],
        signal: [0, 1],
        t0: 1_767_592_800_000_000,
        dt: [0, 1_500],
        seq0: 7,
        num: [55.5, null],
        words: ["ACTIVE"],
        word: [0, 1],
      });
      await store.commit({ events: [{ header, bytes: encodeEvent(header, data), rows: 2 }] });
      // What cannot be read keeps nobody waiting.
      await store.commit({ events: [sized(10, "s2")] });
      const rows = await untilRaw(server.url(n), 2);
      expect(rows).toMatchObject([
        {
          ts: new Date("2026-01-05T06:00:00.000Z"),
          machine: { tenant_id: "plant-1", machine_id: "press-1" },
          signal: "load",
          ts_us: 1_767_592_800_000_000,
          seq: 7,
          num: 55.5,
          event_id: "s1",
        },
        { signal: "execution", ts_us: 1_767_592_800_001_500, seq: 8, word: "ACTIVE" },
      ]);
      await store.close();
    });
  });
}

/** A writer that falls asleep between the positions of its first events and their insert. */
async function sleeper(url: string) {
  const client = await new MongoClient(url).connect();
  const collections = collectionsOf(client.db());
  const [night, fallen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const outbox = new Proxy(collections.outbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "insertMany") return value.bind(target);
      return async (...args: unknown[]) => {
        fallen.resolve();
        await night.promise;
        return value.apply(target, args);
      };
    },
  });
  const committer = new Committer({ ...collections, outbox }, (write) => write(), {
    transactions: true,
    project: false,
    max_outbox_bytes: 1 << 20,
    waiting_bytes: async () => 0,
  });
  return {
    committer,
    asleep: fallen.promise,
    wake: night.resolve,
    async close() {
      await committer.idle();
      await client.close();
    },
  };
}

async function untilRaw(url: string, count: number): Promise<unknown[]> {
  const client = new MongoClient(url);
  try {
    return await until(async () => {
      const rows = await client.db().collection("raw_machine_data").find().sort({ ts: 1, seq: 1 }).toArray();
      return rows.length >= count && rows;
    });
  } finally {
    await client.close();
  }
}
