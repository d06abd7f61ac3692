// Where the row of a key is found in a cut, before anything is asked: the inverse of figures/cuts/*.sql.
import type { OeeCut } from "../oee.ts";

export type Place = { k: number; k2: string };

const DAY_MS = 86_400_000;

/** The days since 1970 of a date; NaN where it is none. */
function daysOf(date: string): number {
  const days = Date.parse(`${date}T00:00:00Z`) / DAY_MS;
  return new Date(days * DAY_MS || 0).toISOString().startsWith(date) ? days : Number.NaN;
}

/** The Monday of an ISO week, "2026-W01"; NaN where it is none. */
function mondayOf(week: string): number {
  const [, year = "", number = ""] = /^(\d{4})-W(\d{2})$/.exec(week) ?? [];
  // The fourth of January is in the first week, and 1970 began on a Thursday.
  const fourth = daysOf(`${year}-01-04`);
  return fourth - ((fourth + 3) % 7) + 7 * (Number(number) - 1);
}

/** @returns undefined where the cut can have no such row */
export function placeOf({
  by,
  key,
  tenant,
  machines,
}: {
  by: OeeCut;
  key: string;
  tenant: string;
  machines: string[];
}): Place | undefined {
  const at = (k: number, k2 = ""): Place | undefined => (Number.isSafeInteger(k) ? { k, k2 } : undefined);
  const named = (name: string): Place | undefined => (key === name ? { k: 0, k2: "" } : undefined);
  switch (by) {
    case "total":
      return named("");
    case "plant":
      return named(tenant);
    case "machine":
      return machines.includes(key) ? at([...new Set(machines)].indexOf(key) + 1) : undefined;
    case "group":
    case "part":
    case "lot":
    case "order":
      return at(0, key);
    case "hour":
      return at(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(key) ? Date.parse(key) * 1_000 : Number.NaN);
    case "day":
      return at(daysOf(key));
    case "week":
      return at(mondayOf(key));
    case "month":
      return at(daysOf(`${key}-01`));
    case "shift":
      return key === "" ? at(0) : at(daysOf(key.slice(0, 10)) + 1, key.slice(11));
  }
}
