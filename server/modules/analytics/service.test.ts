// What a report asks of the engine: nothing twice, and nothing that is known not to have changed.
import { expect, test } from "bun:test";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import { Roller } from "../../../analytics-sql/rollup/roller.ts";
import { testEngine } from "../../../analytics-sql/testing/engine.ts";
import { columns, event, joined, us } from "../../../analytics-sql/testing/plant.ts";
import type { EventData, EventType } from "../../../ingest/event.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { Reports } from "./service.ts";

const engine = await testEngine();
const FROM_US = us("2026-01-05T06:00:00Z");
const HOUR_US = 3_600_000_000;
const SPAN = { from_us: FROM_US, to_us: FROM_US + 2 * HOUR_US };

const machineOf = (id: string): Machine => ({ id, tenant_id: "plant-1", group: "" }) as Machine;
const say = (machine: string, type: EventType, data: EventData): Promise<void> =>
  engine.insertEvents(joined([event("plant-1", machine, type, data)]));
const exclude = (machine: string, unknown: "loss" | "excluded", minor_stop_s: number): Promise<void> =>
  say(machine, "mtc.policy.v1", { policy: { unknown, reasons: {}, minor_stop_s } });

/** An hour of RUNNING, of which 90 s stand, then nothing is known. */
async function run(machine: string): Promise<void> {
  const seen = (after_s: number, value: string) => ({
    signal: "execution",
    ts_us: FROM_US + after_s * 1_000_000,
    seq: after_s + 1,
    value,
  });
  const all = [seen(0, "ACTIVE"), seen(600, "STOPPED"), seen(690, "ACTIVE"), seen(3_600, "UNAVAILABLE")];
  await say(machine, "mtc.observations.v1", columns(all));
}

/** Reports on an engine that counts what is asked of it, by table. */
function counting(own: Engine) {
  const asked: string[] = [];
  const counted: Engine = {
    ...own,
    query: (sql, params) => {
      asked.push(/FROM mtc\.(\w+)/.exec(sql)?.[1] ?? "");
      return own.query(sql, params);
    },
  };
  return { reports: new Reports(counted, new Roller(counted)), asked };
}

test("invariant 5: policies are read once until an entry comes in, and then the report is by the new ones", async () => {
  const mill = machineOf("remembers");
  const { reports, asked } = counting(engine);
  const oee = async () => (await reports.oee([mill], SPAN, "total")).rows[0];
  await run(mill.id);
  await oee();
  const before = await oee();
  expect(before).toMatchObject({ availability: (3_600 - 90) / 7_200, minor_stop_count: 0 });
  asked.length = 0;
  expect(await oee()).toEqual(before);
  expect(asked).toEqual(["rolls_v2", "machine_days"]);
  // Observations are no entries: what they change is swept, by the policies that are known.
  await run(mill.id);
  await oee();
  expect(asked.filter((table) => table === "policies" || table === "reasons")).toEqual([]);
  await exclude(mill.id, "excluded", 120);
  expect(await oee()).toMatchObject({ availability: (3_600 - 90) / 3_600, minor_stop_count: 1 });
  expect(asked.filter((table) => table === "policies" || table === "reasons")).toHaveLength(2);
  await engine.maintain("TRUNCATE TABLE mtc.policies");
  expect((await oee())?.availability).toBe(before?.availability ?? 0);
});

test("where others write entries as well each report reads the policies, once and at once with the rest", async () => {
  const mill = machineOf("forgets");
  const { reports, asked } = counting({ ...engine, entriesVersion: () => undefined });
  await run(mill.id);
  const ask = [
    () => reports.oee([mill], SPAN, "total"),
    () => reports.losses([mill], SPAN, "time"),
    () => reports.states(mill, SPAN),
  ];
  for (const one of ask) await one();
  for (const one of ask) await one();
  const sorted: string[][] = [];
  for (const one of ask) {
    asked.length = 0;
    await one();
    sorted.push(asked.toSorted());
  }
  expect(sorted).toEqual([
    ["machine_days", "policies", "reasons", "rolls_v2"],
    ["machine_days", "policies", "reasons", "rolls_v2"],
    ["machine_days", "rolls_v2"],
  ]);
  await exclude(mill.id, "excluded", 0);
  const { rows } = await reports.oee([mill], SPAN, "total");
  expect(rows[0]?.availability).toBe((3_600 - 90) / 3_600);
});

test("SPEC 10.14: screens say until when nothing is missing; what is exact goes to its end", async () => {
  const mill = machineOf("behind");
  await run(mill.id);
  const until_us = FROM_US + 1_800_000_000;
  const reports = new Reports(engine, new Roller(engine), undefined, () => until_us / 1_000 - 10_000);
  const toOf = async (freshness: "exact" | "recent") =>
    Date.parse((await reports.oee([mill], SPAN, "total", freshness)).rows[0]?.to ?? "");
  expect(await toOf("exact")).toBe(SPAN.to_us / 1_000);
  expect(await toOf("recent")).toBe(until_us / 1_000);
});

test("a roll-up that fails is the report's failure, and nobody is left to wait for the policies", async () => {
  const reads: Promise<unknown>[] = [];
  const failing: Engine = {
    ...engine,
    entriesVersion: () => undefined,
    query: (sql, params) => {
      if (/FROM mtc\.rolls_v2/.test(sql)) return Promise.reject(new Error("no roll-up"));
      const read = engine.query<never>(sql.replace("FROM mtc.policies", "FROM mtc.none"), params);
      reads.push(read);
      return read;
    },
  };
  const reports = new Reports(failing, new Roller(failing));
  await expect(reports.oee([machineOf("fails")], SPAN, "total")).rejects.toThrow("no roll-up");
  // A rejection that nobody waits for would fail the test by now.
  expect((await Promise.allSettled(reads)).map(({ status }) => status)).toContain("rejected");
  await new Promise(setImmediate);
});
