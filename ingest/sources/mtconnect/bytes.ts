// Reads numbers and times straight from a document's bytes; what is out of the ordinary goes by way of a string.
import { daysIn, daysSince1970, parseTimestamp_us } from "../../time.ts";
import { toNumber } from "./items.ts";

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 16 }, (_, n) => 10 ** n);
/** So many digits always fit into the 53 bits of a double. */
const EXACT_DIGITS = 15;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export const decodeUtf8 = (bytes: Uint8Array, start: number, end: number): string =>
  decoder.decode(bytes.subarray(start, end));

/** A decimal number, NaN where it is none: {@link toNumber} of the text. */
export function numberAt(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] as number;
  const signed = first === MINUS || first === PLUS;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (let i = signed ? start + 1 : start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      digits += 1;
      if (decimals >= 0) decimals += 1;
    } else if (byte === DOT && decimals < 0) decimals = 0;
    // Neither a digit nor the first point: an exponent, or a word. Words are many, so they are told by one look.
    else if (digits === 0) return Number.NaN;
    else return toNumber(decodeUtf8(bytes, start, end));
  }
  if (digits === 0) return Number.NaN;
  if (digits > EXACT_DIGITS) return toNumber(decodeUtf8(bytes, start, end));
  // Both are exact, so the quotient is the double nearest to the decimal number.
  const value = decimals > 0 ? mantissa / (POWERS[decimals] as number) : mantissa;
  return first === MINUS ? -value : value;
}

/** At most 15 digits and nothing else; NaN for anything else. */
export function integerAt(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const SECONDS_LENGTH = "2026-01-05T06:00:00".length;
const Z = 0x5a;

/** An ISO 8601 time as µs since 1970, NaN where it is none: {@link parseTimestamp_us} of the text. */
export function timestampAt_us(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < SECONDS_LENGTH) return Number.NaN;
  const year = digitsAt(bytes, start, 4);
  const month = digitsAt(bytes, start + 5, 2);
  const day = digitsAt(bytes, start + 8, 2);
  const hour = digitsAt(bytes, start + 11, 2);
  const minute = digitsAt(bytes, start + 14, 2);
  const second = digitsAt(bytes, start + 17, 2);
  const plain =
    bytes[start + 4] === MINUS &&
    bytes[start + 7] === MINUS &&
    bytes[start + 10] === 0x54 && // T
    bytes[start + 13] === 0x3a && // :
    bytes[start + 16] === 0x3a &&
    // A comparison with NaN is false.
    year >= 1_000 &&
    month >= 1 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  const fraction_us = plain ? fractionAt_us(bytes, start + SECONDS_LENGTH, end) : Number.NaN;
  if (Number.isNaN(fraction_us)) return parseTimestamp_us(decodeUtf8(bytes, start, end)) ?? Number.NaN;
  const seconds = (daysSince1970(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second;
  return seconds * 1_000_000 + fraction_us;
}

/** So many digits as a number, NaN where one is none. */
function digitsAt(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let i = start; i < start + length; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** What follows the seconds: nothing, digits after a point, a Z. NaN for anything else, such as another zone. */
function fractionAt_us(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let fraction = 0;
  let digits = 0;
  if (at < end && bytes[at] === DOT) {
    for (at += 1; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (digits < 6) fraction = fraction * 10 + digit;
      digits += 1;
    }
    if (digits === 0) return Number.NaN;
  }
  const ended = at === end || (at + 1 === end && bytes[at] === Z);
  return ended ? fraction * (POWERS[Math.max(0, 6 - digits)] as number) : Number.NaN;
}
