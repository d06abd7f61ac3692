// The demo plant's calendars and what they make of a day: when people are at the machines.
import type { CalendarInput } from "../../../calendar.ts";

const EVERY_DAY: CalendarInput["shifts"][number]["days"] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Two shifts, every day of the week, so that a demo started on a Sunday shows a plant at work. */
export const PLANT_CALENDAR: CalendarInput = {
  timezone: "Europe/Berlin",
  shifts: [
    {
      name: "early",
      days: EVERY_DAY,
      start: "06:00",
      end: "14:00",
      breaks: [
        { start: "09:00", end: "09:15" },
        { start: "11:30", end: "12:00" },
      ],
    },
    {
      name: "late",
      days: EVERY_DAY,
      start: "14:00",
      end: "22:00",
      breaks: [
        { start: "17:00", end: "17:15" },
        { start: "19:30", end: "20:00" },
      ],
    },
  ],
};

/** A machine with a bar feeder is meant to run at night too. */
export const UNATTENDED_CALENDAR: CalendarInput = {
  ...PLANT_CALENDAR,
  shifts: [...PLANT_CALENDAR.shifts, { name: "night", days: EVERY_DAY, start: "22:00", end: "06:00" }],
};

export type Window = { from_us: number; to_us: number };

/** A day of the plant, midnight to midnight of its own zone: 23, 24 or 25 hours. */
export type PlantDay = Window & {
  /** 2026-11-23 */
  date: string;
  /** When people are there: the shifts without their breaks. */
  attended: Window[];
};

/** The plant's day that this instant lies in. */
export function plantDay(ts_us: number): PlantDay {
  const zone = PLANT_CALENDAR.timezone;
  const date = Temporal.Instant.fromEpochMilliseconds(Math.floor(ts_us / 1000))
    .toZonedDateTimeISO(zone)
    .toPlainDate();
  const at_us = (time: string): number =>
    date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds *
    1000;
  const attended = PLANT_CALENDAR.shifts.flatMap(({ start, end, breaks = [] }) => {
    const edges = [start, ...breaks.flatMap((pause) => [pause.start, pause.end]), end].map(at_us);
    return edges.flatMap((from_us, i) => (i % 2 === 0 ? [{ from_us, to_us: edges[i + 1] ?? from_us }] : []));
  });
  const next = date.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds * 1000;
  return {
    date: date.toString(),
    from_us: date.toZonedDateTime(zone).epochMilliseconds * 1000,
    to_us: next,
    attended,
  };
}
