// Times of the wire as integers: µs since 1970.

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|z|[+-]\d\d:?\d\d)?$/;

/**
 * Reads an ISO 8601 time with 0–9 or more fractional digits; digits below the µs are cut. Without a zone it is UTC,
 * as MTConnect agents mean it.
 * @returns µs since 1970, or undefined where it is no time
 */
export function parseTimestamp_us(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const back = new Date(ms);
  // Date.UTC rolls the 30th of February over; a leap second (60) is allowed to.
  if (back.getUTCDate() !== Number(day) && Number(second) < 60) return undefined;
  if (Number(month) > 12 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  return ms * 1_000 - offset_us(zone) + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

function offset_us(zone: string): number {
  if (zone === "Z" || zone === "z") return 0;
  const digits = zone.replace(":", "");
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits[0] === "-" ? -1 : 1) * minutes * 60_000_000;
}

/** ISO 8601 in UTC with six fractional digits. */
export function formatTimestamp_us(ts_us: number): string {
  const ms = Math.floor(ts_us / 1_000);
  const micros = String(ts_us - ms * 1_000).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${micros}Z`);
}
