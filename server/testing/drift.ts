// Compares what MTC says of machines with what the simulator says it did, state by state and second by second.
import { readFileSync } from "node:fs";
import type { TruthLine } from "../../ingest/sources/simulator/truth.ts";
import { formatTimestamp_us, parseTimestamp_us } from "../../ingest/time.ts";
import type { TestServer } from "./server.ts";

type Line<K extends TruthLine["kind"]> = Extract<TruthLine, { kind: K }>;
type Span = { from_us: number; to_us: number };

/** A machine's truth, in the order it was told. */
export type MachineTruth = {
  machine: Line<"machine">;
  states: Line<"state">[];
  counters: Line<"counter">[];
  /** What could not be learned, and what surely not. */
  lost: (Span & { surely: Span; short: boolean })[];
  /** By when its agent had been heard; 0 of a wired one, and where nobody listened. */
  heard_us: number;
};

export function readTruth(path: string): { machines: MachineTruth[]; faults: Line<"fault">[] } {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TruthLine);
  const of = <K extends TruthLine["kind"]>(kind: K) =>
    lines.filter((line): line is Line<K> => line.kind === kind);
  const machines = of("machine").map((machine) => ({
    machine,
    states: of("state").filter((line) => line.machine === machine.uuid),
    counters: of("counter").filter((line) => line.machine === machine.uuid),
    lost: lostOf(of("lost").filter(({ machines }) => machines.includes(machine.uuid))),
    heard_us: of("heard").find(({ machines }) => machines.includes(machine.uuid))?.at_us ?? 0,
  }));
  return { machines, faults: of("fault") };
}

/** Where a later loss begins within an earlier one, the reader had more on its way than was known then. */
const lostOf = (lines: Line<"lost">[]): MachineTruth["lost"] =>
  lines.map(({ from_us, from_at_most_us, to_us, short }, i) => {
    const within = lines.slice(i + 1).filter((line) => line.from_us >= from_us && line.from_us < to_us);
    const had_us = Math.max(from_at_most_us, ...within.map((line) => line.from_at_most_us));
    const surely_us = Math.min(had_us, Math.max(from_at_most_us, to_us));
    return { from_us, to_us, short, surely: { from_us: surely_us, to_us: short ? surely_us : to_us } };
  });

type StateRow = { state: string; from: string; to: string; seconds: number; cause: string };
type GapRow = { from: string; to: string | null; cause: string; detail: string };
type OeeRow = Record<
  | "calendar_time_s"
  | "run_time_s"
  | "down_time_s"
  | "setup_time_s"
  | "stopped_time_s"
  | "idle_time_s"
  | "unknown_time_s"
  | "total_count"
  | "reject_count",
  number
>;

export type Comparison = {
  machine: string;
  /** Every disagreement, in words. None is what is wanted. */
  drifts: string[];
  window_s: number;
  unknown_s: number;
  lost_s: number;
  /** Of that what its agent had dropped by the first contact. */
  first_contact_s: number;
  state_rows: number;
  gap_rows: number;
  parts: number;
  bad: number;
};

/**
 * Compares one machine over [from_us, to_us) of its own clock.
 * @param poll_us how late a wired machine's change may be seen; 0 for one that stamps its own
 */
export async function compare(
  server: TestServer,
  truth: MachineTruth,
  window: Span,
  poll_us: number,
): Promise<Comparison> {
  const id = truth.machine.uuid;
  const span = `from=${formatTimestamp_us(window.from_us)}&to=${formatTimestamp_us(window.to_us)}`;
  const rows = async <T>(what: string): Promise<T[]> => {
    const { status, body } = await server.call<{ rows: T[] }>("GET", `/api/v1/machines/${id}/${what}`);
    if (status !== 200) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
    return body.rows;
  };
  const states = await rows<StateRow>(`states?${span}`);
  const gaps = await rows<GapRow>(`gaps?${span}`);
  const [total] = await rows<OeeRow>(`oee?${span}`);
  const hours = await rows<OeeRow>(`oee?${span}&by=hour`);
  const lost = clipped(union(truth.lost.map((one) => widened(one, poll_us))), window);
  const counted = partsOf(truth, window, lost, poll_us);
  const drifts = [
    ...wholeness(states, window),
    ...stateDrifts(states, truth, window, lost, poll_us),
    ...gapDrifts(gaps, window, lost),
    ...(total ? figureDrifts(states, total, hours, counted) : ["no figures at all"]),
  ];
  return {
    machine: id,
    drifts: drifts.map((drift) => `${id}: ${drift}`),
    window_s: length_s([window]),
    unknown_s: total?.unknown_time_s ?? Number.NaN,
    lost_s: length_s(lost),
    first_contact_s: length_s(
      clipped(
        gaps
          .filter(({ detail }) => detail.startsWith("first contact"))
          .map(({ from, to }) => ({ from_us: us(from), to_us: us(to ?? from) })),
        window,
      ),
    ),
    state_rows: states.length,
    gap_rows: gaps.length,
    parts: total?.total_count ?? Number.NaN,
    bad: total?.reject_count ?? Number.NaN,
  };
}

/** Invariant 4: no second lost or invented. */
function wholeness(states: StateRow[], window: Span): string[] {
  const drifts: string[] = [];
  let at_us = window.from_us;
  for (const { from, to, seconds, state, cause } of states) {
    if (us(from) !== at_us) drifts.push(`states leave ${formatTimestamp_us(at_us)} to ${from} out`);
    if (Math.abs(us(to) - us(from) - seconds * 1e6) > 0.5)
      drifts.push(`${from} to ${to} is not ${seconds} s`);
    if (state === "UNKNOWN" && (cause === "" || cause === "no_data"))
      drifts.push(`UNKNOWN from ${from}: no cause`);
    at_us = us(to);
  }
  if (at_us !== window.to_us) drifts.push(`states end at ${formatTimestamp_us(at_us)}`);
  return drifts;
}

/** What was surely so is said so; what was surely lost is UNKNOWN; in between it is one of both. */
function stateDrifts(
  states: StateRow[],
  truth: MachineTruth,
  window: Span,
  lost: Span[],
  poll_us: number,
): string[] {
  const said = states.map(({ state, from, to }) => ({ state, from_us: us(from), to_us: us(to) }));
  const drifts: string[] = [];
  const expect = (spans: Span[], wanted: string[]): void => {
    for (const span of clipped(spans, window))
      for (const { state, ...own } of said)
        for (const { from_us, to_us } of clipped([own], span))
          if (!wanted.includes(state))
            drifts.push(
              `${wanted.join(" or ")}, but MTC says ${state} from ${formatTimestamp_us(from_us)} to ${formatTimestamp_us(to_us)}`,
            );
  };
  for (const { state, ...own } of truth.states) {
    const sure = narrowed(own, poll_us);
    expect(without(sure, lost), [state]);
    expect(within(sure, lost), [state, "UNKNOWN"]);
  }
  for (const { surely } of truth.lost) expect([narrowed(surely, poll_us)], ["UNKNOWN"]);
  return drifts;
}

/** Every gap lies in time that was really lost. */
function gapDrifts(gaps: GapRow[], window: Span, lost: Span[]): string[] {
  return gaps.flatMap(({ from, to, cause, detail }) => {
    const gap = { from_us: us(from), to_us: to === null ? window.to_us : us(to) };
    return clipped([gap], window).flatMap((own) =>
      without(own, lost).map(
        ({ from_us, to_us }) =>
          `a gap (${cause}: ${detail}) from ${formatTimestamp_us(from_us)} to ${formatTimestamp_us(to_us)}, where nothing was lost`,
      ),
    );
  });
}

type Counts = { parts: number; bad: number };
type Counted = Record<"least" | "most", Counts>;

/** Figures say what the states say, hours add up to the total, and every part is counted once. */
function figureDrifts(
  states: StateRow[],
  total: OeeRow,
  hours: OeeRow[],
  { least, most }: Counted,
): string[] {
  const drifts: string[] = [];
  const same = (what: string, said: number, wanted: number): void => {
    if (Math.abs(said - wanted) > 1e-5) drifts.push(`${what} is ${said}, not ${wanted}`);
  };
  const times = {
    run_time_s: "RUNNING",
    down_time_s: "DOWN",
    setup_time_s: "SETUP",
    stopped_time_s: "STOPPED",
    idle_time_s: "IDLE",
    unknown_time_s: "UNKNOWN",
  } as const;
  for (const [name, state] of Object.entries(times) as [keyof typeof times, string][]) {
    const seconds = states.filter((row) => row.state === state).reduce((sum, row) => sum + row.seconds, 0);
    same(name, total[name], seconds);
  }
  const all_s = states.reduce((sum, { seconds }) => sum + seconds, 0);
  same("calendar_time_s", total.calendar_time_s, all_s);
  for (const name of [
    "calendar_time_s",
    "total_count",
    "reject_count",
    ...Object.keys(times),
  ] as (keyof OeeRow)[])
    same(
      `the hours' ${name}`,
      hours.reduce((sum, row) => sum + row[name], 0),
      total[name],
    );
  for (const [name, key] of [
    ["total_count", "parts"],
    ["reject_count", "bad"],
  ] as const)
    if (total[name] < least[key] || total[name] > most[key])
      drifts.push(
        `${name} is ${total[name]}, not ${least[key]}${least[key] === most[key] ? "" : ` to ${most[key]}`}`,
      );
  return drifts;
}

/** What an honest reader of the counters counts. */
const partsOf = (truth: MachineTruth, window: Span, lost: Span[], poll_us: number): Counted =>
  poll_us > 0 ? polledParts(truth, window, lost, poll_us) : toldParts(truth, window);

/** At the window's edges a poll decides; and what a module said as its line failed may have arrived or not. */
function polledParts({ counters }: MachineTruth, window: Span, lost: Span[], poll_us: number): Counted {
  const edges = [narrowed(window, poll_us), widened(window, poll_us)];
  return bounds(
    [counters, outside(counters, lost)].flatMap((seen) => edges.map((edge) => counted(seen, edge))),
  );
}

/**
 * An agent's machine is told again after lost time: what its counters came to say meanwhile. What was lost before the
 * window decides what the first count in it is compared with. Where an agent was restarted before its client asked for what
 * follows on the first page, nobody can say whether the client has that page: then both are right.
 */
function toldParts({ counters, lost }: MachineTruth, window: Span): Counted {
  const whole = lost.filter(({ short }) => !short);
  return bounds(
    [union(whole), union(whole.map(({ surely }) => surely).filter(isSpan))].flatMap((gone) => {
      const after = gone.flatMap(({ to_us }) => {
        const last = counters.findLast(({ ts_us }) => ts_us < to_us);
        return last ? [{ ...last, ts_us: to_us }] : [];
      });
      const learned = after.filter(({ ts_us }) => !isFirst(ts_us, { counters, lost }));
      // What came to be said first, where the next count is of that very instant.
      return [after, learned].map((told) =>
        counted(
          [...told, ...outside(counters, gone)].sort((a, b) => a.ts_us - b.ts_us),
          window,
        ),
      );
    }),
  );
}

/** Machines of one agent tell their changes in no order of time: what one says so much later may stand before another's. */
const UNORDERED_US = 120_000_000;

/**
 * Whether a client that knows the agent from then on may have no count of before: it could not learn what was in force, or
 * the first count of the time after is among what the agent had dropped already.
 */
function isFirst(to_us: number, { counters, lost }: Pick<MachineTruth, "counters" | "lost">): boolean {
  const could_not_learn = lost.some(({ short, from_us }) => short && from_us === to_us);
  const begins = lost.some((one) => one.from_us === 0 && one.to_us === to_us);
  return (
    could_not_learn ||
    (begins && counters.some(({ ts_us }) => ts_us >= to_us && ts_us < to_us + UNORDERED_US))
  );
}

const outside = (counters: Line<"counter">[], lost: Span[]): Line<"counter">[] =>
  counters.filter(({ ts_us }) => !lost.some((one) => ts_us >= one.from_us && ts_us < one.to_us));

function bounds(counts: Counts[]): Counted {
  const bound = (of: (...numbers: number[]) => number): Counts => ({
    parts: of(...counts.map(({ parts }) => parts)),
    bad: of(...counts.map(({ bad }) => bad)),
  });
  return { least: bound(Math.min), most: bound(Math.max) };
}

/** Differences, and after a reset the number itself. */
function counted(seen: Line<"counter">[], { from_us, to_us }: Span): Counts {
  const sum = { parts: 0, bad: 0 };
  seen.forEach((counter, i) => {
    const before = seen[i - 1];
    if (!before || counter.ts_us < from_us || counter.ts_us >= to_us) return;
    for (const key of ["parts", "bad"] as const)
      sum[key] += counter[key] < before[key] ? counter[key] : counter[key] - before[key];
  });
  return sum;
}

const us = (text: string): number => parseTimestamp_us(text) ?? Number.NaN;
const length_s = (spans: Span[]): number =>
  spans.reduce((sum, { from_us, to_us }) => sum + to_us - from_us, 0) / 1e6;
const widened = ({ from_us, to_us }: Span, by_us: number): Span => ({
  from_us: from_us - by_us,
  to_us: to_us + by_us,
});
const narrowed = (span: Span, by_us: number): Span => widened(span, -by_us);
const isSpan = ({ from_us, to_us }: Span): boolean => to_us > from_us;

const clipped = (spans: Span[], { from_us, to_us }: Span): Span[] =>
  spans
    .map((span) => ({ from_us: Math.max(span.from_us, from_us), to_us: Math.min(span.to_us, to_us) }))
    .filter(isSpan);

function union(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const { from_us, to_us } of spans.toSorted((a, b) => a.from_us - b.from_us)) {
    const last = joined.at(-1);
    if (last && from_us <= last.to_us) last.to_us = Math.max(last.to_us, to_us);
    else joined.push({ from_us, to_us });
  }
  return joined;
}

const within = (span: Span, holes: Span[]): Span[] => clipped(holes, span);

/** The span's pieces outside of the holes, which are in order and do not overlap. */
function without(span: Span, holes: Span[]): Span[] {
  const pieces: Span[] = [];
  let at_us = span.from_us;
  for (const hole of within(span, holes)) {
    pieces.push({ from_us: at_us, to_us: hole.from_us });
    at_us = hole.to_us;
  }
  return [...pieces, { from_us: at_us, to_us: span.to_us }].filter(isSpan);
}
