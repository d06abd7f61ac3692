// Rebuilding what was corrupted: the days that are asked for become what the log says, all others stay as they are.
import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms } from "../../.ci/limits.ts";
import { compileCalendar } from "../../ingest/calendar.ts";
import { testEngine } from "../testing/engine.ts";
import {
  type Calendar,
  columns,
  event,
  events,
  joined,
  type Plant,
  type Seen,
  us,
} from "../testing/plant.ts";
import { oee, states } from "../testing/rolled.ts";
import { ALL_DAYS, clear, type Days, Shadow } from "./shadow.ts";

setDefaultTimeout(limit_ms(120));
const engine = await testEngine();
const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);
const tenant = "plant-1";
const MACHINES = ["mill-1", "mill-2"];
const FIRST = "2026-01-30";
const DAYS = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"];
const WINDOW = {
  tenant,
  machines: MACHINES,
  from_us: us(`${FIRST}T00:00:00Z`),
  to_us: us("2026-02-03T00:00:00Z"),
  as_of_us: us("2026-02-04T00:00:00Z"),
};

/** Four days over the turn of a month: runs by the hour, stops for ten minutes, counts as it goes. */
function seen(shift_us: number): Seen[] {
  const rows: Seen[] = [];
  for (let hour = 0; hour < 96; hour++) {
    const t = us(`${FIRST}T00:00:00Z`) + shift_us + hour * 3_600_000_000;
    rows.push(
      { signal: "execution", ts_us: t, seq: 0, value: "ACTIVE" },
      { signal: "part_count", ts_us: t + 1_800_000_000, seq: 0, value: hour * 7 },
      { signal: "spindle_speed", ts_us: t + 60_000_000, seq: 0, value: 995.5 + hour },
      { signal: "execution", ts_us: t + 3_000_000_000, seq: 0, value: "INTERRUPTED" },
    );
  }
  return rows;
}

const plant = (machine: string, shift_us: number): Plant => ({
  machine,
  seen: seen(shift_us),
  calendar: {
    timezone: "UTC",
    shifts: [
      {
        name: "early",
        days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        start: "06:00",
        end: "14:00",
        breaks: [],
      },
    ],
    exceptions: [],
  },
  cycle_times: [{ part: "", valid_from_us: 0, ideal_cycle_s: 300 }],
  downtime: [
    {
      from_us: us(`${DAYS[1]}T06:00:00Z`),
      to_us: us(`${DAYS[1]}T10:00:00Z`),
      reason: "tool",
    },
  ],
  rejects: [{ ts_us: us(`${DAYS[2]}T09:00:00Z`), count: 2 }],
  gaps: [{ from_us: us(`${DAYS[0]}T11:00:00Z`), to_us: us(`${DAYS[0]}T11:05:00Z`), cause: "unreachable" }],
});

const LOG = MACHINES.flatMap((machine, i) => events(tenant, plant(machine, i * 60_000_000), compile, 37));

const figures = async () => {
  const [day, all] = [await oee(engine, { ...WINDOW, by: "day" }), await states(engine, WINDOW)];
  return { day, all };
};

/** The sum of a table's rows of each day, or of all, each row once. */
async function sums(): Promise<Record<string, string>> {
  const dated = { observations: "toDate32(ts)", signal_points: "toDate32(ts)", signal_days: "day" };
  const found: Record<string, string> = {};
  for (const [table, day] of Object.entries(dated)) {
    const rows = await engine.query<{ day: string; sum: string }>(
      `SELECT toString(${day}) AS day, concat(toString(count()), ' ', toString(sum(cityHash64(*)))) AS sum
       FROM mtc.${table} FINAL GROUP BY day ORDER BY day`,
      {},
    );
    for (const row of rows) found[`${table} ${row.day}`] = row.sum;
  }
  for (const table of ["calendars", "cycle_times", "downtime", "rejects", "gaps"]) {
    const [row] = await engine.query<{ sum: string }>(
      `SELECT concat(toString(count()), ' ', toString(sum(cityHash64(*)))) AS sum FROM mtc.${table} FINAL`,
      {},
    );
    found[table] = row?.sum ?? "";
  }
  return found;
}

/** What `rebuild` does where nothing arrives meanwhile. */
async function rebuild(days: Days, meanwhile: Uint8Array[] = []): Promise<void> {
  const shadow = await Shadow.open(engine, days);
  await shadow.insert(joined(LOG));
  await shadow.gather("");
  await shadow.insert(joined(meanwhile));
  await shadow.absorb();
  await shadow.swap(() => {});
  await clear(engine);
}

/** Days lost, rows that no event ever said, and rows twice; all days at once, since each mutation is waited for. */
const damage = async (...days: string[]): Promise<void> => {
  const those = `(${days.map((day) => `'${day}'`).join()})`;
  const t = (day: string): string => `toDateTime64('${day} 12:00:00', 6, 'UTC')`;
  const said = days.flatMap((day) => [
    `('${tenant}', 'mill-1', 'execution', ${t(day)}, 0, NULL, 'READY')`,
    `('${tenant}', 'mill-2', 'part_count', ${t(day)}, 0, 44, '')`,
  ]);
  for (const sql of [
    `ALTER TABLE mtc.observations DELETE WHERE toDate(ts) IN ${those} AND signal = 'part_count' SETTINGS mutations_sync = 2`,
    `ALTER TABLE mtc.signal_points DELETE WHERE toDate(ts) IN ${those} AND signal = 'part_count' SETTINGS mutations_sync = 2`,
    `ALTER TABLE mtc.signal_days DELETE WHERE day IN ${those} SETTINGS mutations_sync = 2`,
    `INSERT INTO mtc.observations SELECT * FROM mtc.observations WHERE toDate(ts) IN ${those}`,
    `INSERT INTO mtc.observations VALUES ${said.join()}`,
  ])
    await engine.maintain(sql);
};

let before: Awaited<ReturnType<typeof figures>>;
let sumsBefore: Record<string, string>;
beforeAll(async () => {
  await engine.insertEvents(joined(LOG));
  before = await figures();
  sumsBefore = await sums();
});

test("invariant 6: a day that was damaged is rebuilt, with identical figures; the other days are left alone", async () => {
  expect(before.day.rows.length).toBeGreaterThanOrEqual(4);
  expect(Object.keys(sumsBefore)).toHaveLength(3 * 4 + 5);
  await damage("2026-01-31");
  expect(await figures()).not.toEqual(before);
  // The next day is damaged as well, and is not asked for: it stays as it is.
  await damage("2026-02-01");
  // Rolled up as it is: what is right later is so by the rebuild's own mark.
  expect(await figures()).not.toEqual(before);
  const damaged = await sums();
  await rebuild({ from: "2026-01-31", to: "2026-02-01" });
  const after = await sums();
  for (const [name, sum] of Object.entries(after)) {
    expect([name, sum]).toEqual([name, (name.endsWith("01-31") ? sumsBefore : damaged)[name] ?? ""]);
  }
  await rebuild({ from: "2026-02-01", to: "2026-02-02" });
  expect(await sums()).toEqual(sumsBefore);
  expect(await figures()).toEqual(before);
});

test("invariant 6: everything, with days that no event ever said anything of", async () => {
  await damage(...DAYS, "2019-03-04", "2031-05-06");
  await engine.maintain("TRUNCATE TABLE mtc.calendars");
  await engine.maintain("INSERT INTO mtc.rejects SELECT * REPLACE ('01ZZZ' AS event_id) FROM mtc.rejects");
  await rebuild(ALL_DAYS);
  expect(await sums()).toEqual(sumsBefore);
  expect(await figures()).toEqual(before);
});

test("invariant 2: what arrives while it is rebuilt is there once, of whatever day", async () => {
  const late = [
    { signal: "spindle_speed", ts_us: us("2026-01-31T12:34:00Z"), seq: 0, value: 1 },
    { signal: "spindle_speed", ts_us: us("2026-02-02T12:34:00Z"), seq: 0, value: 2 },
    { signal: "execution", ts_us: us("2026-02-02T12:34:00Z"), seq: 0, value: "READY" },
  ];
  const lines = [event(tenant, "mill-1", "mtc.observations.v1", columns(late))];
  await engine.insertEvents(joined(lines));
  const with_late = await sums();
  expect(with_late).not.toEqual(sumsBefore);
  await rebuild({ from: "2026-01-31", to: "2026-02-01" }, lines);
  LOG.push(...lines);
  expect(await sums()).toEqual(with_late);
});

test("invariant 6: cut off before, in or after the swap, the live tables are whole and figures come out the same", async () => {
  const expected = await figures();
  const whole = await sums();
  // Before: nothing happened yet.
  const first = await Shadow.open(engine, ALL_DAYS);
  await first.insert(joined(LOG.slice(0, 3)));
  await first.gather("");
  await clear(engine);
  expect(await sums()).toEqual(whole);
  // After: what is rolled up from a damaged day is done again, although only `clear` tells of it.
  await damage("2026-01-31");
  expect(await figures()).not.toEqual(expected);
  const second = await Shadow.open(engine, ALL_DAYS);
  await second.insert(joined(LOG));
  await second.gather("");
  await second.swap(() => {});
  await figures();
  await clear(engine);
  expect(await sums()).toEqual(whole);
  expect(await figures()).toEqual(expected);
  const left = await engine.query("SELECT name FROM system.databases WHERE name = 'mtc_rebuild'", {});
  expect(left).toEqual([]);
});
