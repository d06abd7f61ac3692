// Which days a rebuild may be of, and what a process of a cluster does about one that another began and died over.
import { expect, test } from "bun:test";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import type { Store, Told } from "../../../ingest/store/store.ts";
import type { Phase } from "./model.ts";
import { daysOf, Rebuilds } from "./service.ts";

const told = (phase: Phase, lives: boolean, began_ms = 1_000): Told => ({
  words: JSON.stringify({ phase, began_ms, error: "" }),
  lives,
});

function one({ mine = true, words = [] as Told[], alone = false } = {}) {
  const done: string[] = [];
  const engine = {
    // There is a shadow.
    query: async () => [{ swapping: 0 }],
    maintain: async (sql: string) => void done.push(sql),
  } as Partial<Engine> as Engine;
  const rebuilds = new Rebuilds({
    store: {} as Store,
    engine,
    pause: async () => void done.push("door shut"),
    resume: async () => void done.push("door open"),
    bus: { settled: async () => {} },
    log: () => {},
    now_ms: Date.now,
    share: { has: () => mine, tell: () => {}, told: async () => words },
    alone,
  });
  return { rebuilds, done, words };
}

const CLEARED = ["DROP DATABASE IF EXISTS mtc_rebuild SYNC", "door open"];

test("invariant 6: what a dead process left is cleared away once, and the door it shut is open again", async () => {
  const { rebuilds, done } = one({ words: [told("swapping", false)] });
  expect(await rebuilds.last()).toMatchObject({ phase: "failed", error: expect.stringContaining("is gone") });
  for (let i = 0; i < 3; i++) await rebuilds.clearUp();
  expect(done).toEqual(CLEARED);
});

test("invariant 6: where nobody else makes any, what is there at the start is cleared away, once", async () => {
  const { rebuilds, done } = one({ alone: true });
  for (let i = 0; i < 3; i++) await rebuilds.clearUp();
  expect(done).toEqual(CLEARED.slice(0, 1));
});

test("each that was left is cleared away; one that lives or has ended is left alone, and so is another's job", async () => {
  const { rebuilds, done, words } = one({ words: [told("replaying", true), told("done", false, 2_000)] });
  await rebuilds.clearUp();
  expect(done).toEqual([]);
  words.push(told("waiting", false, 3_000));
  await rebuilds.clearUp();
  words.push(told("gathering", false, 4_000));
  await rebuilds.clearUp();
  expect(done).toEqual([...CLEARED, ...CLEARED]);
  const other = one({ mine: false, words });
  await other.rebuilds.clearUp();
  expect(other.done).toEqual([]);
});

test("the log is not purged while any process that lives makes one", async () => {
  expect(await one({ words: [told("catching up", true)] }).rebuilds.underWay()).toBe(true);
  for (const words of [[], [told("catching up", false)], [told("done", true)], [told("failed", true)]])
    expect(await one({ words }).rebuilds.underWay()).toBe(false);
});

test("a second one is refused while another process makes one", async () => {
  const { rebuilds } = one({ words: [told("replaying", true)] });
  expect(rebuilds.start({})).rejects.toMatchObject({ status: 409 });
});

test("a day is vouched for when it begins a day after the latest time at which a purged event can have been taken", () => {
  const state = (purged_before: string) => ({
    last: 1,
    delivered: 1,
    purged_before_ms: purged_before === "" ? 0 : Date.parse(purged_before),
  });
  expect(daysOf({}, state("")).from).toBe("1900-01-01");
  expect(daysOf({}, state("2026-10-27T00:00:00Z")).from).toBe("2026-10-28");
  expect(daysOf({}, state("2026-10-27T00:00:00.001Z")).from).toBe("2026-10-29");
  expect(() => daysOf({ from: "2026-10-28" }, state("2026-10-27T12:00:00Z"))).toThrow("from 2026-10-29 on");
});
