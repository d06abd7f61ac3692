// What the calls about downtime take and give.
import { type Static, Type } from "@sinclair/typebox";
import { Shown } from "../../../ingest/names.ts";

const Code = Shown({ minLength: 1, maxLength: 100 });
const Time = Type.String({ format: "date-time", description: "RFC 3339 with its zone, up to µs" });
const Note = Type.String({ maxLength: 1_000 });
const strict = { additionalProperties: false };

export const Downtime = Type.Object(
  {
    from: Time,
    to: Type.Optional(
      Type.String({
        format: "date-time",
        description: "Without it the reason holds until the machine runs again",
      }),
    ),
    reason: Code,
    note: Type.Optional(Note),
  },
  strict,
);
export type Downtime = Static<typeof Downtime>;

export const DowntimePatch = Type.Object(
  {
    from: Type.Optional(Time),
    to: Type.Optional(Time),
    reason: Type.Optional(Code),
    note: Type.Optional(Note),
  },
  { ...strict, minProperties: 1 },
);
export type DowntimePatch = Static<typeof DowntimePatch>;

export const Split = Type.Object(
  {
    at: Time,
    reason: Type.Optional(
      Shown({
        minLength: 1,
        maxLength: 100,
        description: "Of the later part; without it both keep theirs",
      }),
    ),
  },
  strict,
);
export type Split = Static<typeof Split>;

export const Merge = Type.Object(
  {
    ids: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      minItems: 2,
      maxItems: 100,
      uniqueItems: true,
    }),
    reason: Type.Optional(
      Shown({ minLength: 1, maxLength: 100, description: "Without it that of the first" }),
    ),
  },
  strict,
);
export type Merge = Static<typeof Merge>;

/** A version of an annotation, as it was said. */
export type Version = {
  event_id: string;
  /** When it was said, and the key that said it; "" where an earlier release took it. */
  at: string;
  by: string;
  from: string;
  /** Null while it holds until the machine runs again. */
  to: string | null;
  reason: string;
  note: string;
  deleted: boolean;
};

/** An annotation as it holds. */
export type Annotation = Omit<Version, "deleted" | "event_id"> & { id: string; versions: number };
