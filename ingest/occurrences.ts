// Shifts as instants, from compiled calendars: what the figures' SQL makes of them, for a preview (`calendar.sql`).
import { type CalendarInput, compileCalendar, validFrom_us } from "./calendar.ts";
import type { CalendarData } from "./event.ts";

type Calendar = CalendarData["calendar"];

/** A shift of a day, with its breaks; ms since 1970. */
export type Occurrence = { name: string; from_ms: number; to_ms: number; breaks: Span[] };
export type Span = { from_ms: number; to_ms: number };

const DAY_MS = 86_400_000;

/**
 * The shifts that lie in a window, wholly or in part, in order of time.
 * @param calendars in the order in which they hold
 * @throws BadInput for a calendar that is none
 */
export function occurrences(calendars: CalendarInput[], from_ms: number, to_ms: number): Occurrence[] {
  const found = calendars.flatMap((input, i) => {
    const next = calendars[i + 1];
    const holds_from_ms = validFrom_us(input) / 1_000;
    const holds_to_ms = next ? validFrom_us(next) / 1_000 : Number.POSITIVE_INFINITY;
    return near(compileCalendar(input), from_ms, to_ms).filter(
      (one) => one.from_ms >= holds_from_ms && one.from_ms < holds_to_ms,
    );
  });
  found.sort((a, b) => a.from_ms - b.from_ms);
  return found
    .map((one, i) => ({ ...one, to_ms: Math.min(one.to_ms, found[i + 1]?.from_ms ?? one.to_ms) }))
    .filter((one) => one.to_ms > from_ms && one.from_ms < to_ms);
}

/** Scheduled time of a window: shifts less breaks. */
export function scheduled_ms(shifts: readonly Occurrence[], from_ms: number, to_ms: number): number {
  const within = (span: Span, bounds: Span): number =>
    Math.max(0, Math.min(span.to_ms, bounds.to_ms) - Math.max(span.from_ms, bounds.from_ms));
  return shifts.reduce((sum, shift) => {
    const bounds = { from_ms: Math.max(shift.from_ms, from_ms), to_ms: Math.min(shift.to_ms, to_ms) };
    if (bounds.to_ms <= bounds.from_ms) return sum;
    const paused = shift.breaks.reduce((total, pause) => total + within(pause, bounds), 0);
    return sum + bounds.to_ms - bounds.from_ms - paused;
  }, 0);
}

/** Every occurrence that begins in the window's days, one more on both sides. */
function near({ zone, shifts, exception_dates }: Calendar, from_ms: number, to_ms: number): Occurrence[] {
  const at = (day: number, second: number): number => utc_ms(zone, day * 86_400 + second);
  const found: Occurrence[] = [];
  for (let day = Math.floor(from_ms / DAY_MS) - 2; day <= Math.floor(to_ms / DAY_MS) + 2; day++) {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    const is_exception = exception_dates.includes(date);
    // 1970 began on a Thursday.
    const weekday = ((((day + 3) % 7) + 7) % 7) + 1;
    shifts.name.forEach((name, i) => {
      const isOn = is_exception
        ? shifts.weekday[i] === 0 && shifts.date[i] === date
        : shifts.weekday[i] === weekday;
      if (!isOn) return;
      const ends = shifts.break_end_s[i] ?? [];
      const breaks = (shifts.break_start_s[i] ?? []).map((start_s, j) => ({
        from_ms: at(day, start_s),
        to_ms: at(day, ends[j] ?? start_s),
      }));
      const span = { from_ms: at(day, shifts.start_s[i] ?? 0), to_ms: at(day, shifts.end_s[i] ?? 0) };
      if (span.to_ms > span.from_ms) found.push({ name, ...span, breaks });
    });
  }
  return found;
}

/** As `mtc_utc_us`: the offset of the last entry that starts at or before the local time. */
function utc_ms({ local_from_s, offset_s }: Calendar["zone"], local_s: number): number {
  const last = local_from_s.findLastIndex((from_s) => from_s <= local_s);
  return (local_s - (offset_s[Math.max(0, last)] ?? 0)) * 1_000;
}
