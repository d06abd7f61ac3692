// The roll-up: what it reads, what it does again, and what it leaves alone.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import type { Engine } from "../engine/engine.ts";
import { OEE_CUTS, oee } from "../queries/oee.ts";
import { testEngine } from "../testing/engine.ts";
import { events, joined, type Seen, us } from "../testing/plant.ts";
import { Roller } from "./roller.ts";

const engine = await testEngine();
const tenant = "plant";
const DAY_US = 86_400_000_000;
const T0 = us("2026-01-05T00:00:00Z");
const FAR = us("2026-03-01T00:00:00Z");

/** A state and a part every minute for some days: thousands of points. */
function busy(machine: string, days: number): Seen[] {
  return Array.from({ length: days * 720 }, (_, i): Seen => {
    const ts_us = T0 + i * 120_000_000;
    return i % 2 === 0
      ? { signal: "execution", ts_us, seq: 0, value: i % 10 === 0 ? "READY" : "ACTIVE" }
      : { signal: "part_count", ts_us, seq: 0, value: i };
  }).map((seen) => ({ ...seen, machine }));
}

const noCalendar = () => {
  throw new Error("no calendar here");
};
/** One delivery: what each machine has seen. */
const takeAll = (seen: Record<string, Seen[]>): Promise<void> =>
  engine.insertEvents(
    joined(
      Object.entries(seen).flatMap(([machine, own]) =>
        events(tenant, { machine, seen: own }, noCalendar, 5_000),
      ),
    ),
  );
const take = (machine: string, seen: Seen[]): Promise<void> => takeAll({ [machine]: seen });
const window = (machines: string[], days: number) => ({
  tenant,
  machines,
  from_us: T0,
  to_us: T0 + days * DAY_US,
  as_of_us: FAR,
});

/** An engine that notes what the queries asked of it would read, by the engine's own estimate; it answers none of them. */
function estimating(): { engine: Engine; read: Map<string, number> } {
  const read = new Map<string, number>();
  const noted: Engine = {
    ...engine,
    async query<Row>(sql: string, params: Record<string, unknown>) {
      type Estimate = { table: string; rows: number };
      for (const { table, rows } of await engine.query<Estimate>(`EXPLAIN ESTIMATE ${sql}`, params)) {
        read.set(table, (read.get(table) ?? 0) + Number(rows));
      }
      return [] as Row[];
    },
  };
  return { engine: noted, read };
}

test("figures read a row for each day of a machine, however many points it had", async () => {
  const machines = ["m1", "m2", "m3"];
  await takeAll(Object.fromEntries(machines.map((machine) => [machine, busy(machine, 20)])));
  await new Roller(engine).exact(window(machines, 20));
  for (const by of OEE_CUTS) {
    const { engine: asked, read } = estimating();
    await oee(asked, { ...window(machines, 20), by, groups: ["", "", ""] });
    expect([...read.keys()].filter((table) => /observations|signal|counter/.test(table))).toEqual([]);
    const rows = [...read.values()].reduce((sum, n) => sum + n, 0);
    expect(rows, by).toBeGreaterThanOrEqual(3 * 20);
    expect(rows, by).toBeLessThanOrEqual(3 * 20 + 10);
  }
});

test("what was not touched is not rolled up again; what was is, from its event time on", async () => {
  const roller = new Roller(engine);
  const version = async (day: number): Promise<number> => {
    const [row] = await engine.query<{ version: number }>(
      "SELECT max(version) AS version FROM mtc.machine_days WHERE machine_id = 'm1' AND day = toDate32('2026-01-05') + {day:UInt8}",
      { day },
    );
    return row?.version ?? 0;
  };
  await roller.exact(window(["m1"], 20));
  const before = [await version(4), await version(5), await version(19)];
  await roller.exact(window(["m1"], 20));
  expect([await version(4), await version(5), await version(19)]).toEqual(before);
  await take("m1", [{ signal: "execution", ts_us: T0 + 5 * DAY_US + 7, seq: 0, value: "STOPPED" }]);
  await roller.exact(window(["m1"], 20));
  const after = [await version(4), await version(5), await version(19)];
  expect(after[0]).toBe(before[0] as number);
  expect(after[1]).toBeGreaterThan(before[1] as number);
  expect(after[2]).toBeGreaterThan(before[2] as number);
});

test("a machine that is asked for twice is rolled up once", async () => {
  await take("m14", [{ signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" }]);
  await new Roller(engine).exact(window(["m14", "m14"], 1));
  const { total } = await oee(engine, { ...window(["m14"], 1), by: "total" });
  expect(total).toMatchObject({ run_time_s: 86_400, scheduled_time_s: 86_400 });
});

test("what was touched since the roll-up began, to the µs, is rolled up again", async () => {
  const roll = async () => {
    await new Roller(engine).exact(window(["m2"], 20));
    const [note] = await engine.query<{ version: number; since_us: number }>(
      "SELECT max(version) AS version, argMax(r.since_us, r.version) AS since_us FROM mtc.rolls_v2 AS r WHERE machine_id = 'm2'",
      {},
    );
    return note ?? { version: 0, since_us: 0 };
  };
  const mark = (columns: string, values: string, since_us: number) =>
    engine.maintain(
      `INSERT INTO mtc.touched (tenant_id, machine_id, from_us, counters_from_us, ${columns})
       SELECT {tenant:String}, 'm2', {from_us:Int64}, 9223372036854775807, ${values}`,
      { tenant, from_us: T0 + 19 * DAY_US, second: Math.floor(since_us / 1_000_000), since_us },
    );
  const first = await roll();
  await mark("at, last_us", "toDateTime({second:Int64}, 'UTC'), {since_us:Int64} - 1", first.since_us);
  // A mark of the release before says no instant: it holds to the end of its second.
  await mark("at", "toDateTime({second:Int64} - 1, 'UTC')", first.since_us);
  expect(await roll()).toEqual(first);
  await mark("at, last_us", "toDateTime({second:Int64}, 'UTC'), {since_us:Int64}", first.since_us);
  const second = await roll();
  expect(second.version).toBeGreaterThan(first.version);
  await mark("at", "toDateTime({second:Int64}, 'UTC')", second.since_us);
  expect((await roll()).version).toBeGreaterThan(second.version);
});

test("invariant 3: a counter's leap of yesterday is told by today's value, in the same second", async () => {
  const roller = new Roller(engine);
  const counted = (ts_us: number, value: number): Seen => ({ signal: "part_count", ts_us, seq: 0, value });
  const yesterday = async () => {
    await roller.exact(window(["m10"], 2));
    return (await oee(engine, { ...window(["m10"], 1), by: "total" })).total;
  };
  await take("m10", [counted(T0 + DAY_US / 2, 2_000), counted(T0 + DAY_US - 60_000_000, 599_999)]);
  expect(await yesterday()).toMatchObject({ total_count: 597_999 });
  await take("m10", [counted(T0 + DAY_US + 60_000_000, 2_001)]);
  expect(await yesterday()).toMatchObject({ total_count: 0, flags: ["no_ideal_cycle", "spike_quarantined"] });
});

test("invariant 3: where the clock was set back, what arrives then still corrects what was rolled up before", async () => {
  let ahead_us = 3_600_000_000;
  const moved: Engine = { ...engine, visibleUntil_us: () => engine.visibleUntil_us() + ahead_us };
  const roller = new Roller(moved);
  const total = async () => (await oee(engine, { ...window(["m4"], 1), by: "total" })).total;
  await take("m4", [{ signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" }]);
  await roller.exact(window(["m4"], 1));
  expect(await total()).toMatchObject({ run_time_s: 86_400 });
  ahead_us = 0;
  await take("m4", [{ signal: "execution", ts_us: T0 + DAY_US / 2, seq: 0, value: "STOPPED" }]);
  await roller.exact(window(["m4"], 1));
  expect(await total()).toMatchObject({ run_time_s: 43_200, stopped_time_s: 43_200 });
});

test("screens take what is rolled up, and say until when it is; where it is old they do not wait for it", async () => {
  const roller = new Roller(engine);
  const now_us = T0 + DAY_US / 2;
  const asked = { ...window(["m6"], 1), as_of_us: now_us };
  expect(await roller.recent(asked)).toMatchObject({ as_of_us: now_us });
  // Three seconds later nothing is rolled up for them.
  expect(await roller.recent({ ...asked, as_of_us: now_us + 3_000_000 })).toMatchObject({ as_of_us: now_us });
  expect(roller.until_us(tenant, ["m6"])).toBe(now_us);
  const later_us = now_us + 60_000_000;
  expect(await roller.recent({ ...asked, as_of_us: later_us })).toMatchObject({ as_of_us: now_us });
  await until(() => roller.until_us(tenant, ["m6"]) === later_us || undefined);
  expect(await roller.recent({ ...asked, as_of_us: later_us })).toMatchObject({ as_of_us: later_us });
  // Neither do they after a start, nor where another process rolled up.
  const other = new Roller({ ...engine, run: () => Promise.reject(new Error("nothing is to be rolled up")) });
  expect(await other.recent({ ...asked, as_of_us: later_us })).toMatchObject({ as_of_us: later_us });
});

test("reports of one page that come together are one roll-up", async () => {
  let rolls = 0;
  const counted: Engine = {
    ...engine,
    run: async (sql, params) => {
      if (sql.includes("INSERT INTO mtc.machine_days")) rolls += 1;
      await engine.run(sql, params);
    },
  };
  const roller = new Roller(counted);
  const asked = { ...window(["m8"], 1), as_of_us: T0 + DAY_US / 2 };
  await Promise.all([roller.recent(asked), roller.recent(asked), roller.recent(asked)]);
  expect(rolls).toBe(1);
});

test("screens of a day that is over are corrected by the keeper's next roll-up, of whichever day that is", async () => {
  const roller = new Roller(engine);
  const now_us = T0 + 3 * DAY_US;
  const run_s = async (later_s: number) => {
    const asked = { ...window(["m7"], 1), as_of_us: now_us + later_s * 1_000_000 };
    const taken = await roller.recent(asked);
    const { total } = await oee(engine, { ...taken, by: "total" });
    return [total?.run_time_s, (taken.as_of_us - now_us) / 1_000_000];
  };
  const keeper = (later_s: number) =>
    roller.exact({ ...window(["m7"], 4), from_us: now_us, as_of_us: now_us + later_s * 1_000_000 });
  await take("m7", [{ signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" }]);
  await roller.exact({ ...window(["m7"], 4), as_of_us: now_us });
  expect(await run_s(1)).toEqual([86_400, 0]);
  await take("m7", [{ signal: "execution", ts_us: T0 + DAY_US / 2, seq: 0, value: "STOPPED" }]);
  expect(await run_s(13)).toEqual([86_400, 0]);
  await keeper(15);
  expect(await run_s(16)).toEqual([43_200, 15]);
  // Somebody who looks at an earlier day does not pass for having seen to a later one.
  await take("m7", [{ signal: "execution", ts_us: T0 + DAY_US / 4, seq: 0, value: "STOPPED" }]);
  await roller.exact({ ...window(["m7"], 0), as_of_us: now_us + 40_000_000 });
  await keeper(41);
  expect(await run_s(42)).toEqual([21_600, 41]);
});

test("the past is rolled up by itself, and what was touched after it is not forgotten", async () => {
  const days: number[] = [];
  const noting: Engine = {
    ...engine,
    run: async (sql, params) => {
      const { first_us, last_us } = params as { first_us: number; last_us: number };
      if (sql.includes("INSERT INTO mtc.machine_days"))
        days.push((first_us - T0) / DAY_US, (last_us - T0) / DAY_US);
      await engine.run(sql, params);
    },
  };
  const roller = new Roller(noting);
  await take("m9", busy("m9", 4));
  const today = { ...window(["m9"], 4), from_us: T0 + 3 * DAY_US };
  await roller.exact(today);
  // While the past is rolled up, today goes on.
  await take("m9", [{ signal: "execution", ts_us: T0 + 3 * DAY_US + 1, seq: 9, value: "STOPPED" }]);
  await roller.exact({ ...window(["m9"], 3), from_us: T0 + DAY_US });
  expect(days).toEqual([3, 4, 1, 3]);
  await roller.exact(today);
  expect(days).toEqual([3, 4, 1, 3, 3, 4]);
  await roller.exact(window(["m9"], 4));
  const { total } = await oee(engine, { ...window(["m9"], 4), by: "total" });
  await take("m9-at-once", [
    ...busy("m9-at-once", 4),
    { signal: "execution", ts_us: T0 + 3 * DAY_US + 1, seq: 9, value: "STOPPED" },
  ]);
  await new Roller(engine).exact(window(["m9-at-once"], 4));
  const at_once = await oee(engine, { ...window(["m9-at-once"], 4), by: "total" });
  expect(total).toEqual(at_once.total);
});

test("a crash between the days and the note of it: they are rolled up again, and counted once", async () => {
  const failing: Engine = {
    ...engine,
    run: (sql, params) =>
      sql.includes("mtc.rolls_v2") ? Promise.reject(new Error("killed")) : engine.run(sql, params),
  };
  await take("m5", busy("m5", 2));
  await expect(new Roller(failing).exact(window(["m5"], 2))).rejects.toThrow("killed");
  const roller = new Roller(engine);
  await roller.exact(window(["m5"], 2));
  const { total } = await oee(engine, { ...window(["m5"], 2), by: "total" });
  expect(total).toMatchObject({ calendar_time_s: 2 * 86_400, total_count: 2 * 720 - 2 });
});

/** An engine that notes whose days are rolled up, and rolls none up; the first time it tells, and waits for `go`. */
function noting(): { engine: Engine; days: string[]; began: Promise<void>; go: () => void } {
  const days: string[] = [];
  const [began, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const noted: Engine = {
    ...engine,
    run: async (sql, params) => {
      if (!sql.includes("INSERT INTO mtc.machine_days")) return engine.run(sql, params);
      const { machines, first_us } = params as { machines: string[]; first_us: number };
      days.push(`${machines.join()} ${(first_us - T0) / DAY_US}`);
      began.resolve();
      await go.promise;
    },
  };
  return { engine: noted, days, began: began.promise, go: () => go.resolve() };
}

test("who asks goes in between the statements of the background, which gives up what was rolled up meanwhile", async () => {
  const { engine: noted, days, began, go } = noting();
  const roller = new Roller(noted);
  const years = { ...window(["m11", "m12"], 700), as_of_us: T0 + 700 * DAY_US };
  const background = roller.roll(years);
  await began;
  const asked = [roller.exact(window(["m13"], 1)), roller.exact(window(["m12"], 2))];
  go();
  await Promise.all(asked);
  expect(days.slice(0, 3)).toEqual(["m11,m12 0", "m13 0", "m12 0"]);
  await background;
  expect(days.slice(3)).toEqual(["m11 250", "m11 500"]);
  expect(roller.until_us(tenant, ["m11"])).toBe(T0 + 700 * DAY_US);
  expect(roller.until_us(tenant, ["m12"])).toBe(T0 + 2 * DAY_US);
  await roller.roll(years);
  expect(days.slice(5)).toEqual(["m12 2", "m12 502"]);
  expect(roller.until_us(tenant, ["m12"])).toBe(T0 + 700 * DAY_US);
});

test("those who wait for their turn with the same days share it", async () => {
  const { engine: noted, days, began, go } = noting();
  const roller = new Roller(noted);
  const first = roller.exact(window(["m15"], 1));
  await began;
  const asked = ["m16", "m17", "m18"].map((machine) => roller.exact(window([machine], 1)));
  const longer = roller.exact(window(["m16"], 2));
  go();
  await Promise.all([first, ...asked, longer]);
  expect(days).toEqual(["m15 0", "m16,m17,m18 0", "m16 1"]);
});
