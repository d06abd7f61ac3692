// The rules of a machine's state (SPEC 6.1), written down once: SQL, live states and texts are all made of these tables.

/** States of a machine, in the order in which the SQL numbers them from 1. */
export const STATES = ["UNKNOWN", "DOWN", "RUNNING", "SETUP", "STOPPED", "IDLE"] as const;
export type State = (typeof STATES)[number];

/** Of a kind of signal the words that mean the same; `other` takes every word that no class of its kind names. */
type SignalClass = { kind: string; words: readonly string[] | "other" };

/**
 * What the signals of a machine may say of its state. A signal's kind is its name, of further paths and of conditions
 * the name up to the colon. A value is in one class at most; an empty one is in none: it tells nothing.
 */
export const SIGNAL_CLASSES = {
  unavailable: { kind: "availability", words: ["UNAVAILABLE"] },
  executing: { kind: "execution", words: ["ACTIVE"] },
  ready: { kind: "execution", words: ["READY", "PROGRAM_COMPLETED"] },
  execution_unavailable: { kind: "execution", words: ["UNAVAILABLE"] },
  execution_stopped: { kind: "execution", words: "other" },
  manual: { kind: "controller_mode", words: ["MANUAL", "MANUAL_DATA_INPUT", "EDIT"] },
  setting_up: {
    kind: "functional_mode",
    words: ["SETUP", "TEARDOWN", "MAINTENANCE", "PROCESS_DEVELOPMENT"],
  },
  emergency_stop: { kind: "emergency_stop", words: ["TRIGGERED"] },
  fault: { kind: "condition", words: ["FAULT"] },
} as const satisfies Record<string, SignalClass>;
export type ClassName = keyof typeof SIGNAL_CLASSES;

/** Kinds of signals that take part in the state. */
export const STATE_KINDS: readonly string[] = [
  ...new Set(Object.values(SIGNAL_CLASSES).map(({ kind }) => kind)),
];

/** A case holds where some signal is in each class of `has`, and none in a class of `lacks`; or where data is missing. */
export type Case = { state: State } & (
  | { missing: true }
  | { has: readonly ClassName[]; lacks?: readonly ClassName[] }
);

/** The rules in their order, and of each its cases in theirs: the first that holds gives the state. */
export const STATE_RULES = [
  {
    id: "unavailable",
    cases: [
      { state: "UNKNOWN", missing: true },
      { state: "UNKNOWN", has: ["unavailable"] },
      {
        state: "UNKNOWN",
        has: ["execution_unavailable"],
        lacks: ["executing", "ready", "execution_stopped"],
      },
    ],
  },
  { id: "emergency_stop", cases: [{ state: "DOWN", has: ["emergency_stop"] }] },
  {
    id: "executing",
    cases: [
      { state: "SETUP", has: ["executing", "manual"] },
      { state: "RUNNING", has: ["executing"] },
    ],
  },
  { id: "fault", cases: [{ state: "DOWN", has: ["fault"] }] },
  { id: "setting_up", cases: [{ state: "SETUP", has: ["setting_up"] }] },
  { id: "stopped", cases: [{ state: "STOPPED", has: ["execution_stopped"] }] },
  { id: "ready", cases: [{ state: "IDLE", has: ["ready"] }] },
] as const satisfies readonly { id: string; cases: readonly Case[] }[];

/** What a rule is called in the catalogues; `untold` where none holds: nothing was told yet, the state is UNKNOWN. */
export type RuleId = (typeof STATE_RULES)[number]["id"] | "untold";
