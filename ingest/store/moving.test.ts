// A log taken from SQLite to MongoDB: the same events at the same places, cut off anywhere, and what differs is found.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { MongoClient } from "mongodb";
import { limit_ms } from "../../.ci/limits.ts";
import { type EventHeader, encodeData, encodeEvent } from "../event.ts";
import { MONGO_ENGINES, type MongoServer } from "../testing/mongo.ts";
import { openMongo, openMongoTarget } from "./mongo.ts";
import { differing, type LoggedEvent } from "./moving.ts";
import { openSqlite } from "./sqlite.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import type { NewEvent, User } from "./store.ts";

function event(n: number, key?: string): NewEvent {
  const header: EventHeader = {
    id: `01J${String(n).padStart(23, "0")}`,
    type: n === 1 ? "mtc.machine.v1" : "mtc.observations.v1",
    tenant_id: "plant-1",
    machine_id: `press-${n % 3}`,
    time_ms: 1_767_592_800_000 + n,
  };
  const data = encodeData({ signals: ["load"], signal: [0], t0: n, dt: [0], num: [n / 3] });
  return {
    header,
    bytes: encodeEvent(header, data),
    rows: 1,
    ...(key === undefined ? {} : { dedupe: { key, body_hash: `hash of ${key}` } }),
  };
}

const olga: User = {
  id: "u1",
  tenant_id: "plant-1",
  name: "Olga",
  login: "olga",
  password_hash: "$argon2id$",
  role: "operator",
  disabled: false,
  created_ms: 1,
};

const dir = mkdtempSync(`${tmpdir()}/mtc-moving-`);
const file = `${dir}/mtc.sqlite`;
let reader: SqliteReader;
let all: LoggedEvent[] = [];

beforeAll(async () => {
  const store = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
  for (let n = 1; n <= 9; n++) await store.commit({ events: [event(n, n === 5 ? "five" : undefined)] });
  const checkpoint = { agent: "http://agent/", instance_id: "7", next_sequence: 11 };
  await store.commit({
    events: [],
    checkpoint,
    open_gap: { machine_id: "press-1", from_us: 5, cause: "unreachable" },
  });
  await store.putUser(olga, false);
  await store.readOutbox(100, 1 << 20);
  await store.setAside(6, "cannot be");
  await store.delivered(7);
  // Of what was taken before the fourth the configuration stays.
  while ((await store.purge(event(4).header.time_ms)) > 0);
  await store.close();
  reader = new SqliteReader(file);
  all = reader.read(0, 100, 1 << 20);
});
afterAll(() => {
  reader.close();
  rmSync(dir, { recursive: true, force: true });
});

test("the reader: events in order, page by page, with what was said of them", () => {
  expect(all.map(({ position }) => position)).toEqual([1, 4, 5, 6, 7, 8, 9]);
  expect(all[3]?.aside).toMatchObject({ error: "cannot be" });
  expect(all[2]).toMatchObject({ dedupe_key: "five", body_hash: "hash of five" });
  expect(reader.read(4, 2, 1 << 20).map(({ position }) => position)).toEqual([5, 6]);
  expect(reader.read(4, 9, 1).map(({ position }) => position)).toEqual([5]);
  expect(reader.size()).toMatchObject({ events: 7, last: 9 });
  expect(reader.purgedBefore_ms()).toBe(event(4).header.time_ms);
});

for (const { name, start } of MONGO_ENGINES) {
  if (!start) {
    test.skip(`${name}: moving`, () => {});
    continue;
  }
  let server: MongoServer;
  beforeAll(async () => {
    server = await start();
  }, limit_ms(90));
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

test("a log of another release is refused", async () => {
  const other = `${dir}/other.sqlite`;
  const store = await openSqlite({ file: other, max_outbox_bytes: 1 << 20 });
  await store.close();
  const db = new Database(other);
  db.run("DELETE FROM __drizzle_migrations WHERE rowid = (SELECT max(rowid) FROM __drizzle_migrations)");
  db.close();
  expect(() => new SqliteReader(other)).toThrow("of another release");
});
