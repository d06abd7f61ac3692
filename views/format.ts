// How numbers, times and durations look. Rounding happens here and is display only (invariant 5).
import { text } from "./text.ts";

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Intl formatters are dear to make (about 50 µs): one for each zone and shape. */
function formatter(timezone: string, shape: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = text.locale + timezone + JSON.stringify(shape);
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(text.locale, { timeZone: timezone, hourCycle: "h23", ...shape });
    formatters.set(key, found);
  }
  return found;
}

/** ms since 1970 of an ISO 8601 time. */
export const ms = (iso: string): number => Date.parse(iso);

/** `14:02` in the plant's zone. */
export const clock = (at_ms: number, timezone: string): string =>
  formatter(timezone, { hour: "2-digit", minute: "2-digit" }).format(at_ms);

/** `14:02:11` */
export const clockSeconds = (at_ms: number, timezone: string): string =>
  formatter(timezone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at_ms);

/** `Mon 5 Jan` */
export const day = (at_ms: number, timezone: string): string =>
  formatter(timezone, { weekday: "short", day: "numeric", month: "short" }).format(at_ms).replace(",", "");

/** `Mon`, `Tue` … */
export const weekdays = (): string[] =>
  [5, 6, 7, 8, 9, 10, 11].map((date) =>
    formatter("UTC", { weekday: "short" }).format(Date.UTC(2026, 0, date)),
  );

/** `January 2026` */
export const month = (at_ms: number, timezone: string): string =>
  formatter(timezone, { month: "long", year: "numeric" }).format(at_ms);

/** `Mon 5 Jan 14:02` */
export const dayClock = (at_ms: number, timezone: string): string =>
  `${day(at_ms, timezone)} ${clock(at_ms, timezone)}`;

/** `14:02`, with the day in front where it is another day than now. */
export const clockOrDay = (at_ms: number, now_ms: number, timezone: string): string =>
  day(at_ms, timezone) === day(now_ms, timezone) ? clock(at_ms, timezone) : dayClock(at_ms, timezone);

/** `2026-01-05T14:02`: what `<input type="datetime-local">` speaks. */
export function localInput(at_ms: number, timezone: string): string {
  const shape = {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  } as const;
  const part: Record<string, string> = {};
  for (const { type, value } of formatter(timezone, shape).formatToParts(at_ms)) part[type] = value;
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

/** How far local time is ahead of UTC, ms; whole minutes, which all zones of today keep to. */
export function utcOffset(at_ms: number, timezone: string): number {
  const minute_ms = Math.floor(at_ms / 60_000) * 60_000;
  return Date.parse(`${localInput(minute_ms, timezone)}Z`) - minute_ms;
}

const STEPS_MS = [15, 30, 60, 120, 180, 240, 360, 720, 1440].map((minutes) => minutes * 60_000);

/** Ticks of a time axis on even steps of local time, clear of both edges so that no label is cut. */
export function axisTicks(from_ms: number, to_ms: number, timezone: string, most = 8): number[] {
  const span_ms = to_ms - from_ms;
  const days_ms = Math.ceil(span_ms / most / 86_400_000) * 86_400_000;
  const step_ms =
    STEPS_MS.find((step) => span_ms / step <= most && (step >= 86_400_000 || !isLong(span_ms))) ?? days_ms;
  const margin_ms = span_ms * 0.03;
  const ticks: number[] = [];
  // Steps are taken in local time and put back into UTC one by one: the offset changes with DST.
  const offset_ms = utcOffset(from_ms, timezone);
  const first_ms = Math.ceil((from_ms + offset_ms) / step_ms) * step_ms;
  for (let local_ms = first_ms; local_ms - offset_ms < to_ms + 86_400_000; local_ms += step_ms) {
    const tick = local_ms - utcOffset(local_ms - offset_ms, timezone);
    if (tick > from_ms + margin_ms && tick < to_ms - margin_ms) ticks.push(tick);
  }
  return ticks;
}

/** A tick's label: the time of day, or the day where the axis spans more than two. */
export const axisLabel = (tick_ms: number, from_ms: number, to_ms: number, timezone: string): string =>
  (isLong(to_ms - from_ms) ? day : clock)(tick_ms, timezone);

const isLong = (span_ms: number): boolean => span_ms > 2 * 86_400_000;

/** A running timer: `0:42`, `12:33`, `1:02:33`, `3 d 04 h`. Never below zero: clocks differ a little. */
export function timer(elapsed_ms: number): string {
  const s = Math.max(0, Math.floor(elapsed_ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86_400);
  const hours = Math.floor(s / 3600) % 24;
  const minutes = Math.floor(s / 60) % 60;
  if (days > 0) return `${days} ${text.time.d} ${two(hours)} ${text.time.h}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(s % 60)}`;
  return `${minutes}:${two(s % 60)}`;
}

/** The age of data: `3 s`, `2 min`, `5 h`, `12 d`. */
export function age(elapsed_ms: number): string {
  const s = Math.max(0, Math.floor(elapsed_ms / 1000));
  if (s < 60) return `${s} ${text.time.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${text.time.min}`;
  if (s < 172_800) return `${Math.floor(s / 3600)} ${text.time.h}`;
  return `${Math.floor(s / 86_400)} ${text.time.d}`;
}

/** A length of time in a report: `42 s`, `12 min`, `7 h 12 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} ${text.time.s}`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} ${text.time.min}`;
  const hours = Math.floor(minutes / 60);
  return `${hours} ${text.time.h} ${String(minutes % 60).padStart(2, "0")} ${text.time.min}`;
}

/** `74.8 %`; null is "–", never 0. */
export function percent(ratio: number | null, digits: 0 | 1 | 2 = 1): string {
  return ratio === null ? text.none : `${number(ratio * 100, digits)} %`;
}

const numbers = new Map<string, Intl.NumberFormat>();

function numberFormat(digits: number): Intl.NumberFormat {
  const key = text.locale + digits;
  let found = numbers.get(key);
  if (!found) {
    found = new Intl.NumberFormat(text.locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    numbers.set(key, found);
  }
  return found;
}

/** `19,271`; null is "–". Where thousands are set off by a space it is a narrow one, as print has it. */
export function number(value: number | null, digits: 0 | 1 | 2 = 0): string {
  return value === null ? text.none : numberFormat(digits).format(value).replaceAll("\u00a0", "\u202f");
}

/** A signal's value: at most four figures that mean something. */
export function measure(value: number): string {
  const size = Math.abs(value);
  return number(value, size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : 2);
}
