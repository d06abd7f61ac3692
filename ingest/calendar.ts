// Compiles a calendar for the stream: local times and the zone's offsets, so that SQL needs no time-zone database.
import { type Static, Type } from "@sinclair/typebox";
import { type CalendarData, MIN_TS_US } from "./event.ts";
import { Shown } from "./names.ts";
import { badInput } from "./problem.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const strict = { additionalProperties: false };
const TimeOfDay = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", description: "HH:MM, local" });
const Break = Type.Object({ start: TimeOfDay, end: TimeOfDay }, strict);
const shift = {
  name: Shown({ minLength: 1, maxLength: 100 }),
  start: TimeOfDay,
  end: TimeOfDay,
  breaks: Type.Optional(Type.Array(Break, { maxItems: 50 })),
};
const Days = Type.Array(Type.Union(DAYS.map((day) => Type.Literal(day))), { minItems: 1, uniqueItems: true });

const Day = { pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "YYYY-MM-DD, 2000 to 2045" };

/** A calendar as the API takes it. A shift that ends at or before its start ends the next day. */
export const CalendarInput = Type.Object(
  {
    valid_from: Type.Optional(
      Type.String({
        ...Day,
        description:
          "The first day, in its time zone, on which the calendar holds; what was before stays as it is. Without it the " +
          "calendar holds for all time. It takes the place of all that was set earlier for that day and later ones",
      }),
    ),
    timezone: Type.String({ minLength: 1, maxLength: 100, description: "IANA zone" }),
    shifts: Type.Array(Type.Object({ ...shift, days: Days }, strict), { maxItems: 100 }),
    exceptions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            date: Type.String(Day),
            shifts: Type.Array(Type.Object(shift, strict), { maxItems: 50 }),
          },
          strict,
        ),
        { maxItems: 2_000 },
      ),
    ),
  },
  strict,
);
export type CalendarInput = Static<typeof CalendarInput>;

type Calendar = CalendarData["calendar"];
type ShiftInput = { name: string; start: string; end: string; breaks?: { start: string; end: string }[] };
/** A shift on the clock of its day, in seconds after midnight; past 86,400 on the next day. */
type ClockShift = {
  path: string;
  name: string;
  start_s: number;
  end_s: number;
  breaks: { start_s: number; end_s: number }[];
};
type WeeklyShift = ClockShift & { weekdays: number[] };
type Exception = { date: Temporal.PlainDate; path: string; shifts: ClockShift[] };
/** A shift on a line of days, for finding overlaps. */
type Placed = { path: string; from_s: number; to_s: number };

const DAY_S = 86_400;
const WEEK_S = 7 * DAY_S;
const ZONE_FROM = "2000-01-01T00:00Z";
const ZONE_TO = "2046-01-01T00:00Z";

/**
 * Turns local times into what `mtc.calendar.v1` carries.
 * @throws BadInput naming the path: an unknown zone or date, a break outside its shift, shifts that overlap
 */
export function compileCalendar(input: CalendarInput): Calendar {
  if (input.valid_from !== undefined) dayOf(input.valid_from, "/valid_from");
  const weekly = input.shifts.map((shift, i) => ({
    ...clockShift(shift, `/shifts/${i}`),
    weekdays: shift.days.map((day) => DAYS.indexOf(day) + 1),
  }));
  const exceptions = (input.exceptions ?? []).map(({ date, shifts }, i) => ({
    date: dayOf(date, `/exceptions/${i}/date`),
    path: `/exceptions/${i}`,
    shifts: shifts.map((shift, j) => clockShift(shift, `/exceptions/${i}/shifts/${j}`)),
  }));
  refuseOverlaps(weekly, exceptions);

  const rows = [
    ...weekly.flatMap((shift) =>
      shift.weekdays.map((weekday) => ({ weekday, date: "1970-01-01", ...shift })),
    ),
    ...exceptions.flatMap(({ date, shifts }) =>
      shifts.map((shift) => ({ weekday: 0, date: date.toString(), ...shift })),
    ),
  ];
  return {
    timezone: input.timezone,
    zone: zoneOffsets(input.timezone),
    shifts: {
      weekday: rows.map(({ weekday }) => weekday),
      date: rows.map(({ date }) => date),
      name: rows.map(({ name }) => name),
      start_s: rows.map(({ start_s }) => start_s),
      end_s: rows.map(({ end_s }) => end_s),
      break_start_s: rows.map(({ breaks }) => breaks.map(({ start_s }) => start_s)),
      break_end_s: rows.map(({ breaks }) => breaks.map(({ end_s }) => end_s)),
    },
    exception_dates: exceptions.map(({ date }) => date.toString()),
  };
}

/** What says that from then on there is no calendar: it has no time zone. */
export const NO_CALENDAR: Calendar = {
  timezone: "",
  zone: { local_from_s: [0], offset_s: [0] },
  shifts: { weekday: [], date: [], name: [], start_s: [], end_s: [], break_start_s: [], break_end_s: [] },
  exception_dates: [],
};

/** From when on a calendar holds, µs since 1970; 0 for all time. @throws BadInput for a date that is none */
export function validFrom_us({ valid_from, timezone }: CalendarInput): number {
  if (valid_from === undefined) return 0;
  const midnight = plainDate(valid_from, "/valid_from").toZonedDateTime(timezone);
  if (midnight.epochMilliseconds * 1_000 < MIN_TS_US) throw badInput("/valid_from", "date_before_2000");
  return midnight.epochMilliseconds * 1_000;
}

/**
 * A machine's calendars in the order in which they hold.
 * @param calendars as the store has them: a list, or the only one there ever was
 */
export const calendarsOf = (calendars: unknown): CalendarInput[] =>
  Array.isArray(calendars)
    ? (calendars as CalendarInput[])
    : calendars === null
      ? []
      : [calendars as CalendarInput];

/** The calendars once a new one is set: it takes the place of those that would begin with it or later. */
export const withCalendar = (calendars: CalendarInput[], added: CalendarInput): CalendarInput[] => [
  ...calendars.filter((one) => validFrom_us(one) < validFrom_us(added)),
  added,
];

/** The calendar that holds at an instant; null before the first. */
export const calendarAt = (calendars: CalendarInput[], at_ms: number): CalendarInput | null =>
  calendars.findLast((one) => validFrom_us(one) <= at_ms * 1_000) ?? null;

/**
 * The zone's offsets from 2000 to 2045 by local wall time. At a transition the new offset holds from
 * transition + max(offset before, offset after): that is Temporal's "compatible", by which a time that is skipped
 * moves on by the gap and a time that is repeated means the first.
 */
function zoneOffsets(timezone: string): Calendar["zone"] {
  // An offset is no zone: it has no name, and may be of minutes that no plant's clock shows.
  if (/^[+-]/.test(timezone)) throw badInput("/timezone", "zone_by_offset", { timezone });
  let at: Temporal.ZonedDateTime | null;
  try {
    at = Temporal.Instant.from(ZONE_FROM).toZonedDateTimeISO(timezone);
  } catch {
    throw badInput("/timezone", "unknown_zone", { timezone });
  }
  const end_ms = Temporal.Instant.from(ZONE_TO).epochMilliseconds;
  let offset_s = offsetOf(at);
  const zone = { local_from_s: [0], offset_s: [offset_s] };
  while ((at = at.getTimeZoneTransition("next")) !== null && at.epochMilliseconds < end_ms) {
    const after_s = offsetOf(at);
    zone.local_from_s.push(at.epochMilliseconds / 1_000 + Math.max(offset_s, after_s));
    zone.offset_s.push(after_s);
    offset_s = after_s;
  }
  return zone;
}

const offsetOf = (at: Temporal.ZonedDateTime): number => at.offsetNanoseconds / 1_000_000_000;

function clockShift({ name, start, end, breaks = [] }: ShiftInput, path: string): ClockShift {
  const start_s = seconds(start);
  const end_s = seconds(end) > start_s ? seconds(end) : seconds(end) + DAY_S;
  return {
    path,
    name,
    start_s,
    end_s,
    breaks: breaks.map((pause, i) => {
      // A break of a night shift may lie after midnight.
      const late_s = seconds(pause.start) < start_s ? DAY_S : 0;
      const from_s = seconds(pause.start) + late_s;
      const to_s = seconds(pause.end) + (seconds(pause.end) < seconds(pause.start) ? DAY_S : late_s);
      if (to_s === from_s) throw badInput(`${path}/breaks/${i}`, "break_empty");
      if (from_s >= end_s || to_s > end_s) {
        throw badInput(`${path}/breaks/${i}`, "break_outside", {
          pause: `${pause.start}–${pause.end}`,
          shift: `${start}–${end}`,
        });
      }
      return { start_s: from_s, end_s: to_s };
    }),
  };
}

const seconds = (time: string): number => Number(time.slice(0, 2)) * 3_600 + Number(time.slice(3, 5)) * 60;

/** A day of the years for which a zone's offsets are known. */
function dayOf(date: string, path: string): Temporal.PlainDate {
  const day = plainDate(date, path);
  if (day.year < 2000 || day.year > 2045) throw badInput(path, "date_out_of_years", { date });
  return day;
}

function plainDate(date: string, path: string): Temporal.PlainDate {
  try {
    return Temporal.PlainDate.from(date);
  } catch {
    throw badInput(path, "not_a_date", { date });
  }
}

/** Two shifts at once would count their time twice: on any weekday, over midnight, and round every exceptional date. */
function refuseOverlaps(weekly: WeeklyShift[], exceptions: Exception[]): void {
  const week = weekly.flatMap((shift) =>
    shift.weekdays.map((weekday) => place(shift, (weekday - 1) * DAY_S)),
  );
  const nextWeek = weekly.flatMap((shift) =>
    shift.weekdays.map((weekday) => place(shift, (weekday - 1) * DAY_S + WEEK_S)),
  );
  refuseOverlap([...week, ...nextWeek]);

  const byDate = new Map<string, Exception>();
  for (const exception of exceptions) {
    const date = exception.date.toString();
    if (byDate.has(date)) throw badInput(`${exception.path}/date`, "date_twice", { date });
    byDate.set(date, exception);
  }
  for (const { date } of exceptions) {
    refuseOverlap(
      [-1, 0, 1].flatMap((days) => {
        const day = date.add({ days });
        const regular = weekly.filter(({ weekdays }) => weekdays.includes(day.dayOfWeek));
        const shifts = byDate.get(day.toString())?.shifts ?? regular;
        return shifts.map((shift) => place(shift, days * DAY_S));
      }),
    );
  }
}

const place = ({ path, start_s, end_s }: ClockShift, day_s: number): Placed => ({
  path,
  from_s: day_s + start_s,
  to_s: day_s + end_s,
});

function refuseOverlap(placed: Placed[]): void {
  const sorted = placed.toSorted((a, b) => a.from_s - b.from_s);
  for (const [i, shift] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && next.from_s < shift.to_s) throw badInput(next.path, "shift_overlaps", { other: shift.path });
  }
}
