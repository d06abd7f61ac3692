// A log taken from SQLite to MongoDB: the same events at the same places, cut off anywhere, and what differs is found.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { MONGO_ENGINES, type MongoServer } from "../testing/mongo.ts";
import { all, event, olga, reader } from "../testing/moved-log.ts";
import { openMongo, openMongoTarget } from "./mongo.ts";
import { differing, type LoggedEvent } from "./moving.ts";

for (const { name, start } of MONGO_ENGINES) {
  if (!start) {
    test.skip(`${name}: moving`, () => {});
    continue;
  }
  let server: MongoServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());
  const open = () =>
    openMongo({
      url: server.url("moving"),
      max_outbox_bytes: 1 << 20,
      raw_retention_days: 30,
      project: "nowhere",
      log: () => {},
    });

  test(`${name}: invariants 2 and 8: the log stands as it stood, and goes on behind its end`, async () => {
    const { target, close } = await openMongoTarget(server.url("moving"), 30);
    expect([await target.moved(), await target.holds(), await target.isInUse()]).toEqual([
      undefined,
      "",
      false,
    ]);
    await target.begin("a");
    await target.begin("b");
    expect(await target.moved()).toEqual({ token: "a", done: false });
    await expect(open()).rejects.toThrow("is being moved");
    await target.reserve(reader.size().last, reader.purgedBefore_ms());
    await target.take(all.slice(0, 3), () => false);
    expect(await target.last()).toBe(5);
    await target.take(all.slice(3), ({ position }) => position === 9);
    const read = await target.read(0, 100);
    expect(read.map((one, i) => differing(one, all[i] as LoggedEvent))).toEqual(all.map(() => ""));
    const belongings = reader.belongings();
    await target.settle(belongings);
    await target.settle(belongings);
    expect(await target.belongings()).toEqual(belongings);
    expect((await target.ends())[0]).toEqual({ position: 1, id: all[0]?.id ?? "" });
    await target.end();
    await close();

    const store = await open();
    expect(await store.logState()).toMatchObject({
      last: 9,
      delivered: 8,
      purged_before_ms: reader.purgedBefore_ms(),
    });
    const waiting = await store.readOutbox(10, 1 << 20);
    expect(waiting.events.map(({ position }) => position)).toEqual([9]);
    expect(await store.poison("plant-1", 10)).toMatchObject([{ position: 6, error: "cannot be" }]);
    const [again] = await store.commit({ events: [event(5 + 90, "five")] });
    // The key is one of its machine: press-2 has had it.
    expect(again).toMatchObject({ outcome: "duplicate", event_id: event(5).header.id });
    const [next] = await store.commit({ events: [event(10)] });
    expect(next?.outcome).toBe("stored");
    expect((await store.logState()).last).toBe(10);
    expect(await store.users()).toEqual([olga]);
    await store.close();
  });

  test(`${name}: what differs is named`, async () => {
    const client = new MongoClient(server.url("moving"));
    const outbox = client.db().collection<{ _id: number }>("outbox");
    await outbox.updateOne({ _id: 4 }, { $set: { bytes: Buffer.from("{}") } });
    await outbox.updateOne({ _id: 5 }, { $set: { body_hash: "another" } });
    const { target, close } = await openMongoTarget(server.url("moving"), 30);
    const read = await target.read(0, 9);
    expect(read.map((one, i) => differing(one, all[i] as LoggedEvent))).toEqual([
      "",
      "bytes",
      "body_hash",
      ...["", "", "", ""],
    ]);
    await close();
    await client.close();
  });
}
