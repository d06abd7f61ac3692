// A log that is to be taken elsewhere, as it is read: events in order, with what was said of them.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { all, dir, event, reader } from "../testing/moved-log.ts";
import { openSqlite } from "./sqlite.ts";
import { SqliteReader } from "./sqlite-reader.ts";

test("the reader: events in order, page by page, with what was said of them", () => {
  expect(all.map(({ position }) => position)).toEqual([1, 4, 5, 6, 7, 8, 9]);
  expect(all[3]?.aside).toMatchObject({ error: "cannot be" });
  expect(all[2]).toMatchObject({ dedupe_key: "five", body_hash: "hash of five" });
  expect(reader.read(4, 2, 1 << 20).map(({ position }) => position)).toEqual([5, 6]);
  expect(reader.read(4, 9, 1).map(({ position }) => position)).toEqual([5]);
  expect(reader.size()).toMatchObject({ events: 7, last: 9 });
  expect(reader.purgedBefore_ms()).toBe(event(4).header.time_ms);
});

test("a log of another release is refused", async () => {
  const other = `${dir}/other.sqlite`;
  const store = await openSqlite({ file: other, max_outbox_bytes: 1 << 20 });
  await store.close();
  const db = new Database(other);
  db.run("DELETE FROM __drizzle_migrations WHERE rowid = (SELECT max(rowid) FROM __drizzle_migrations)");
  db.close();
  expect(() => new SqliteReader(other)).toThrow("of another release");
});
