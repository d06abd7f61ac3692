// What the machines' API takes.
import { type Static, Type } from "@sinclair/typebox";
import { SPIKE_DECISIONS } from "../../../ingest/event.ts";
import { Shown } from "../../../ingest/names.ts";
import { Rules } from "../../../ingest/rules.ts";
import { MachineSource } from "../../../ingest/sources/model.ts";

/** Ids travel in addresses, Kafka keys and file names. */
const Id = Type.String({ minLength: 1, maxLength: 100, pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]*$" });
const Name = Shown({ minLength: 1, maxLength: 200 });
const Group = Shown({ maxLength: 200, description: "Hall, line or cell: figures are summed by it" });
const Code = Shown({ minLength: 1, maxLength: 100 });
const Time = Type.String({ format: "date-time", description: "RFC 3339 with its zone, up to µs" });
const strict = { additionalProperties: false };

export const NewMachine = Type.Object(
  {
    id: Type.Optional(Id),
    name: Name,
    group: Type.Optional(Group),
    source: Type.Optional(MachineSource),
    rules: Type.Optional(Rules),
  },
  strict,
);
export type NewMachine = Static<typeof NewMachine>;

export const MachinePatch = Type.Object(
  {
    name: Type.Optional(Name),
    group: Type.Optional(Group),
    source: Type.Optional(MachineSource),
    rules: Type.Optional(Rules),
  },
  { ...strict, minProperties: 1 },
);
export type MachinePatch = Static<typeof MachinePatch>;

export const CycleTimes = Type.Array(
  Type.Object(
    {
      part: Type.Optional(Type.String({ maxLength: 200 })),
      valid_from: Time,
      ideal_cycle_s: Type.Number({ exclusiveMinimum: 0, maximum: 31_536_000 }),
    },
    strict,
  ),
  { maxItems: 10_000 },
);
export type CycleTimes = Static<typeof CycleTimes>;

const Treatment = Type.Union([Type.Literal("loss"), Type.Literal("excluded")]);
export const Policy = Type.Object(
  {
    unknown: Type.Optional(Treatment),
    reasons: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Treatment)),
    minor_stop_s: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400 })),
    target_oee: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description: "The OEE that is aimed at; it changes no figure",
      }),
    ),
  },
  strict,
);
export type Policy = Static<typeof Policy>;

/** No target is set by default. */
export const DEFAULT_POLICY: Required<Omit<Policy, "target_oee">> = {
  unknown: "loss",
  reasons: {},
  minor_stop_s: 0,
};

export const Rejects = Type.Object(
  {
    ts: Time,
    count: Type.Integer({
      minimum: -1_000_000,
      maximum: 1_000_000,
      description: "Negative takes earlier ones back",
    }),
    reason: Type.Optional(Code),
  },
  strict,
);
export type Rejects = Static<typeof Rejects>;

export const Counts = Type.Object(
  {
    ts: Time,
    count: Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: "Parts made, good or not; of one time the latest word holds, and 0 takes it back",
    }),
  },
  strict,
);
export type Counts = Static<typeof Counts>;

export const Lot = Type.Object(
  {
    lot: Code,
    part: Type.Optional(Type.String({ maxLength: 200 })),
    order: Type.Optional(Code),
    from: Time,
    to: Type.Optional(
      Type.String({
        ...Time,
        description: "Without it the lot lasts until another begins; at its start it takes it back",
      }),
    ),
  },
  strict,
);
export type Lot = Static<typeof Lot>;

export const Spike = Type.Object(
  {
    signal: Type.String({ pattern: "^part_count(_good|_bad)?$" }),
    ts: Time,
    decision: Type.Union(SPIKE_DECISIONS.map((decision) => Type.Literal(decision))),
  },
  strict,
);
export type Spike = Static<typeof Spike>;
