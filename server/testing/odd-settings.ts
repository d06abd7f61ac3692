// For tests: settings and entries drawn at random, odd ones first: what the schemas allow, and the services may refuse.
import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import "elysia"; // knows the formats: a time is "date-time"
import fc from "fast-check";
import { CalendarInput } from "../../ingest/calendar.ts";
import { ReasonsInput } from "../../ingest/reasons.ts";
import { Downtime } from "../modules/downtime/model.ts";
import { Counts, CycleTimes, Lot, Policy, Rejects, Spike } from "../modules/machines/model.ts";
import { arbitraryOf } from "./arbitrary.ts";

/** Times are near it, most of them. */
export const T0_US = Date.parse("2026-01-05T00:00:00Z") * 1_000;

const near = fc.integer({ min: -48 * 60, max: 72 * 60 }).map((minute) => T0_US / 1_000 + minute * 60_000);
const instant = fc.oneof(
  { weight: 8, arbitrary: near.map((ms) => new Date(ms).toISOString()) },
  { weight: 1, arbitrary: near.map((ms) => new Date(ms).toISOString().replace("Z", "123456789+05:45")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("2000-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2044-02-29T12:00:00-11:30"),
  },
);
const day = fc.oneof(
  near.map((ms) => new Date(ms).toISOString().slice(0, 10)),
  fc.constantFrom("2000-01-01", "2045-12-31", "1970-01-01", "0000-01-01", "9999-12-31", "2026-03-29"),
);
const clock = fc
  .tuple(fc.nat(23), fc.constantFrom(0, 15, 59))
  .map((parts) => parts.map((n) => String(n).padStart(2, "0")).join(":"));
const zone = fc.constantFrom(
  ...Intl.supportedValuesOf("timeZone"),
  "UTC",
  "Etc/GMT+12",
  "+05:07",
  "-23:59",
  "europe/berlin",
);

/** Texts that are more than text. */
const own = ({ pattern = "", format, description }: TSchema): fc.Arbitrary<unknown> | undefined => {
  if (format === "date-time") return instant;
  if (description === "IANA zone") return zone;
  if (pattern.startsWith("^\\d{4}-")) return day;
  if (pattern.startsWith("^([01]")) return clock;
  return pattern.startsWith("^part_count") ? fc.constantFrom("part_count", "part_count_good") : undefined;
};
/** Few shifts, else all of them overlap. */
const Calendar = Type.Composite([
  Type.Omit(CalendarInput, ["shifts"]),
  Type.Object({ shifts: { ...CalendarInput.properties.shifts, maxItems: 2 } }),
]);
const kinds = {
  policy: Policy,
  calendar: Calendar,
  cycle_times: CycleTimes,
  rejects: Rejects,
  lot: Lot,
  downtime: Downtime,
  counts: Counts,
  spike: Spike,
  reasons: ReasonsInput,
};
export type Kind = keyof typeof kinds;

/** @returns values of that kind, which its schema takes but for some calendars */
export const settingsOf = (kind: Kind, seed: number, count: number): unknown[] =>
  fc.sample(arbitraryOf(kinds[kind], own), { seed: seed + KINDS.indexOf(kind), numRuns: count });

/** Whether the API's own schema takes it. */
export const isTaken = (kind: Kind, value: unknown): boolean =>
  Value.Check(kind === "calendar" ? CalendarInput : kinds[kind], value);

export const KINDS = Object.keys(kinds) as Kind[];
