// A recorded working day of a Hurco VMX24 (NIST SMS Test Bed): the same figures however it arrives.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { testEngine } from "../testing/engine.ts";
import { columns, event, joined, type Seen } from "../testing/plant.ts";
import { oee, states } from "../testing/rolled.ts";

const FILE = resolve(import.meta.dir, "../../../shared/data/nist/hurco04-2017-02-01.shdr");
const recorded = existsSync(FILE);
if (!recorded) console.warn(`skipped: the recording ${FILE} is not there`);

const engine = await testEngine();

const NAMES: Record<string, string> = {
  Program_Status: "execution",
  Part_Count: "part_count",
  avail: "availability",
};

/** `ts|key|value|key|value…` with seven fractional digits; a line torn in its time is skipped. */
function read(): Seen[] {
  const seen: Seen[] = [];
  for (const line of readFileSync(FILE, "utf8").split("\n")) {
    const [ts = "", ...pairs] = line.trim().split("|");
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/.test(ts)) continue;
    const ts_us = Date.parse(`${ts.slice(0, 19)}Z`) * 1_000 + Number(ts.slice(20, 26));
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const [key = "", value = ""] = [pairs[i], pairs[i + 1]];
      const signal = NAMES[key] ?? key;
      const number = Number(value);
      seen.push({
        signal,
        ts_us,
        seq: seen.length + 1,
        value: value.trim() !== "" && !Number.isNaN(number) ? number : value,
      });
    }
  }
  return seen;
}

/** A fixed shuffle: the same order in every run. */
function shuffled<T>(list: T[]): T[] {
  let state = 42;
  const keyed = list.map((item) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return { item, key: state };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function batches(machine: string, seen: Seen[], rows: number): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let i = 0; i < seen.length; i += rows) {
    lines.push(event("plant-1", machine, "mtc.observations.v1", columns(seen.slice(i, i + rows))));
  }
  return lines;
}

describe.skipIf(!recorded)("invariants 2 and 3: the Hurco's day", () => {
  const seen = recorded ? read() : [];
  const again = seen.map((one) => ({ ...one, seq: one.seq + 1_000_000 }));
  const ways: [string, (machine: string) => Uint8Array[]][] = [
    ["in batches of 500", (machine) => batches(machine, seen, 500)],
    ["in batches of 7,000", (machine) => batches(machine, seen, 7_000)],
    ["every event twice", (machine) => batches(machine, seen, 500).flatMap((line) => [line, line])],
    [
      "twice, the second time with other sequence numbers",
      (machine) => [...batches(machine, seen, 500), ...batches(machine, again, 333)],
    ],
    ["observations and events shuffled", (machine) => shuffled(batches(machine, shuffled(seen), 500))],
  ];

  for (const [index, [name, way]] of ways.entries()) {
    test(name, async () => {
      const machine = `hurco-${index}`;
      // Two inserts, so that doubled events meet in different parts of the tables as well as in one.
      const lines = way(machine);
      await engine.insertEvents(joined(lines.slice(0, lines.length / 2)));
      await engine.insertEvents(joined(lines.slice(lines.length / 2)));
      const window = {
        tenant: "plant-1",
        machines: [machine],
        from_us: Date.parse("2017-02-01T12:18:02Z") * 1_000 + 234_375,
        to_us: Date.parse("2017-02-01T20:11:13Z") * 1_000 + 453_125,
        as_of_us: Date.parse("2026-01-01T00:00:00Z") * 1_000,
      };
      const [row] = (await oee(engine, { ...window, by: "total" })).rows;
      expect(row).toMatchObject({
        run_time_s: 10_472.875,
        idle_time_s: 12_463.6875,
        stopped_time_s: 5_454.65625,
        down_time_s: 0,
        setup_time_s: 0,
        unknown_time_s: 0,
        total_count: 10,
      });
      const { rows } = await states(engine, window);
      const running = rows.filter(({ state }) => state === "RUNNING");
      expect(running.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(10_472.875);
      expect(rows.every(({ from }, i) => i === 0 || from === rows[i - 1]?.to)).toBe(true);
    });
  }
});
