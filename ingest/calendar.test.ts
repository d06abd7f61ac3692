// The compiled calendar against Temporal itself, and what is refused (SPEC 7).
import { describe, expect, test } from "bun:test";
import {
  type CalendarInput,
  calendarAt,
  calendarsOf,
  compileCalendar,
  validFrom_us,
  withCalendar,
} from "./calendar.ts";
import { BadInput } from "./problem.ts";

const plant = (more: Partial<CalendarInput> = {}): CalendarInput => ({
  timezone: "Europe/Berlin",
  shifts: [
    {
      name: "early",
      days: ["mon", "tue"],
      start: "06:00",
      end: "14:00",
      breaks: [{ start: "09:00", end: "09:30" }],
    },
    {
      name: "night",
      days: ["mon"],
      start: "22:00",
      end: "06:00",
      breaks: [{ start: "02:00", end: "02:30" }],
    },
  ],
  ...more,
});

function refusal(input: CalendarInput): { path: string; detail: string } | undefined {
  try {
    compileCalendar(input);
  } catch (error) {
    if (error instanceof BadInput) return error.errors[0];
    throw error;
  }
  return undefined;
}

describe("compiled shifts", () => {
  test("one row for each weekday of a shift; a night shift and its break run past midnight", () => {
    const { shifts } = compileCalendar(plant());
    expect(shifts.weekday).toEqual([1, 2, 1]);
    expect(shifts.name).toEqual(["early", "early", "night"]);
    expect(shifts.start_s).toEqual([21_600, 21_600, 79_200]);
    expect(shifts.end_s).toEqual([50_400, 50_400, 108_000]);
    expect(shifts.break_start_s).toEqual([[32_400], [32_400], [93_600]]);
    expect(shifts.break_end_s).toEqual([[34_200], [34_200], [95_400]]);
  });

  test("a break over midnight, and a shift round the clock", () => {
    const { shifts } = compileCalendar(
      plant({
        shifts: [
          {
            name: "a",
            days: ["fri"],
            start: "20:00",
            end: "20:00",
            breaks: [{ start: "23:45", end: "00:15" }],
          },
        ],
      }),
    );
    expect([shifts.start_s, shifts.end_s]).toEqual([[72_000], [158_400]]);
    expect([shifts.break_start_s, shifts.break_end_s]).toEqual([[[85_500]], [[87_300]]]);
  });

  test("exceptional dates carry their own rows, a holiday none", () => {
    const compiled = compileCalendar(
      plant({
        exceptions: [
          { date: "2026-12-24", shifts: [{ name: "half", start: "06:00", end: "10:00" }] },
          { date: "2026-12-25", shifts: [] },
        ],
      }),
    );
    expect(compiled.exception_dates).toEqual(["2026-12-24", "2026-12-25"]);
    expect(compiled.shifts.weekday).toEqual([1, 2, 1, 0]);
    expect(compiled.shifts.date.at(-1)).toBe("2026-12-24");
  });
});

describe("zone offsets equal Temporal's compatible, every quarter hour round every transition", () => {
  for (const timezone of [
    "Europe/Berlin",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "UTC",
    "America/Sao_Paulo",
    "Pacific/Apia",
  ]) {
    test(timezone, () => {
      const { zone } = compileCalendar(plant({ timezone }));
      const around = [...zone.local_from_s.slice(1), 1_767_592_800];
      for (const base of around) {
        for (let local_s = base - 3 * 86_400; local_s <= base + 3 * 86_400; local_s += 900) {
          const entry = zone.local_from_s.findLastIndex((from) => from <= local_s);
          const wall = Temporal.Instant.fromEpochMilliseconds(local_s * 1_000).toZonedDateTimeISO("UTC");
          const meant = wall.toPlainDateTime().toZonedDateTime(timezone, { disambiguation: "compatible" });
          if (local_s - (zone.offset_s[entry] ?? Number.NaN) !== meant.epochMilliseconds / 1_000) {
            expect(`${wall.toPlainDateTime()} by entry ${entry}`).toBe(meant.toString());
          }
        }
      }
      expect(zone.local_from_s).toEqual(zone.local_from_s.toSorted((a, b) => a - b));
    });
  }

  test("Berlin has two transitions a year from 2000 to 2045", () => {
    expect(compileCalendar(plant()).zone.offset_s).toHaveLength(1 + 2 * 46);
  });
});

describe("refused, naming the path", () => {
  const early = { name: "early", start: "06:00", end: "14:00" };
  const cases: [string, Partial<CalendarInput>, string][] = [
    ["an unknown zone", { timezone: "Mars/Olympus" }, "/timezone"],
    ["a date that is none", { exceptions: [{ date: "2026-02-30", shifts: [] }] }, "/exceptions/0/date"],
    [
      "a date given twice",
      { exceptions: ["2026-05-01", "2026-05-01"].map((date) => ({ date, shifts: [] })) },
      "/exceptions/1/date",
    ],
    [
      "a break outside its shift",
      { shifts: [{ ...early, days: ["mon"], breaks: [{ start: "13:45", end: "14:15" }] }] },
      "/shifts/0/breaks/0",
    ],
    [
      "a break of no length",
      { shifts: [{ ...early, days: ["mon"], breaks: [{ start: "09:00", end: "09:00" }] }] },
      "/shifts/0/breaks/0",
    ],
    [
      "shifts that overlap on a day",
      {
        shifts: [
          { ...early, days: ["mon"] },
          { name: "late", days: ["mon"], start: "13:59", end: "22:00" },
        ],
      },
      "/shifts/1",
    ],
    [
      "a night shift into the next day's early, over the end of the week",
      {
        shifts: [
          { ...early, days: ["mon"] },
          { name: "night", days: ["sun"], start: "22:00", end: "06:01" },
        ],
      },
      "/shifts/0",
    ],
    [
      "a night shift into an exceptional date",
      { exceptions: [{ date: "2026-01-06", shifts: [{ name: "short", start: "05:00", end: "10:00" }] }] },
      "/exceptions/0/shifts/0",
    ],
  ];
  for (const [name, more, path] of cases) {
    test(name, () => expect(refusal(plant(more))?.path).toBe(path));
  }
  test("shifts that only touch are taken", () => {
    expect(
      refusal(
        plant({
          shifts: [
            { ...early, days: ["mon"] },
            { name: "late", days: ["mon"], start: "14:00", end: "22:00" },
          ],
        }),
      ),
    ).toBeUndefined();
  });
});

describe("calendars that hold from a day on", () => {
  const calendar = (valid_from?: string, timezone = "Europe/Berlin"): CalendarInput => ({
    timezone,
    shifts: [],
    ...(valid_from ? { valid_from } : {}),
  });
  const ms = (iso: string): number => Date.parse(iso);

  test("from local midnight of its own zone on; without a date for all time", () => {
    expect(validFrom_us(calendar())).toBe(0);
    expect(validFrom_us(calendar("2026-03-01"))).toBe(ms("2026-02-28T23:00:00Z") * 1_000);
    expect(validFrom_us(calendar("2026-03-01", "America/New_York"))).toBe(ms("2026-03-01T05:00:00Z") * 1_000);
    expect(() => validFrom_us(calendar("2026-02-30"))).toThrow("/valid_from");
    expect(() => validFrom_us(calendar("1999-01-01"))).toThrow("/valid_from");
  });

  test("a new one leaves what was before it, and takes the place of what was after", () => {
    const [always, march, april, may] = [
      calendar(),
      calendar("2026-03-01"),
      calendar("2026-04-01"),
      calendar("2026-05-01"),
    ] as const;
    const all = [march, may, april].reduce<CalendarInput[]>(withCalendar, [always]);
    expect(all).toEqual([always, march, april]);
    expect(calendarAt(all, ms("2026-02-28T22:59:59Z"))).toBe(always);
    expect(calendarAt(all, ms("2026-02-28T23:00:00Z"))).toBe(march);
    expect(calendarAt(all, ms("2027-01-01T00:00:00Z"))).toBe(april);
    expect(calendarAt([march], 0)).toBeNull();
    expect(withCalendar(all, calendar())).toEqual([calendar()]);
  });

  test("the store of an earlier release has the only one there was", () => {
    expect(calendarsOf(null)).toEqual([]);
    expect(calendarsOf(calendar())).toEqual([calendar()]);
    expect(calendarsOf([calendar(), calendar("2026-03-01")])).toHaveLength(2);
  });
});
