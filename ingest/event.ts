// The event: CloudEvents 1.0 JSON, one per batch of observations (or piece of configuration) of one machine.
import { type Static, Type } from "@sinclair/typebox";

/** Limits of one batch; over them a body is refused with 422 (invariant 7). */
export const MAX_BATCH_ROWS = 50_000;
export const MAX_NAME_LENGTH = 200;
export const MAX_WORD_LENGTH = 4_000;

/** The earliest time an observation may carry: 2000-01-01T00:00:00Z in µs. */
export const MIN_TS_US = 946_684_800_000_000;
/** How far ahead of our clock an observation's time may lie. */
export const MAX_AHEAD_US = 86_400_000_000;

const Name = Type.String({ minLength: 1, maxLength: MAX_NAME_LENGTH });
const Index = Type.Integer({ minimum: 0, maximum: 65_535 });
const Sequence = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/**
 * Observations as columns: dictionary-coded words, times as offsets.
 * `signal[i]` indexes `signals` from 0; `word[i]` indexes `words` from 1, 0 is none; an observation's time
 * is `t0 + dt[i]` µs; its sequence is `seq[i]`, or `seq0 + i`, or 0 where the source gives none.
 * `num` and `word` may be left out where all are empty.
 */
export const ObservationColumns = Type.Object(
  {
    signals: Type.Array(Name, { maxItems: 65_535 }),
    signal: Type.Array(Index, { maxItems: MAX_BATCH_ROWS }),
    t0: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    dt: Type.Array(Type.Integer(), { maxItems: MAX_BATCH_ROWS }),
    seq0: Type.Optional(Sequence),
    seq: Type.Optional(Type.Array(Sequence, { maxItems: MAX_BATCH_ROWS })),
    num: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.Null()]), { maxItems: MAX_BATCH_ROWS })),
    words: Type.Optional(Type.Array(Type.String({ maxLength: MAX_WORD_LENGTH }), { maxItems: 65_535 })),
    word: Type.Optional(Type.Array(Index, { maxItems: MAX_BATCH_ROWS })),
  },
  { additionalProperties: false },
);
export type ObservationColumns = Static<typeof ObservationColumns>;

/** One observation, as it is read back or looked at; never built on the hot path. */
export type Observation = {
  signal: string;
  ts_us: number;
  seq: number;
  /** A number, a word, or null: the value is empty. */
  value: number | string | null;
};

export const EVENT_TYPES = [
  "mtc.observations.v1",
  "mtc.machine.v1",
  "mtc.calendar.v1",
  "mtc.cycle_times.v1",
  "mtc.policy.v1",
  "mtc.downtime.v1",
  "mtc.rejects.v1",
  "mtc.lot.v1",
  "mtc.gap.v1",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The name of the JSON Schema an event's data keeps to; served under this path. */
export const dataschema = (type: EventType): string => `/schemas/${type}.json`;

/** Data of `mtc.machine.v1`: a machine was made, changed or deleted. The newest event (by id) holds. */
export type MachineData = { machine: { name: string; deleted: boolean } };

/**
 * Data of `mtc.calendar.v1`, compiled at the edge so that SQL needs no time-zone database:
 * local time of day in seconds after midnight of the day the shift starts (a night shift ends past 86,400).
 * `zone` lists the UTC offsets of the IANA zone: `offset_s[i]` holds for local wall times ≥ `local_from_s[i]`
 * (seconds since 1970-01-01T00:00 local), by Temporal's rule "compatible".
 */
export type CalendarData = {
  calendar: {
    timezone: string;
    zone: { local_from_s: number[]; offset_s: number[] };
    /** One row per (weekday 1 = Monday … 7, shift), or per (exceptional date, shift) with `weekday` 0. */
    shifts: {
      weekday: number[];
      /** "1970-01-01" for weekly rows. */
      date: string[];
      name: string[];
      start_s: number[];
      end_s: number[];
      /** Breaks of this shift: starts and ends, on the same scale as start_s. */
      break_start_s: number[][];
      break_end_s: number[][];
    };
    /** Dates on which the weekly rows do not hold. */
    exception_dates: string[];
  };
};

/** Data of `mtc.cycle_times.v1`: the whole list; part "" is any part. `valid_from_us` in µs. */
export type CycleTimesData = {
  cycle_times: { part: string[]; valid_from_us: number[]; ideal_cycle_s: number[] };
};

/** Data of `mtc.policy.v1`. */
export type PolicyData = {
  policy: {
    unknown: "loss" | "excluded";
    reasons: Record<string, "loss" | "excluded">;
    minor_stop_s: number;
  };
};

/** Data of `mtc.downtime.v1`: an operator's reason over [from, to). Where several overlap the newest event (by id) holds. */
export type DowntimeData = { downtime: { from_us: number; to_us: number; reason: string } };

/** Data of `mtc.rejects.v1`: rejects entered against the time the parts were made. */
export type RejectsData = { rejects: { ts_us: number; count: number; reason: string } };

/** Data of `mtc.lot.v1`: from `from_us` on the machine makes this lot. */
export type LotData = { lot: { lot: string; part: string; from_us: number } };

/** Why time is missing. */
export const GAP_CAUSES = [
  "unreachable",
  "sequence_gap",
  "agent_restart",
  "torn_record",
  "overload",
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/**
 * Data of `mtc.gap.v1`: time known to be missing, UNKNOWN in every figure (invariant 4).
 * A gap is identified by (machine, from_us, cause). `to_us` 0 while it is still open; the closing event
 * repeats the key with its end.
 */
export type GapData = { gap: { from_us: number; to_us: number; cause: GapCause; detail: string } };

export type EventData =
  | ObservationColumns
  | MachineData
  | CalendarData
  | CycleTimesData
  | PolicyData
  | DowntimeData
  | RejectsData
  | LotData
  | GapData;

/** What names an event, without its payload. */
export type EventHeader = {
  /** ULID. */
  id: string;
  type: EventType;
  tenant_id: string;
  /** The machine's uuid: CloudEvents `subject`, Kafka key. */
  machine_id: string;
  /** When MTC took it, ms since 1970. */
  time_ms: number;
};

const encoder = new TextEncoder();

/**
 * Splices the envelope round the payload's bytes, which travel on untouched (invariant 8).
 * @param data the bytes of one JSON object: the event's `data`
 * @returns the event's bytes, with no newline at the end
 */
export function encodeEvent(header: EventHeader, data: Uint8Array): Uint8Array {
  const source = `/tenants/${header.tenant_id}/machines/${header.machine_id}`;
  const head = encoder.encode(
    `{"specversion":"1.0","id":"${header.id}","type":"${header.type}","source":${JSON.stringify(source)},` +
      `"subject":${JSON.stringify(header.machine_id)},"time":"${new Date(header.time_ms).toISOString()}",` +
      `"tenantid":${JSON.stringify(header.tenant_id)},"dataschema":"${dataschema(header.type)}",` +
      `"datacontenttype":"application/json","data":`,
  );
  const bytes = new Uint8Array(head.length + data.length + 1);
  bytes.set(head);
  bytes.set(data, head.length);
  bytes[bytes.length - 1] = 0x7d; // }
  return bytes;
}

/** JSON bytes of an event's data, for what is made by us rather than accepted. */
export const encodeData = (data: EventData): Uint8Array => encoder.encode(JSON.stringify(data));
