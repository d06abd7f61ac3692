// The ledger can fail: what was acknowledged and is not there, or is there twice, is found and named.
import { describe, expect, test } from "bun:test";
import type { Seen } from "../../../analytics-sql/testing/plant.ts";
import { type Batch, Ledger, textOf } from "./ledger.ts";
import { isSound, report } from "./report.ts";
import type { Outcome } from "./run.ts";
import { silence } from "./watch.ts";

const seen = (ts_us: number, value: number): Seen => ({ signal: "part_count", ts_us, seq: 0, value });
const batchOf = (n: number): Batch => ({
  machine: "m",
  key: `m-${n}`,
  rows: [seen(2 * n, n), seen(2 * n + 1, n)],
});
const BATCHES = [0, 1, 2].map(batchOf);
const EVENTS = BATCHES.map(({ key }) => `event of ${key}`);
const ROWS = BATCHES.flatMap(({ rows }) => rows.map(textOf));

function ledgerOf(batches = BATCHES): Ledger {
  const ledger = new Ledger();
  for (const batch of batches) ledger.acknowledge(batch, `event of ${batch.key}`);
  return ledger;
}

const verdictOf = (events: string[], rows: string[], ledger = ledgerOf()) =>
  ledger.verdict(new Map([["m", { events, rows }]]));

describe("invariants 1 and 2: what was acknowledged against what is kept", () => {
  test("all of it once, in any order, is sound", () => {
    expect(verdictOf(EVENTS.toReversed(), ROWS.toReversed())).toEqual({
      lost: [],
      doubled: [],
      different: [],
    });
  });

  test.each([
    ["an observation that is missing", EVENTS, ROWS.slice(1), { lost: [`m: observation ${ROWS[0]}`] }],
    ["an event that is missing", EVENTS.slice(1), ROWS, { lost: [`m: event ${EVENTS[0]}`] }],
    [
      "an observation twice",
      EVENTS,
      [...ROWS, ROWS[0] ?? ""],
      { doubled: [`m: observation ${ROWS[0]} is there twice`] },
    ],
    [
      "an observation of which nobody was told",
      EVENTS,
      [...ROWS, "load\t1\t1"],
      { doubled: ["m: observation load\t1\t1 is there, and nobody was told so"] },
    ],
    [
      "a batch that became two events",
      [...EVENTS, "another"],
      ROWS,
      { doubled: ["m: event another is there, and nobody was told so"] },
    ],
  ])("%s", (_, events, rows, wrong) => {
    expect(verdictOf(events, rows)).toEqual({ lost: [], doubled: [], different: [], ...wrong });
  });

  test("nothing at all is kept of a machine: all of it is lost", () => {
    expect(ledgerOf().verdict(new Map()).lost).toHaveLength(EVENTS.length + ROWS.length);
  });

  test("the same request again that is told of another event", () => {
    const ledger = ledgerOf();
    ledger.acknowledge(batchOf(1), "another");
    expect(verdictOf(EVENTS, ROWS, ledger).doubled).toEqual([
      "m-1 is event event of m-1, and event another when it was sent again",
    ]);
  });

  test("equal observations of two batches are one", () => {
    const twin = { ...batchOf(0), key: "m-other" };
    const ledger = ledgerOf([...BATCHES, twin]);
    expect(verdictOf([...EVENTS, "event of m-other"], ROWS, ledger).doubled).toEqual([]);
  });
});

const OUTCOME: Outcome = {
  recoveries: [3, 1, 2].map((ms) => ({ fault: "kill", ms })),
  skipped: [],
  failed: [],
  tally: { "sent again": 1, "with another key": 0, late: 0, "out of order": 0, "no answer": 0 },
  batches: 3,
  observations: 6,
  told_by_sources: 0,
  silent: { seconds: 1, silent_s: 0, longest_ms: 1 },
  health: { asked: 1, unwell: [] },
  verdict: { lost: [], doubled: [], different: [] },
};

test("a run is sound only where nothing is wrong, and each that is wrong is told", () => {
  expect(isSound(OUTCOME)).toBe(true);
  expect(report(OUTCOME)).toContain("kill           3          2          3");
  const wrong: Partial<Outcome>[] = [
    ...(["lost", "doubled", "different"] as const).map((kind) => ({
      verdict: { ...OUTCOME.verdict, [kind]: ["wrong"] },
    })),
    { failed: ["wrong"] },
    { health: { asked: 1, unwell: ["wrong"] } },
  ];
  for (const one of wrong) {
    expect(isSound({ ...OUTCOME, ...one })).toBe(false);
    expect(report({ ...OUTCOME, ...one }).at(-1)).toContain("wrong");
  }
});

test("seconds without an acknowledgement are counted, the last and the first as well", () => {
  expect(silence([1_500, 1_600, 4_500], 1_000, 6_000)).toEqual({
    seconds: 5,
    silent_s: 3,
    longest_ms: 2_900,
  });
  expect(silence([], 0, 3_000)).toEqual({ seconds: 3, silent_s: 3, longest_ms: 3_000 });
});
