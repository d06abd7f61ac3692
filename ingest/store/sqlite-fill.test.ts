// A log that is written into SQLite from another store: the same events at the same places, and a store that goes on behind them.
import { expect, test } from "bun:test";
import { all, dir, event, reader } from "../testing/moved-log.ts";
import { differing, type LoggedEvent } from "./moving.ts";
import { openSqlite } from "./sqlite.ts";
import { SqliteFilling } from "./sqlite-fill.ts";
import { SqliteReader } from "./sqlite-reader.ts";

test("invariants 2 and 8: the log stands as it stood; what was not delivered waits; the next event is behind its end", async () => {
  const file = `${dir}/filled.sqlite`;
  const belongings = reader.belongings();
  const filling = new SqliteFilling(file);
  filling.take(all.slice(0, 3));
  filling.take(all.slice(3));
  // The newest event that ever was is not the newest that is left.
  filling.settle(belongings, { delivered: 7, last: 12, purged_before_ms: 4_711, retention_ms: 815 });
  filling.close();

  const copied = new SqliteReader(file);
  const read = copied.read(0, 100, 1 << 20);
  expect(read.map((one, i) => differing(one, all[i] as LoggedEvent))).toEqual(all.map(() => ""));
  expect(copied.belongings()).toEqual(belongings);
  expect(copied.purgedBefore_ms()).toBe(4_711);
  copied.close();

  const store = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
  await store.rewind("settled");
  const { events } = await store.readOutbox(10, 1 << 20);
  expect(events.map(({ position }) => position)).toEqual([8, 9]);
  expect(await store.poison("plant-1", 10)).toMatchObject([{ position: 6, error: "cannot be" }]);
  const [again] = await store.commit({ events: [event(5 + 90, "five")] });
  expect(again).toMatchObject({ outcome: "duplicate", event_id: event(5).header.id });
  await store.commit({ events: [event(10)] });
  expect(await store.logState()).toMatchObject({ last: 13, delivered: 7, purged_before_ms: 4_711 });
  expect(await store.retentionTime_ms()).toBe(815);
  await store.close();
});
