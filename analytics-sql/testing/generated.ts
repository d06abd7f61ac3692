// Draws machines and the window that is asked of them: a sweep from its seed, and each of its machines alone again.
import fc from "fast-check";
import { randomOf } from "./arrival.ts";
import { type Calendar, type Plant, type Seen, us } from "./plant.ts";

const MINUTE_US = 60_000_000;
const DAY_US = 1_440 * MINUTE_US;

type Place = { timezone: string; day: string };
type Rules = NonNullable<Plant["rules"]>;

/** Days round which the clocks of these zones change, and one ordinary day. */
const PLACES: Place[] = [
  { timezone: "Europe/Berlin", day: "2026-03-29" },
  { timezone: "Europe/Berlin", day: "2026-10-25" },
  { timezone: "Pacific/Auckland", day: "2026-04-05" },
  { timezone: "America/New_York", day: "2026-11-01" },
  { timezone: "Australia/Lord_Howe", day: "2026-10-04" },
  { timezone: "Asia/Kolkata", day: "2026-01-05" },
];

const WORDS: Record<string, Seen["value"][]> = {
  availability: ["AVAILABLE", "AVAILABLE", "UNAVAILABLE"],
  execution: [
    "ACTIVE",
    "ACTIVE",
    "READY",
    "STOPPED",
    "FEED_HOLD",
    "PROGRAM_COMPLETED",
    "DANCING",
    "UNAVAILABLE",
    // What is no word: the end of a value, and a number.
    null,
    "",
    7,
  ],
  "execution:path2": ["ACTIVE", "READY", "INTERRUPTED", "UNAVAILABLE"],
  controller_mode: ["AUTOMATIC", "SEMI_AUTOMATIC", "MANUAL", "MANUAL_DATA_INPUT"],
  functional_mode: ["PRODUCTION", "SETUP", "MAINTENANCE"],
  emergency_stop: ["ARMED", "ARMED", "TRIGGERED"],
  "condition:x": ["NORMAL", "NORMAL", "WARNING", "FAULT", "UNAVAILABLE"],
  "condition:servo": ["NORMAL", "FAULT"],
  "alarms:servo": [
    "[]",
    JSON.stringify([{ level: "FAULT", code: "SV0401", text: "x" }]),
    JSON.stringify([
      { level: "WARNING", code: "7", text: "" },
      { level: "FAULT", code: "SV0401", text: "y" },
    ]),
    "UNAVAILABLE",
  ],
  part_count: [0, 1, 2, 3, 4, 7, 10, 599_999, 2 ** 32 - 3, 2 ** 32 - 1, "UNAVAILABLE", "NaN"],
  part_count_good: [0, 1, 2, 3, 5],
  part_count_bad: [0, 1, 2],
  part_pulse: [0, 1, 0, 3, "UNAVAILABLE"],
  part_pulse_good: [0, 1],
  part_event: [1, 1, 2, 0, "UNAVAILABLE"],
  part_event_bad: [1],
  part_number: ["A", "B", "", "UNAVAILABLE"],
  // Words that read as a number without being one: infinity.
  program: ["O1", "O2", "INF", "12E400"],
  lot: ["L1", "L2"],
  spindle_speed: [0, 995.5, null],
};

/** An instant near the day; some at the very same instants, some days before any window. */
const near = (day_us: number) =>
  fc
    .oneof(
      { weight: 6, arbitrary: fc.integer({ min: -18 * 60, max: 54 * 60 }) },
      { weight: 2, arbitrary: fc.integer({ min: -2, max: 8 }).map((quarter) => quarter * 360) },
      { weight: 2, arbitrary: fc.integer({ min: -6 * 1_440, max: -18 * 60 }) },
    )
    .map((minute) => day_us + minute * MINUTE_US);
const interval = (day_us: number) =>
  fc
    .tuple(near(day_us), fc.integer({ min: 1, max: 500 }))
    .map(([from_us, minutes]) => ({ from_us, to_us: from_us + minutes * MINUTE_US }));

const seenOf = (day_us: number, signals: string[]): fc.Arbitrary<Seen[]> =>
  fc
    .array(
      fc.tuple(near(day_us), fc.constantFrom(...signals), fc.nat(), fc.constantFrom(0, 0, 0, 1, 2, 333_333)),
      { maxLength: 200, size: "max" },
    )
    .chain((drawn) =>
      fc.boolean().map((numbered) =>
        drawn.map(([ts_us, signal, pick, micro_us], i): Seen => {
          const values = WORDS[signal] ?? [];
          return {
            signal,
            ts_us: ts_us + micro_us,
            seq: numbered ? i + 1 : 0,
            value: values[pick % values.length] ?? null,
          };
        }),
      ),
    );

const calendarOf = (timezone: string, day: string): fc.Arbitrary<Calendar> => {
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const early = {
    name: "early",
    days,
    start: "06:00",
    end: "14:00",
    breaks: [{ start: "09:00", end: "09:30" }],
  };
  const night = {
    name: "night",
    days,
    start: "22:00",
    end: "06:00",
    breaks: [{ start: "02:00", end: "03:15" }],
  };
  const small = { name: "small hours", days, start: "01:30", end: "02:30", breaks: [] };
  const after = { name: "after", days, start: "02:30", end: "05:00", breaks: [] };
  const weekly = fc.constantFrom<Calendar["shifts"][]>(
    [early, night],
    [night],
    [early],
    [small, after, early],
    [],
  );
  const half = { name: "half", start: "07:00", end: "11:00", breaks: [{ start: "08:00", end: "08:15" }] };
  const exceptions = fc.constantFrom<Calendar["exceptions"][]>(
    [],
    [{ date: day, shifts: [] }],
    [{ date: day, shifts: [half] }],
  );
  return fc
    .tuple(weekly, exceptions)
    .map(([shifts, exceptional]) => ({ timezone, shifts, exceptions: exceptional }));
};

const midnight_us = (timezone: string, day: string, days: number): number =>
  Temporal.PlainDate.from(day).add({ days }).toZonedDateTime(timezone).epochMilliseconds * 1_000;

const REASONS = ["tool", "maintenance", "lunch"];
/** A machine of a sweep, but for its name. */
export const plantOf = ({ place, complete }: Settings): fc.Arbitrary<Omit<Plant, "machine">> => {
  const { timezone, day } = place;
  const day_us = us(`${day}T00:00:00Z`);
  const state = Object.keys(WORDS).filter((signal) => !/^part_(count|pulse|event)/.test(signal));
  const counters = fc.constantFrom(
    ["part_count"],
    ["part_count", "part_count_good"],
    ["part_count_good", "part_count_bad"],
    ["part_count", "part_count_bad"],
    ["part_pulse", "part_pulse_good"],
    ["part_event", "part_event_bad", "part_count"],
    ["part_pulse", "part_event"],
    [],
  );
  const list = <T>(one: fc.Arbitrary<T>, maxLength: number) => fc.array(one, { maxLength, size: "max" });
  const causes = ["unreachable", "sequence_gap", "overload", "clock_jump"];
  return fc.record(
    {
      seen: counters.chain((more) => seenOf(day_us, [...state, ...more, ...more, ...more])),
      calendar: calendarOf(timezone, day),
      // From some midnight on another one holds, perhaps in another zone, and perhaps a third that takes its place.
      calendars: list(
        fc
          .constantFrom(timezone, timezone, ...PLACES.map((place) => place.timezone))
          .chain((zone) =>
            fc
              .tuple(fc.constantFrom(-3, 0, 1, 2), calendarOf(zone, day))
              .map(([days, calendar]) => ({ valid_from_us: midnight_us(zone, day, days), calendar })),
          ),
        2,
      ),
      gaps: fc.uniqueArray(
        fc
          .tuple(interval(day_us), fc.constantFrom(...causes), fc.constantFrom(false, false, false, true))
          .map(([gap, cause, open]) => ({ ...gap, cause, ...(open ? { to_us: 0 } : {}) })),
        { maxLength: 4, size: "max", selector: ({ from_us, cause }) => `${from_us} ${cause}` },
      ),
      // Some are newer versions of others, and some of those take them back.
      downtime: list(
        fc
          .tuple(
            interval(day_us),
            fc.constantFrom(...REASONS),
            fc.constantFrom("", "", "a", "b"),
            fc.constantFrom(false, false, false, true),
          )
          .map(([over, reason, id, deleted]) => ({
            ...over,
            reason,
            since_us: 1,
            ...(id ? { id } : {}),
            deleted,
          })),
        7,
      ),
      rejects: list(fc.record({ ts_us: near(day_us), count: fc.integer({ min: 1, max: 3 }) }), 3),
      lots: list(
        fc
          .record({
            lot: fc.constantFrom("L1", "L3"),
            part: fc.constantFrom("", "C"),
            from_us: near(day_us),
            to_us: fc.oneof(fc.constant(0), near(day_us)),
            order_id: fc.constantFrom("", "O-7", "O-8"),
            taken_back: fc.constantFrom(false, false, false, true),
          })
          .map(({ taken_back, ...lot }) => (taken_back ? { ...lot, to_us: lot.from_us } : lot)),
        4,
      ),
      // Decisions about any instant: most are about no leap at all.
      spikes: list(
        fc.record({
          signal: fc.constant("part_count"),
          ts_us: near(day_us),
          decision: fc.constantFrom("accepted", "refused"),
        }),
        4,
      ),
      cycle_times: fc.constantFrom(
        [{ part: "", valid_from_us: 0, ideal_cycle_s: 30.5 }],
        [
          { part: "A", valid_from_us: 0, ideal_cycle_s: 12 },
          { part: "A", valid_from_us: day_us + 6 * 60 * MINUTE_US, ideal_cycle_s: 13.25 },
          { part: "", valid_from_us: 0, ideal_cycle_s: 60 },
        ],
        ...(complete ? [] : [[{ part: "B", valid_from_us: 0, ideal_cycle_s: 7 }]]),
      ),
      policy: fc.record({
        unknown: fc.constantFrom("loss", "excluded"),
        reasons: fc.constantFrom<Record<string, "loss" | "excluded">[]>(
          {},
          { maintenance: "excluded", tool: "loss" },
        ),
        minor_stop_s: fc.constantFrom(0, 0, 90, 1_800),
      }),
    },
    { requiredKeys: complete ? ["seen", "cycle_times"] : ["seen"] },
  );
};

/** One tree of reasons for all machines of a tenant. */
const RULES: Rules[] = [
  [],
  [
    { code: "servo", condition: "", native: "SV0401" },
    { code: "fault", condition: "x", native: "" },
  ],
  [
    { code: "any", condition: "", native: "" },
    { code: "seven", condition: "servo", native: "7" },
  ],
];

/** What all machines of a sweep share. */
export type Settings = {
  seed: number;
  place: Place;
  rules: Rules;
  /** Every part that any machine makes has an ideal cycle time: no row of figures lacks its performance. */
  complete: boolean;
  from_us: number;
  to_us: number;
  as_of_us: number;
};
export type Sweep = Settings & { plants: Plant[] };

const settings = fc.constantFrom(...PLACES).chain((place) => {
  const day_us = us(`${place.day}T00:00:00Z`);
  return fc.record({
    place: fc.constant(place),
    rules: fc.constantFrom(...RULES),
    complete: fc.boolean(),
    from_us: fc.integer({ min: -12 * 60, max: 20 * 60 }).map((m) => day_us + m * MINUTE_US + 7),
    to_us: fc.integer({ min: 21 * 60, max: 60 * 60 }).map((m) => day_us + m * MINUTE_US),
    as_of_us: fc.constantFrom(day_us + 30 * DAY_US, day_us + 40 * 60 * MINUTE_US),
  });
});

/** Where fast-check begins: its own generator takes seeds that are near each other for nearly the same. */
export const beginningOf = (seed: number): number => Math.floor(randomOf(seed)() * 2 ** 31);

/** The same sweep for the same seed; of fewer machines the first of them. */
export function drawSweep(seed: number, machines: number): Sweep {
  const [drawn] = fc.sample(settings, { seed: beginningOf(seed), numRuns: 1 });
  if (!drawn) throw new Error("fast-check drew nothing");
  const shared = { ...drawn, seed };
  const plants = fc.sample(plantOf(shared), { seed: beginningOf(seed), numRuns: machines });
  return {
    ...shared,
    plants: plants.map((plant, i) => ({ machine: `m${i}`, ...plant, rules: shared.rules })),
  };
}
