// The state rules (SPEC 6.1) in SQL, live and in the oracle: every set of classes, and more paths than any counter's digits.
import { expect, test } from "bun:test";
import { stateOf } from "../../domain/state.ts";
import { SIGNAL_CLASSES } from "../../domain/state-rules.ts";
import { compileCalendar } from "../../ingest/calendar.ts";
import { testEngine } from "../testing/engine.ts";
import { pieces } from "../testing/oracle.ts";
import { type Calendar, events, joined, type Plant, type Seen, us } from "../testing/plant.ts";
import { states } from "../testing/rolled.ts";
import { iso } from "./window.ts";

const engine = await testEngine();
const compile = (calendar: Calendar) => compileCalendar(calendar as Parameters<typeof compileCalendar>[0]);
const AT_US = us("2026-01-05T00:00:00Z");
const MINUTE_US = 60_000_000;
const PATHS = 70;

const CLASSES = Object.values(SIGNAL_CLASSES).map(({ kind, words }) => ({
  kind,
  word: words === "other" ? "FEED_HOLD" : words[0],
}));
const seenAt = (signal: string, minute: number, value: string): Seen => ({
  signal,
  ts_us: AT_US + minute * MINUTE_US,
  seq: 0,
  value,
});

/** Paths come into a class one a minute, and go one a minute; beside them one path that never changes. */
function crowd({ kind, word }: (typeof CLASSES)[number], beside: string): Plant {
  const paths = Array.from({ length: PATHS }, (_, i) => `${kind}:p${i}`);
  return {
    machine: `${kind} ${word} beside ${beside || "nothing"}`,
    seen: [
      seenAt("execution", 0, beside),
      ...paths.map((signal, i) => seenAt(signal, 1 + i, word)),
      ...paths.map((signal, i) => seenAt(signal, 101 + i, "")),
    ],
  };
}

/** Each set of classes for a minute. */
function everySet(): Plant {
  const seen = Array.from({ length: 2 ** CLASSES.length }, (_, set) =>
    CLASSES.map(({ kind, word }, i) => seenAt(`${kind}:of-class-${i}`, set, set & (1 << i) ? word : "")),
  );
  return { machine: "every set", seen: seen.flat() };
}

/** By minute: what the live screens would show of it, what the oracle says. */
function told({ seen }: Plant, minutes: number): string[] {
  const values = new Map<string, string>();
  return Array.from({ length: minutes }, (_, minute) => {
    for (const { signal, ts_us, value } of seen)
      if (ts_us === AT_US + minute * MINUTE_US) values.set(signal, String(value));
    return stateOf(values, false);
  });
}

test("invariant 5: states are the same in SQL, live and in the oracle, for every set of classes and 70 paths of each", async () => {
  const plants = [
    everySet(),
    ...CLASSES.flatMap((one) => ["", "READY", "ACTIVE"].map((beside) => crowd(one, beside))),
  ];
  await engine.insertEvents(joined(plants.flatMap((plant) => events("rules", plant, compile, 2_000))));
  const minutes = 2 ** CLASSES.length;
  const to_us = AT_US + minutes * MINUTE_US;
  const span = { from_us: AT_US, to_us, as_of_us: to_us };
  const machines = plants.map(({ machine }) => machine);
  const { rows } = await states(engine, { tenant: "rules", machines, ...span });
  for (const plant of plants) {
    const live = told(plant, minutes);
    const own = rows.filter(({ machine_id }) => machine_id === plant.machine);
    const byMinute = (at: string): string | undefined =>
      own.find(({ from, to }) => from <= at && at < to)?.state;
    const swept = live.map((_, minute) => byMinute(iso(AT_US + minute * MINUTE_US)));
    expect(swept, plant.machine).toEqual(live);
    const oracle = pieces(plant, span);
    const atMinute = (t: number) => oracle.find(({ from_us, to_us }) => from_us <= t && t < to_us)?.state;
    expect(
      live.map((_, minute) => atMinute(AT_US + minute * MINUTE_US)),
      plant.machine,
    ).toEqual(live);
  }
});
