// Two values of one signal at one instant and sequence: one rule, the same in SQL, on the live screens and in the oracle.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { compileCalendar } from "../../ingest/calendar.ts";
import { ColumnsBuilder } from "../../ingest/columns.ts";
import { LiveHub } from "../../ingest/live/hub.ts";
import { compareValues, valueText } from "../../ingest/ties.ts";
import { testEngine } from "../testing/engine.ts";
import { counted, pieces } from "../testing/oracle.ts";
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
import { history } from "./history.ts";
import { latest } from "./latest.ts";
import { observations } from "./observations.ts";
import { iso } from "./window.ts";

type Value = Seen["value"];

const engine = await testEngine();
const HOUR_US = 3_600_000_000;
const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);

const alarms = (...codes: string[]): string =>
  JSON.stringify(codes.map((code) => ({ level: "FAULT", code, text: `text of ${code}` })));
const NUMBERS = [
  0,
  9,
  10,
  -1,
  1e21,
  -1e21,
  1e-7,
  1e20,
  0.1 + 0.2,
  0.3,
  2 ** 53,
  2 ** 53 + 2,
  5e-324,
  1.7e308,
];
const WORDS = [
  "",
  "5",
  "10",
  "ACTIVE",
  "READY",
  "UNAVAILABLE",
  "NaN",
  "inf",
  "Ä",
  "\u{1F600}",
  "\uFF21",
  "a\nb",
  "a\0",
];
const LISTS = [
  ...["[]", "[", "[1]", '["x",null]', '[{"code":"a"},]', '[{"level":"FAULT"}]', '[[{"code":"a"}]]'],
  ...["7", "7.5", "-0.0", "1e21", "true", "null", '{"a":1}'].map((code) => `[{"code":${code}}]`),
];

test("a value's text is the same in SQL and in TypeScript, digit for digit", async () => {
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constant(-0),
    fc.constantFrom(...NUMBERS),
    fc.constantFrom(...WORDS),
    fc.constantFrom(...LISTS, alarms("SV0401"), alarms("b", "a", 'q"\\'), alarms("\u{1F600}")),
    fc.constant(null),
  );
  const signal = fc.constantFrom("alarms:x", "execution", "part_count", "alarms");
  const values = fc.array(fc.tuple(signal, value), { minLength: 2_000, maxLength: 2_000, size: "max" });
  await fc.assert(
    fc.asyncProperty(values, async (list) => {
      const [row] = await engine.query<{ texts: string[] }>(
        `SELECT arrayMap((signal, num, word) -> mtc_value_text(signal, toFloat64OrNull(num), word),
           {signals:Array(String)}, {numbers:Array(String)}, {words:Array(String)}) AS texts`,
        {
          signals: list.map(([name]) => name),
          // As text: a parameter of the client's has no -0.
          numbers: list.map(([, one]) =>
            Object.is(one, -0) ? "-0" : typeof one === "number" ? String(one) : "",
          ),
          words: list.map(([, one]) => (typeof one === "string" ? one : "")),
        },
      );
      expect(row?.texts).toEqual(list.map(([name, one]) => valueText(name, one)));
    }),
    { numRuns: 3, endOnFailure: true },
  );
});

test("invariant 4: what was known before a restart is the last value, and not the last number", async () => {
  const at_us = Date.now() * 1_000 - HOUR_US;
  const told = (signal: string, values: Value[]) =>
    values.map((value, i): Seen => ({ signal, ts_us: at_us + i, seq: i + 1, value }));
  const seen = [
    ...told("spindle_speed", [995.5, "UNAVAILABLE"]),
    ...told("load", [5, null]),
    ...told("part_pulse", [0, 1]),
  ];
  await engine.insertEvents(joined([event("restart", "m", "mtc.observations.v1", columns(seen))]));
  const rows = async (recent_us: number) =>
    (await latest(engine, { tenant: "restart", machines: ["m"], recent_us }))
      .map(({ signal, seq, num, word }) => [signal, seq, num, word])
      .sort();
  expect(await rows(at_us)).toEqual([
    ["load", 2, null, ""],
    ["part_pulse", 2, 1, ""],
    ["spindle_speed", 2, null, "UNAVAILABLE"],
  ]);
  expect(await rows(at_us + HOUR_US)).toEqual([["part_pulse", 2, 1, ""]]);
});

/** Signals of every kind, and what is told of each. */
const KINDS: Record<string, Value[]> = {
  execution: [...WORDS, 5, null],
  "alarms:servo": [
    alarms("SV0401"),
    alarms("7", "SV0401"),
    '[{"level":"WARNING","code":"SV0401"}]',
    ...WORDS,
    ...LISTS,
  ],
  part_count: [...NUMBERS, ...WORDS],
  program: [...WORDS, ...NUMBERS, null],
  spindle_speed: [...NUMBERS, "UNAVAILABLE", null],
};
type Tie = { signal: string; seq: number; values: Value[] };
const tie: fc.Arbitrary<Tie> = fc.constantFrom(...Object.keys(KINDS)).chain((signal) =>
  fc.record({
    signal: fc.constant(signal),
    seq: fc.constantFrom(0, 0, 7),
    // No value and the empty word are the same.
    values: fc.uniqueArray(fc.constantFrom(...(KINDS[signal] ?? [])), {
      minLength: 2,
      maxLength: 4,
      selector: (value) => value ?? "",
    }),
  }),
);

/** What a screen has of a signal once its values have come, in that order: one by one, or as one batch. */
function shown(machine: string, seen: Seen[], at_once: boolean): { value: Value | undefined; state: string } {
  const hub = new LiveHub();
  for (const batch of at_once ? [seen] : seen.map((one) => [one])) {
    const builder = new ColumnsBuilder();
    for (const { signal, ts_us, seq, value } of batch) builder.add(signal, ts_us, seq, value);
    hub.apply(machine, builder.columns());
  }
  const [{ signals = {}, state = "" } = {}] = hub.snapshot([machine]).machines;
  return { value: signals[seen[0]?.signal ?? ""]?.value, state };
}

let run = 0;
test("invariants 3 and 5: of two values of one time and sequence the same one holds everywhere, whichever came first", async () => {
  const at_us = Math.floor(Date.now() / 1_000) * 1e6 - HOUR_US;
  const ties = fc.array(tie, { minLength: 150, maxLength: 150, size: "max" });
  await fc.assert(
    fc.asyncProperty(ties, async (drawn) => {
      const tenant = `tie-${++run}`;
      const machines = drawn.map((_, i) => `m${i}`);
      const seen = drawn.map(({ signal, seq, values }) =>
        values.map((value) => ({ signal, seq, ts_us: at_us, value })),
      );
      const last = drawn.map(({ signal }, i) =>
        (seen[i] ?? [])
          .map(({ value }) => value)
          .toSorted((a, b) => compareValues(signal, a, b))
          .at(-1),
      );
      for (const [i, own] of seen.entries()) {
        for (const order of [own, own.toReversed()])
          for (const at_once of [true, false])
            expect(shown(`m${i}`, order, at_once).value, JSON.stringify(order)).toEqual(last[i] ?? null);
      }
      await engine.insertEvents(
        joined(seen.map((own, i) => event(tenant, `m${i}`, "mtc.observations.v1", columns(own)))),
      );
      // After a restart: the observation itself, and what its day leaves behind.
      for (const recent_us of [at_us - HOUR_US, at_us + 1]) {
        const rows = await latest(engine, { tenant, machines, recent_us });
        const known = new Map(
          rows.map(({ machine_id, num, word }) => [machine_id, num ?? (word === "" ? null : word)]),
        );
        for (const [i, { signal }] of drawn.entries()) {
          const want = last[i] === "" ? null : (last[i] ?? null);
          if (recent_us < at_us) expect(known.get(`m${i}`), JSON.stringify(seen[i])).toEqual(want);
          else if (signal !== "spindle_speed")
            expect(valueText(signal, known.get(`m${i}`) ?? null), JSON.stringify(seen[i])).toBe(
              valueText(signal, want),
            );
        }
      }
      // On the timeline.
      const window = {
        tenant,
        from_us: at_us - HOUR_US,
        to_us: at_us + HOUR_US / 2,
        as_of_us: at_us + HOUR_US / 2,
      };
      const timeline = (await states(engine, { ...window, machines })).rows;
      for (const [i, { signal }] of drawn.entries()) {
        if (signal !== "execution") continue;
        const now = timeline.findLast(({ machine_id }) => machine_id === `m${i}`);
        expect(shown(`m${i}`, seen[i] ?? [], true).state, JSON.stringify(seen[i])).toBe(now?.state ?? "");
      }
      // In the list and on the chart, of some.
      for (const [i, { signal }] of [...drawn.entries()].filter(([at]) => at % 5 === 0)) {
        const one = { tenant, machine: `m${i}`, from_us: window.from_us, to_us: window.to_us };
        const rows: Value[] = [];
        for (let cursor: string | null = null; ; ) {
          const page: Awaited<ReturnType<typeof observations>> = await observations(engine, {
            ...one,
            signal,
            limit: 1,
            cursor,
          });
          rows.push(...page.rows.map(({ value }) => value));
          cursor = page.cursor;
          if (cursor === null) break;
        }
        const want = (seen[i] ?? [])
          .map(({ value }) => value)
          .toSorted((a, b) => compareValues(signal, a, b));
        expect(rows, JSON.stringify(seen[i])).toEqual(want.map((value) => (value === "" ? null : value)));
        const [chart] = await history(engine, { ...one, signals: [signal], points: 60 });
        const number = typeof last[i] === "number" ? last[i] : null;
        expect(chart?.value.at(-1), JSON.stringify(seen[i])).toBe(number);
      }
    }),
    // A number and the word that reads like it: the chart took whichever came first.
    { numRuns: 2, endOnFailure: true, examples: [[[{ signal: "part_count", seq: 0, values: [10, "10"] }]]] },
  );
});

const AT_US = us("2026-01-05T06:00:00Z");
const RULES = [{ code: "servo", condition: "", native: "SV0401" }];
const span = { from_us: AT_US - HOUR_US, to_us: AT_US + 8 * HOUR_US, as_of_us: AT_US + 240 * HOUR_US };
const seenAt = (signal: string, hours: number, value: Value): Seen => ({
  signal,
  ts_us: AT_US + hours * HOUR_US,
  seq: 0,
  value,
});
const tree = (tenant: string): Uint8Array =>
  event(tenant, "", "mtc.reasons.v1", {
    reasons: {
      ...{ code: ["servo"], name: ["servo"], parent: [""], policy: [""], category: [""] },
      ...{ treatment: ["loss" as const], loss: [""] },
      ...{
        rule_code: ["servo"],
        rule_condition: [""],
        rule_native: ["SV0401"],
        rule_machines: [[]],
        since_us: 0,
      },
    },
  });

test("invariants 3 and 5: alarms and UNAVAILABLE at one instant, seed -1650315879 path 3 of the generated plants", async () => {
  const plants: Plant[] = [
    [alarms("SV0401"), "UNAVAILABLE"],
    [alarms("SV0401"), "[]"],
    [alarms("7"), alarms("SV0401")],
  ].map((told, i) => ({
    machine: `m${i}`,
    rules: RULES,
    seen: [
      seenAt("execution", 0, "STOPPED"),
      ...told.map((value) => seenAt("alarms:servo", 1, value)),
      seenAt("execution", 4, "ACTIVE"),
    ],
  }));
  const lines = plants.flatMap((plant) => events("seed", plant, compile));
  await engine.insertEvents(joined([tree("seed"), ...lines]));
  const machines = plants.map(({ machine }) => machine);
  const { rows } = await states(engine, { tenant: "seed", machines, ...span });
  for (const plant of plants) {
    const own = rows.filter(({ machine_id }) => machine_id === plant.machine);
    const reasons = own
      .filter(({ reason }) => reason !== "")
      .map(({ from, to, reason }) => [from, to, reason]);
    const wanted = pieces(plant, span).filter(({ reason }) => reason !== "");
    const [first, last] = [wanted[0]?.from_us ?? 0, wanted.at(-1)?.to_us ?? 0];
    expect(reasons, plant.machine).toEqual(wanted.length > 0 ? [[iso(first), iso(last), "servo"]] : []);
  }
  // UNAVAILABLE, and the list with the greater code.
  const stopped = rows.filter(({ state }) => state === "STOPPED").map(({ reason }) => reason);
  expect(stopped).toEqual(["", "", "servo", "", "servo"]);
});

test("invariants 3 and 5: a counter's numbers of one instant are ordered as text, and a word takes none of them away", async () => {
  // 10 comes before 9; 12 is there although the machine was switched off in the same instant.
  const day = [10, 9].map((value) => seenAt("part_count", 0, value));
  const off = [12, "UNAVAILABLE"].map((value) => seenAt("part_count", 2, value));
  const plant = { machine: "counts", seen: [...day, ...off, seenAt("part_count", 3, 2)] };
  await engine.insertEvents(joined(events("counts", plant, compile)));
  const window = { tenant: "counts", machines: ["counts"], ...span };
  const total = () => oee(engine, { ...window, by: "total" }).then(({ rows }) => rows[0]?.total_count);
  expect(await total()).toBe(5);
  expect(counted(plant, span).map((one) => one.total)).toEqual([0, 3, 2]);
});

test("invariant 3: what is looked for before the day that late data touch are the numbers that count", async () => {
  // Days on which a number came along with a word, and none alone.
  const days = [4, 5, 6, 7, 8].flatMap((d) =>
    [10 + d, "UNAVAILABLE"].map((value) => seenAt("part_count", 24 * (d - 5), value)),
  );
  const seen = [seenAt("part_count", -72, 10), ...days, seenAt("part_count", 96, 19)];
  const tell = (some: Seen[]) =>
    engine.insertEvents(joined([event("days", "m", "mtc.observations.v1", columns(some))]));
  const from_us = AT_US + 95 * HOUR_US;
  const late = { from_us, to_us: from_us + 8 * HOUR_US, as_of_us: span.as_of_us };
  const total = () => oee(engine, { tenant: "days", machines: ["m"], ...late, by: "total" });
  await tell(seen.slice(0, -1));
  await total();
  await tell(seen.slice(-1));
  expect((await total()).rows[0]?.total_count).toBe(1);
  expect(counted({ machine: "m", seen }, late).map((one) => one.total)).toEqual([1]);
});
