// Which days a rebuild may be of, and what a process of a cluster does about one that another began and died over.
import { expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import type { Store, Told } from "../../../ingest/store/store.ts";
import type { Phase } from "./model.ts";
import { daysOf, Rebuilds } from "./service.ts";

const told = (phase: Phase, lives: boolean, began_ms = 1_000): Told => ({
  words: JSON.stringify({ phase, began_ms, error: "" }),
  lives,
});

/** What a query of the system's tables finds, by a word of it; a shadow is there. */
const FOUND = {
  "system.databases": { swapping: 0 },
  engine_full: { name: "observations", partition_key: "toYYYYMMDD", engine_full: "MergeTree" },
  "system.parts": { partition: "20261130" },
};

function one({ share = { mine: true }, words = [] as Told[], alone = false } = {}) {
  const done: string[] = [];
  const door = { fails: 0, lost: false };
  const engine = {
    query: async (sql: string) =>
      Object.entries(FOUND).flatMap(([word, row]) => (sql.includes(word) ? [row] : [])),
    maintain: async (sql: string) => void done.push(sql),
  } as Partial<Engine> as Engine;
  const rebuilds = new Rebuilds({
    store: {
      logState: async () => ({ last: 0, delivered: 0, purged_before_ms: 0 }),
    } as Partial<Store> as Store,
    engine,
    door: {
      pause: async () => void done.push("door shut"),
      check() {
        if (door.lost) throw new Error("the door may be open");
      },
      async resume() {
        if (door.fails-- > 0) throw new Error("the engine is away");
        done.push("door open");
      },
    },
    bus: { settled: async () => {} },
    log: () => {},
    now_ms: Date.now,
    share: { has: () => share.mine, tell: () => {}, told: async () => words },
    alone,
  });
  return { rebuilds, done, words, door };
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
  const other = one({ share: { mine: false }, words });
  await other.rebuilds.clearUp();
  expect(other.done).toEqual([]);
});

test("a door that could not be opened at the end is opened later, whoever makes rebuilds by then", async () => {
  for (const mine of [true, false]) {
    const share = { mine: true };
    const { rebuilds, done, door } = one({ share });
    door.fails = 2;
    await rebuilds.start({});
    await until(async () => (await rebuilds.last())?.phase === "failed");
    expect(await rebuilds.last()).toMatchObject({ error: "the engine is away" });
    share.mine = mine;
    await until(async () => !(await rebuilds.underWay()));
    await expect(rebuilds.clearUp()).rejects.toThrow("the engine is away");
    expect(done).not.toContain("door open");
    for (let i = 0; i < 3; i++) await rebuilds.clearUp();
    expect(done.filter((one) => one === "door open")).toHaveLength(1);
  }
});

test("invariant 2: where the door may be open by now no partition changes places", async () => {
  for (const lost of [false, true]) {
    const { rebuilds, done, door } = one();
    door.lost = lost;
    await rebuilds.start({});
    await until(async () => !(await rebuilds.underWay()));
    expect((await rebuilds.last())?.error).toBe(lost ? "the door may be open" : "");
    expect(done.some((sql) => sql.startsWith("ALTER TABLE mtc."))).toBe(!lost);
  }
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
