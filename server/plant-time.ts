// The plant's time: its zone, the shift that is on, the periods of the dashboards.
import { type CalendarInput, calendarAt } from "../ingest/calendar.ts";
import { CUTS, PERIODS, type Period, type PeriodKind } from "../views/model.ts";

export type ShiftSpan = { name: string; from_ms: number; to_ms: number };

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** The instant of a local wall time; in the hour that DST skips, the one after (Temporal's "compatible"). */
const instant_ms = (day: Temporal.PlainDate, time: string, timezone: string): number =>
  day.toZonedDateTime({ timeZone: timezone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;

/**
 * The shift that is on at `now_ms`, or the last one that was within the day before; without a calendar the day.
 * @param calendars in the order in which they hold
 * @param timezone the plant's, for the day
 * A night shift belongs to the day it starts.
 */
export function shiftAt(calendars: CalendarInput[], timezone: string, now_ms: number): ShiftSpan {
  const today = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(timezone).toPlainDate();
  const whole: ShiftSpan = {
    name: "",
    from_ms: instant_ms(today, "00:00", timezone),
    to_ms: instant_ms(today.add({ days: 1 }), "00:00", timezone),
  };
  if (!calendarAt(calendars, now_ms)) return whole;
  // A shift belongs to the calendar that holds when it starts, and ends where the next one begins, as in the figures.
  const near = calendars
    .flatMap((calendar) =>
      shiftsNear(calendar, now_ms).filter(({ from_ms }) => calendarAt(calendars, from_ms) === calendar),
    )
    .sort((a, b) => a.from_ms - b.from_ms);
  const last = near.findLastIndex(({ from_ms }) => from_ms <= now_ms);
  const shift = near[last];
  if (!shift) return whole;
  return { ...shift, to_ms: Math.min(shift.to_ms, near[last + 1]?.from_ms ?? shift.to_ms) };
}

/** The shifts of yesterday, today and tomorrow by the calendar's own clock; the plant may have another day. */
function shiftsNear(calendar: CalendarInput, now_ms: number): ShiftSpan[] {
  const now = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(calendar.timezone);
  return [-1, 0, 1]
    .flatMap((days) => shiftsOf(calendar, now.toPlainDate().add({ days })))
    .filter(({ from_ms, to_ms }) => from_ms < to_ms);
}

function shiftsOf(calendar: CalendarInput, day: Temporal.PlainDate): ShiftSpan[] {
  const exception = calendar.exceptions?.find(({ date }) => date === day.toString());
  const weekday = DAYS[day.dayOfWeek - 1] as (typeof DAYS)[number];
  const shifts = exception ? exception.shifts : calendar.shifts.filter(({ days }) => days.includes(weekday));
  return shifts.map(({ name, start, end }) => ({
    name,
    from_ms: instant_ms(day, start, calendar.timezone),
    to_ms: instant_ms(end <= start ? day.add({ days: 1 }) : day, end, calendar.timezone),
  }));
}

export type PeriodQuery = { period?: string; from?: string; to?: string; by?: string };

/** Longer than that nobody asks for on a screen. */
const MAX_PERIOD_MS = 400 * 86_400_000;
/** From this length on days say more than hours. */
const LONG_MS = 2 * 86_400_000;

type Stretch = { from: Temporal.ZonedDateTime; to: Temporal.ZonedDateTime; shift?: string };

/**
 * The period that a dashboard's query asks for, and the one it is compared with; what cannot be understood is today,
 * with a word about it. Nothing ends after now.
 * @param calendars whose shifts "shift" and "last_shift" are, in the order in which they hold
 * @param timezone the plant's: its days, weeks (from Monday) and months
 */
export function periodOf(
  query: PeriodQuery,
  calendars: CalendarInput[],
  timezone: string,
  now_ms: number,
): Period {
  const asked = PERIODS.find((one) => one === query.period) ?? "today";
  const now = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(timezone);
  const found = asked === "custom" ? customStretch(query, timezone) : stretchOf(asked, calendars, now);
  const problem = typeof found === "string" ? found : null;
  const kind = problem === null ? asked : "today";
  const { from, to, shift = "" } = typeof found === "string" ? stretchOf("today", calendars, now) : found;
  const length_ms = to.epochMilliseconds - from.epochMilliseconds;
  return {
    kind,
    ...spanOf({ from, to }),
    by: CUTS.find((one) => one === query.by) ?? (length_ms > LONG_MS ? "day" : "hour"),
    shift,
    previous: spanOf(before(kind, { from, to: over(from, to, now) })),
    problem,
  };
}

/** As much of a stretch as is over, where any of it is. */
const over = (from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime, now: Temporal.ZonedDateTime) =>
  from.epochMilliseconds < now.epochMilliseconds && now.epochMilliseconds < to.epochMilliseconds ? now : to;

const spanOf = ({ from, to }: Stretch): { from: string; to: string } => ({
  from: new Date(from.epochMilliseconds).toISOString(),
  to: new Date(to.epochMilliseconds).toISOString(),
});

function stretchOf(
  kind: Exclude<PeriodKind, "custom">,
  calendars: CalendarInput[],
  now: Temporal.ZonedDateTime,
): Stretch {
  const today = now.startOfDay();
  const monday = today.subtract({ days: today.dayOfWeek - 1 });
  const first = today.with({ day: 1 });
  switch (kind) {
    case "today":
      return { from: today, to: now };
    case "yesterday":
      return { from: today.subtract({ days: 1 }), to: today };
    case "shift":
      return shiftStretch(calendars, now, now.epochMilliseconds);
    case "last_shift": {
      const { from } = shiftStretch(calendars, now, now.epochMilliseconds);
      return shiftStretch(calendars, now, from.epochMilliseconds - 1);
    }
    case "7d":
      return { from: today.subtract({ days: 6 }), to: now };
    case "week":
      return { from: monday, to: now };
    case "last_week":
      return { from: monday.subtract({ weeks: 1 }), to: monday };
    case "month":
      return { from: first, to: now };
    case "last_month":
      return { from: first.subtract({ months: 1 }), to: first };
  }
}

/** The shift at an instant, or the last one before it; as much of it as is over. */
function shiftStretch(calendars: CalendarInput[], now: Temporal.ZonedDateTime, at_ms: number): Stretch {
  const { name, from_ms, to_ms } = shiftAt(calendars, now.timeZoneId, at_ms);
  const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(now.timeZoneId);
  return { from: at(from_ms), to: at(Math.min(to_ms, now.epochMilliseconds)), shift: name };
}

function customStretch({ from, to }: PeriodQuery, timezone: string): Stretch | "order" | "long" {
  const [start, end] = [timeOf(from, timezone), timeOf(to, timezone)];
  const length_ms = (end?.epochMilliseconds ?? 0) - (start?.epochMilliseconds ?? 0);
  if (!start || !end || length_ms <= 0) return "order";
  return length_ms > MAX_PERIOD_MS ? "long" : { from: start, to: end };
}

/** An instant (`2026-01-05T05:00:00Z`), or a local time of the plant (`2026-01-05T06:00`). */
function timeOf(text = "", timezone: string): Temporal.ZonedDateTime | undefined {
  try {
    return /(Z|[+-]\d\d:?\d\d)$/.test(text)
      ? Temporal.Instant.from(text).toZonedDateTimeISO(timezone)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timezone);
  } catch {
    return undefined;
  }
}

/**
 * What a period is compared with: a month with the same days of the month before, all else with the same hours of the
 * same weekdays, as few weeks earlier as keep the two apart. By the plant's clock: an hour of DST does not shift shifts.
 */
function before(kind: PeriodKind, { from, to }: Stretch): Stretch {
  if (kind === "last_month") return { from: from.subtract({ months: 1 }), to: from };
  if (kind === "month") {
    const start = from.subtract({ months: 1 });
    const end = start.add(from.toPlainDateTime().until(to.toPlainDateTime()));
    return { from: start, to: end.epochMilliseconds < from.epochMilliseconds ? end : from };
  }
  let weeks = 1;
  while (to.subtract({ weeks }).epochMilliseconds > from.epochMilliseconds) weeks++;
  return { from: from.subtract({ weeks }), to: to.subtract({ weeks }) };
}
