// Times of the wire as integers, µs since 1970, and the rule of what is one.
import { MAX_AHEAD_US, MIN_TS_US } from "./event.ts";
import { badInput } from "./problem.ts";

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|z|[+-]\d\d:?\d\d)?$/;
const ZONED = /(?:[Zz]|[+-]\d\d:?\d\d)$/;
const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads an ISO 8601 time with 0–9 or more fractional digits; digits below the µs are cut. Without a zone it is UTC,
 * as MTConnect agents mean it: what people and programs send goes through {@link time_us}.
 * @returns µs since 1970, or undefined where it is no time: a day that no calendar has, the zone +99:99, a leap second
 * anywhere but at the end of a day of UTC
 */
export function parseTimestamp_us(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const [, y, m, d, h, min, s, fraction = "", zone = "Z"] = match;
  const [year, month, day] = [Number(y), Number(m), Number(d)];
  const [hour, minute, second] = [Number(h), Number(min), Number(s)];
  const offset_s = offsetOf_s(zone);
  if (day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60) return undefined;
  if (offset_s === undefined) return undefined;
  const seconds = daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset_s;
  if (second === 60 && seconds % 86_400 !== 0) return undefined;
  return seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

/** A time as the API takes it, RFC 3339 with its zone (SPEC 2.2). @throws BadInput at `path` */
export function time_us(text: string, path: string): number {
  const ts_us = parseTimestamp_us(text);
  if (ts_us === undefined) throw badInput(path, "not_a_time");
  if (!ZONED.test(text)) throw badInput(path, "no_zone");
  return ts_us;
}

/** "From the year 1" and "to the year 9999" mean all there is; the engine counts µs from 1970 to 2255. */
export const within_us = (ts_us: number): number => Math.min(Math.max(ts_us, 0), Number.MAX_SAFE_INTEGER);

/**
 * Whether an observation may have this time (SPEC 2.2).
 * @param now_us the clock that it is judged by: of what an agent tells the agent's own, of all else the host's
 */
export const isPossible = (ts_us: number, now_us: number): boolean =>
  ts_us >= MIN_TS_US && ts_us <= now_us + MAX_AHEAD_US;

/** @throws BadInput at `path` for a time before 2000 or more than a day ahead of our clock */
export function checkTime(ts_us: number, now_us: number, path: string): void {
  if (isPossible(ts_us, now_us)) return;
  throw badInput(path, ts_us < MIN_TS_US ? "time_before_2000" : "too_far_ahead");
}

/** How far a zone's clock is ahead of UTC, undefined where there is no such zone. */
function offsetOf_s(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3_600 + minutes * 60);
}

/** Days of a month from 1 to 12; 0 of any other. */
export function daysIn(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29;
  return DAYS_IN_MONTH[month] ?? 0;
}

/** Days of the Gregorian calendar, counted with the year beginning in March so that leap days come last. */
export function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const day_of_year = Math.floor((153 * m + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + day_of_year - 719_468;
}

/** ISO 8601 in UTC with six fractional digits. */
export function formatTimestamp_us(ts_us: number): string {
  const ms = Math.floor(ts_us / 1_000);
  const micros = String(ts_us - ms * 1_000).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${micros}Z`);
}
