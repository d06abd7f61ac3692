// Plants for tests: what happened on a machine, and the same as events on their way into the engine.
import type { CalendarData, EventData, EventType, ObservationColumns } from "../../ingest/event.ts";

export type Seen = { signal: string; ts_us: number; seq: number; value: number | string | null };
export type Shift = { name: string; start: string; end: string; breaks: { start: string; end: string }[] };
export type Calendar = {
  timezone: string;
  shifts: (Shift & { days: string[] })[];
  exceptions: { date: string; shifts: Shift[] }[];
};

/** Everything that is known of one machine, in the order in which it was said. */
export type Plant = {
  machine: string;
  seen: Seen[];
  calendar?: Calendar;
  /** Calendars that were set later, each from a time on. */
  calendars?: { valid_from_us: number; calendar: Calendar }[];
  gaps?: { from_us: number; to_us: number; cause: string }[];
  /** Annotations in the order in which they were said; one of a known `id` is its newer version. */
  downtime?: {
    from_us: number;
    to_us: number;
    reason: string;
    id?: string;
    deleted?: boolean;
    since_us?: number;
  }[];
  /** Which reason a condition gives by itself, in their order. */
  rules?: { code: string; condition: string; native: string }[];
  rejects?: { ts_us: number; count: number }[];
  lots?: { lot: string; part: string; from_us: number; to_us?: number; order_id?: string }[];
  spikes?: { signal: string; ts_us: number; decision: "accepted" | "refused" }[];
  cycle_times?: { part: string; valid_from_us: number; ideal_cycle_s: number }[];
  policy?: {
    unknown: "loss" | "excluded";
    reasons: Record<string, "loss" | "excluded">;
    minor_stop_s?: number;
  };
};

const encoder = new TextEncoder();
let made = 0;
/** Ids that sort in the order they were made, as ULIDs do. */
const nextId = (): string => `01J${String(++made).padStart(23, "0")}`;

/** One event as a line of bytes. */
export function event(tenant: string, machine: string, type: EventType, data: EventData): Uint8Array {
  const envelope = { specversion: "1.0", id: nextId(), type, subject: machine, tenantid: tenant };
  return encoder.encode(`${JSON.stringify({ ...envelope, dataschema: "", data })}\n`);
}

export const us = (iso: string): number => Date.parse(iso) * 1_000;

/** Observations as an event's columns; `seq` is left out where all are 0. */
export function columns(seen: Seen[]): ObservationColumns {
  const signals = [...new Set(seen.map(({ signal }) => signal))];
  const words = [...new Set(seen.map(({ value }) => value).filter((value) => typeof value === "string"))];
  const t0 = seen[0]?.ts_us ?? 0;
  return {
    signals,
    signal: seen.map(({ signal }) => signals.indexOf(signal)),
    t0,
    dt: seen.map(({ ts_us }) => ts_us - t0),
    ...(seen.some(({ seq }) => seq > 0) ? { seq: seen.map(({ seq }) => seq) } : {}),
    ...(seen.some(({ value }) => typeof value === "number")
      ? { num: seen.map(({ value }) => (typeof value === "number" ? value : null)) }
      : {}),
    ...(words.length > 0
      ? { words, word: seen.map(({ value }) => (typeof value === "string" ? words.indexOf(value) + 1 : 0)) }
      : {}),
  };
}

/** The plant's events; observations in batches of `batch_rows`. */
export function events(
  tenant: string,
  plant: Plant,
  compile: (calendar: Calendar) => CalendarData["calendar"],
  batch_rows = 50,
): Uint8Array[] {
  const { machine, calendar, policy, cycle_times } = plant;
  const lines: Uint8Array[] = [];
  const say = (type: EventType, data: EventData) => lines.push(event(tenant, machine, type, data));
  for (let i = 0; i < plant.seen.length; i += batch_rows) {
    say("mtc.observations.v1", columns(plant.seen.slice(i, i + batch_rows)));
  }
  if (calendar) say("mtc.calendar.v1", { calendar: compile(calendar) });
  for (const { valid_from_us, calendar: later } of plant.calendars ?? []) {
    say("mtc.calendar.v1", { calendar: compile(later), valid_from_us });
  }
  if (policy) say("mtc.policy.v1", { policy: { minor_stop_s: 0, ...policy } });
  if (cycle_times) {
    say("mtc.cycle_times.v1", {
      cycle_times: {
        part: cycle_times.map(({ part }) => part),
        valid_from_us: cycle_times.map(({ valid_from_us }) => valid_from_us),
        ideal_cycle_s: cycle_times.map(({ ideal_cycle_s }) => ideal_cycle_s),
      },
    });
  }
  for (const gap of plant.gaps ?? []) {
    // A gap is opened first and closed later, if at all.
    const cause = gap.cause as "unreachable";
    say("mtc.gap.v1", { gap: { ...gap, cause, to_us: 0, detail: "" } });
    if (gap.to_us > 0) say("mtc.gap.v1", { gap: { ...gap, cause, detail: "" } });
  }
  for (const downtime of plant.downtime ?? []) say("mtc.downtime.v1", { downtime });
  for (const rejects of plant.rejects ?? []) say("mtc.rejects.v1", { rejects: { ...rejects, reason: "" } });
  for (const lot of plant.lots ?? []) say("mtc.lot.v1", { lot });
  for (const spike of plant.spikes ?? []) say("mtc.spike.v1", { spike });
  return lines;
}

export { joined } from "../../ingest/testing/stretch.ts";
