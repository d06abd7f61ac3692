// The event: CloudEvents 1.0 JSON, one per batch of observations (or piece of configuration) of one machine.
import { type Static, type TSchema, Type } from "@sinclair/typebox";

/** Limits of one batch; over them a body is refused with 422 (invariant 7). */
export const MAX_BATCH_ROWS = 50_000;
export const MAX_NAME_LENGTH = 200;
export const MAX_WORD_LENGTH = 4_000;
/** Characters of all rows' words, each as often as rows name it: what a body of rows could hold as well. */
export const MAX_WORDS_WRITTEN_OUT = 8 * 1024 * 1024;

/** The earliest time an observation may carry: 2000-01-01T00:00:00Z in µs. */
export const MIN_TS_US = 946_684_800_000_000;
/** A clock that shows this time or a later one, 2100-01-01T00:00:00Z, is none. */
export const MAX_CLOCK_US = 4_102_444_800_000_000;
/** How far ahead of the clock that it is judged by an observation's time may lie. */
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
  "mtc.reasons.v1",
  "mtc.rejects.v1",
  "mtc.lot.v1",
  "mtc.spike.v1",
  "mtc.gap.v1",
  "mtc.asset.v1",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The name of the JSON Schema an event's data keeps to; served under this path. */
export const dataschema = (type: EventType): string => `/schemas/${type}.json`;

const Int = Type.Integer();
const strict = { additionalProperties: false };

/** Data of `mtc.machine.v1`: a machine was made, changed or deleted. The newest event (by id) holds. */
export const MachineData = Type.Object(
  {
    machine: Type.Object(
      { name: Type.String(), group: Type.Optional(Type.String()), deleted: Type.Boolean() },
      strict,
    ),
  },
  strict,
);
export type MachineData = Static<typeof MachineData>;

/**
 * Data of `mtc.calendar.v1`, compiled at the edge so that SQL needs no time-zone database:
 * local time of day in seconds after midnight of the day the shift starts (a night shift ends past 86,400).
 */
export const CalendarData = Type.Object(
  {
    calendar: Type.Object(
      {
        /** IANA; "" says that there is no calendar any more. */
        timezone: Type.String(),
        zone: Type.Object(
          { local_from_s: Type.Array(Int), offset_s: Type.Array(Int) },
          {
            ...strict,
            description:
              "UTC offsets of the zone: offset_s[i] holds for local wall times ≥ local_from_s[i] (seconds since " +
              '1970-01-01T00:00 local), by Temporal\'s rule "compatible"',
          },
        ),
        shifts: Type.Object(
          {
            weekday: Type.Array(Int, { description: "1 = Monday … 7; 0 for an exceptional date's shift" }),
            date: Type.Array(Type.String(), { description: "1970-01-01 for weekly rows" }),
            name: Type.Array(Type.String()),
            start_s: Type.Array(Int),
            end_s: Type.Array(Int),
            break_start_s: Type.Array(Type.Array(Int), {
              description: "breaks, on the same scale as start_s",
            }),
            break_end_s: Type.Array(Type.Array(Int)),
          },
          strict,
        ),
        exception_dates: Type.Array(Type.String(), { description: "dates on which weekly rows do not hold" }),
      },
      strict,
    ),
    valid_from_us: Type.Optional(
      Type.Integer({
        description:
          "From when on the calendar holds, 0 or left out: for all time. At any time the newest event that is valid by then holds",
      }),
    ),
  },
  strict,
);
export type CalendarData = Static<typeof CalendarData>;

/** Data of `mtc.cycle_times.v1`: the whole list; part "" is any part. */
export const CycleTimesData = Type.Object(
  {
    cycle_times: Type.Object(
      {
        part: Type.Array(Type.String()),
        valid_from_us: Type.Array(Int),
        ideal_cycle_s: Type.Array(Type.Number()),
      },
      strict,
    ),
  },
  strict,
);
export type CycleTimesData = Static<typeof CycleTimesData>;

const Treatment = Type.Union([Type.Literal("loss"), Type.Literal("excluded")]);

/** Data of `mtc.policy.v1`. */
export const PolicyData = Type.Object(
  {
    policy: Type.Object(
      {
        unknown: Treatment,
        reasons: Type.Record(Type.String(), Treatment),
        minor_stop_s: Type.Number(),
        /** Left out where none is set. */
        target_oee: Type.Optional(Type.Number()),
      },
      strict,
    ),
  },
  strict,
);
export type PolicyData = Static<typeof PolicyData>;

/**
 * Data of `mtc.downtime.v1`: a version of an operator's reason over [from, to). The newest event (by id) of an annotation
 * holds, and where several annotations overlap the newest of those; one that is deleted counts for nothing.
 */
export const DowntimeData = Type.Object(
  {
    downtime: Type.Object(
      {
        from_us: Int,
        to_us: Int,
        reason: Type.String(),
        id: Type.Optional(
          Type.String({ description: "The annotation: the id of its first event, which leaves it out" }),
        ),
        note: Type.Optional(Type.String()),
        by: Type.Optional(Type.String({ description: "The key that said it" })),
        deleted: Type.Optional(Type.Boolean()),
        open: Type.Optional(
          Type.Boolean({
            description: "It holds until the machine runs again; to_us is far away until that is known",
          }),
        ),
        since_us: Type.Optional(
          Type.Integer({
            description: "The earliest time that may change by it, where that is before from_us",
          }),
        ),
      },
      strict,
    ),
  },
  strict,
);
export type DowntimeData = Static<typeof DowntimeData>;

/** What a reason's time is, among the losses of an OEE row. */
export const REASON_CATEGORIES = ["breakdown", "setup", "minor", "other"] as const;

/**
 * Data of `mtc.reasons.v1`: the tenant's whole tree of reason codes, about all of its machines; its subject is empty.
 * The newest event (by id) holds. `policy` and `category` are as they were given, "" where they are the parent's;
 * `treatment` and `loss` are what follows from the tree. Of the automatic rules the first that matches gives the reason.
 */
export const ReasonsData = Type.Object(
  {
    reasons: Type.Object(
      {
        code: Type.Array(Type.String()),
        name: Type.Array(Type.String()),
        parent: Type.Array(Type.String()),
        policy: Type.Array(Type.String()),
        category: Type.Array(Type.String()),
        treatment: Type.Array(Treatment),
        loss: Type.Array(Type.String()),
        rule_code: Type.Array(Type.String()),
        rule_condition: Type.Array(Type.String({ description: 'A condition\'s data item, "" for any' })),
        rule_native: Type.Array(Type.String({ description: 'A native code, "" for any fault' })),
        rule_machines: Type.Array(Type.Array(Type.String()), {
          description: "Of these machines, empty: of any",
        }),
        since_us: Int,
      },
      strict,
    ),
  },
  strict,
);
export type ReasonsData = Static<typeof ReasonsData>;

/** Data of `mtc.rejects.v1`: rejects entered against the time the parts were made. */
export const RejectsData = Type.Object(
  { rejects: Type.Object({ ts_us: Int, count: Int, reason: Type.String() }, strict) },
  strict,
);
export type RejectsData = Static<typeof RejectsData>;

/**
 * Data of `mtc.lot.v1`: from `from_us` on the machine makes this lot, until another one begins, or until `to_us` where
 * that is not 0. The newest event of one `from_us` holds; one that ends as it begins takes it back.
 */
export const LotData = Type.Object(
  {
    lot: Type.Object(
      {
        lot: Type.String(),
        part: Type.String(),
        from_us: Int,
        to_us: Type.Optional(Int),
        order_id: Type.Optional(Type.String()),
      },
      strict,
    ),
  },
  strict,
);
export type LotData = Static<typeof LotData>;

export const SPIKE_DECISIONS = ["accepted", "refused"] as const;

/** Data of `mtc.spike.v1`: a counter's leap at `ts_us` was real, or was none. The newest event (by id) holds. */
export const SpikeData = Type.Object(
  {
    spike: Type.Object(
      {
        signal: Type.String(),
        ts_us: Int,
        decision: Type.Union(SPIKE_DECISIONS.map((decision) => Type.Literal(decision))),
      },
      strict,
    ),
  },
  strict,
);
export type SpikeData = Static<typeof SpikeData>;

/** Why time is missing. */
export const GAP_CAUSES = [
  "unreachable",
  "sequence_gap",
  "agent_restart",
  "torn_record",
  "overload",
  "clock_jump",
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/**
 * Data of `mtc.gap.v1`: time known to be missing, UNKNOWN in every figure (invariant 4).
 * A gap is identified by (machine, from_us, cause). `to_us` 0 while it is still open; the closing event
 * repeats the key with its end.
 */
export const GapData = Type.Object(
  {
    gap: Type.Object(
      {
        from_us: Int,
        to_us: Int,
        cause: Type.Union(GAP_CAUSES.map((cause) => Type.Literal(cause))),
        detail: Type.String(),
      },
      strict,
    ),
  },
  strict,
);
export type GapData = Static<typeof GapData>;

/**
 * Data of `mtc.asset.v1`: a tool, a file, a fixture as the agent described it. The newest (by time, then by event id) holds.
 * `document` is the asset's own XML or JSON, as text; one over the bound is left out, and `omitted_bytes` says how long it is.
 */
export const AssetData = Type.Object(
  {
    asset: Type.Object(
      {
        asset_id: Type.String(),
        type: Type.String({ description: "CuttingTool, File …; empty where only the removal is known" }),
        ts_us: Int,
        removed: Type.Boolean(),
        document: Type.String(),
        omitted_bytes: Int,
      },
      strict,
    ),
  },
  strict,
);
export type AssetData = Static<typeof AssetData>;

/** The JSON Schema of each type's data. */
export const EVENT_SCHEMAS = {
  "mtc.observations.v1": ObservationColumns,
  "mtc.machine.v1": MachineData,
  "mtc.calendar.v1": CalendarData,
  "mtc.cycle_times.v1": CycleTimesData,
  "mtc.policy.v1": PolicyData,
  "mtc.downtime.v1": DowntimeData,
  "mtc.reasons.v1": ReasonsData,
  "mtc.rejects.v1": RejectsData,
  "mtc.lot.v1": LotData,
  "mtc.spike.v1": SpikeData,
  "mtc.gap.v1": GapData,
  "mtc.asset.v1": AssetData,
} satisfies Record<EventType, TSchema>;

export type EventData = { [T in EventType]: Static<(typeof EVENT_SCHEMAS)[T]> }[EventType];

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

/**
 * Events in one buffer, a newline after each: of every one its place in `bytes`, without the newline, and its type. A
 * sender's own bytes may hold newlines as well (invariant 8), so places are not told by them.
 */
export type Stretch = {
  bytes: Uint8Array;
  events: readonly { start: number; end: number; type: EventType }[];
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

const decoder = new TextDecoder();
const DATA = Buffer.from(',"data":');

/**
 * What names an event that `encodeEvent` made; its data is not looked at. No string can hold `,"data":` unescaped.
 * @throws SyntaxError where it is none of ours
 */
export function headerOf(event: Uint8Array): EventHeader {
  const end = Buffer.from(event.buffer, event.byteOffset, event.byteLength).indexOf(DATA);
  if (end < 0) throw new SyntaxError("an event has data");
  const head = JSON.parse(`${decoder.decode(event.subarray(0, end))}}`) as Record<string, string>;
  const { id, type, subject, tenantid, time = "" } = head;
  if (id === undefined || subject === undefined || tenantid === undefined) {
    throw new SyntaxError("an event has an id, a subject and a tenant");
  }
  return { id, type: type as EventType, tenant_id: tenantid, machine_id: subject, time_ms: Date.parse(time) };
}

/** A backslash with its escape; of those only a surrogate without its other half is meant. */
const ESCAPE = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/**
 * JSON bytes of an event's data, for what is made by us rather than accepted. JSON.stringify escapes a surrogate only
 * where its other half is missing, and ClickHouse's parser refuses that: it becomes U+FFFD, as in any UTF-8.
 */
export const encodeData = (data: EventData): Uint8Array => {
  const text = JSON.stringify(data);
  return encoder.encode(
    text.includes("\\ud") ? text.replace(ESCAPE, (found, lone) => (lone ? "\ufffd" : found)) : text,
  );
};
