// What a rebuild is asked for, and what it tells of itself.
import { type Static, Type } from "@sinclair/typebox";

const Day = Type.String({ format: "date", description: "A day (UTC), YYYY-MM-DD" });

/** Days [from, to); without them everything the log can vouch for. */
export const RebuildInput = Type.Object(
  { from: Type.Optional(Day), to: Type.Optional(Day) },
  { additionalProperties: false },
);
export type RebuildInput = Static<typeof RebuildInput>;

export type Phase =
  | "waiting" // for what was acknowledged before it began
  | "replaying"
  | "gathering"
  | "catching up"
  | "swapping"
  | "done"
  | "failed";

export type Rebuild = {
  phase: Phase;
  /** The days, [from, to); null: no bound. */
  from: string | null;
  to: string | null;
  /** Read of the log so far. */
  events: number;
  observations: number;
  /** How much of the log was gone through: 0…1. */
  progress: number;
  seconds: number;
  /** Why it failed, else "". */
  error: string;
};
