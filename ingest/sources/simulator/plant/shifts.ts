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

const NIGHT = { name: "night", days: EVERY_DAY, start: "22:00", end: "06:00" };

/** What becomes of a machine at night: it rests, works on alone from a bar feeder or pallets, or has its people. */
export type Nights = "rest" | "alone" | "crewed";

/** When a machine is meant to work. */
export const CALENDARS: Record<Nights, CalendarInput> = {
  rest: PLANT_CALENDAR,
  alone: { ...PLANT_CALENDAR, shifts: [...PLANT_CALENDAR.shifts, NIGHT] },
  crewed: {
    ...PLANT_CALENDAR,
    shifts: [...PLANT_CALENDAR.shifts, { ...NIGHT, breaks: [{ start: "02:00", end: "02:30" }] }],
  },
};

export type Window = { from_us: number; to_us: number };

/** A day of the plant, midnight to midnight of its own zone: 23, 24 or 25 hours. */
export type PlantDay = Window & {
  /** 2026-11-23 */
  date: string;
  /** When people are there: the shifts without their breaks. */
  attended: Window[];
};

/**
 * The plant's day that this instant lies in.
 * @param calendar whose shifts are attended
 */
export function plantDay(ts_us: number, { timezone, shifts } = PLANT_CALENDAR): PlantDay {
  const date = Temporal.Instant.fromEpochMilliseconds(Math.floor(ts_us / 1000))
    .toZonedDateTimeISO(timezone)
    .toPlainDate();
  const at_us = (time: string): number =>
    date.toZonedDateTime({ timeZone: timezone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds *
    1000;
  const from_us = date.toZonedDateTime(timezone).epochMilliseconds * 1000;
  const to_us = date.add({ days: 1 }).toZonedDateTime(timezone).epochMilliseconds * 1000;
  const attended = shifts.flatMap(({ start, end, breaks = [] }) => {
    const edges = [start, ...breaks.flatMap((pause) => [pause.start, pause.end]), end].map(at_us);
    // A shift over midnight is the morning of one that began yesterday, with its breaks, and today's begin.
    if (end < start) edges.splice(0, 1, from_us);
    const windows = edges.flatMap((edge_us, i) =>
      i % 2 === 0 ? [{ from_us: edge_us, to_us: edges[i + 1] ?? edge_us }] : [],
    );
    return end < start ? [...windows, { from_us: at_us(start), to_us }] : windows;
  });
  return { date: date.toString(), from_us, to_us, attended: attended.sort((a, b) => a.from_us - b.from_us) };
}
