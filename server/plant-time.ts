// The plant's time: its zone, the shift that is on, the periods of the dashboards.
import { type CalendarInput, calendarAt } from "../ingest/calendar.ts";
import type { By, Period, PeriodKind } from "../views/model.ts";

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

const KINDS: readonly PeriodKind[] = ["today", "yesterday", "7d", "custom"];
const BYS: readonly By[] = ["hour", "shift", "day"];

/** The period a dashboard's query asks for; what cannot be understood is today, with a word about it. */
export function periodOf(query: PeriodQuery, timezone: string, now_ms: number): Period {
  const today = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(timezone).startOfDay();
  const kind = KINDS.find((one) => one === query.period) ?? "today";
  const asked = BYS.find((one) => one === query.by);
  const made = (from_ms: number, to_ms: number, problem: Period["problem"] = null): Period => ({
    kind: problem === null ? kind : "today",
    from: new Date(from_ms).toISOString(),
    to: new Date(to_ms).toISOString(),
    by: asked ?? (to_ms - from_ms > 2 * 86_400_000 ? "day" : "hour"),
    problem,
  });
  const start_ms = today.epochMilliseconds;
  switch (kind) {
    case "yesterday":
      return made(today.subtract({ days: 1 }).epochMilliseconds, start_ms);
    case "7d":
      return made(today.subtract({ days: 6 }).epochMilliseconds, now_ms);
    case "custom": {
      const [from_ms, to_ms] = [query.from, query.to].map((text) => localTime_ms(text, timezone));
      if (from_ms === undefined || to_ms === undefined || to_ms <= from_ms) {
        return made(start_ms, now_ms, "order");
      }
      if (to_ms - from_ms > 400 * 86_400_000) return made(start_ms, now_ms, "long");
      return made(from_ms, to_ms);
    }
    default:
      return made(start_ms, now_ms);
  }
}

function localTime_ms(text: string | undefined, timezone: string): number | undefined {
  try {
    return Temporal.PlainDateTime.from(text ?? "").toZonedDateTime(timezone).epochMilliseconds;
  } catch {
    return undefined;
  }
}
