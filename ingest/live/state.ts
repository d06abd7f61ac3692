// A machine's state from the latest values of its signals: the live twin of the rules in analytics-sql.
import { CANONICAL_SIGNALS, type State } from "../signals.ts";

const MANUAL_MODES = new Set(["MANUAL", "MANUAL_DATA_INPUT", "EDIT"]);
const SETUP_FUNCTIONS = new Set(["SETUP", "TEARDOWN", "MAINTENANCE", "PROCESS_DEVELOPMENT"]);
const IDLE_WORDS = new Set(["READY", "PROGRAM_COMPLETED"]);
const RULED = /^(availability|execution|controller_mode|functional_mode|emergency_stop|condition)(:|$)/;

/** Does this signal take part in the state? */
export const isStateSignal = (signal: string): boolean => RULED.test(signal);

/** Do the figures or the screens hang on this signal: does it make up the state, or is it canonical? */
export const hasMeaning = (signal: string): boolean => CANONICAL.has(signal) || isStateSignal(signal);

const CANONICAL = new Set<string>(CANONICAL_SIGNALS);

/** The rules of the states (SPEC 6.1) in their order, from 1. */
export const STATE_RULES = [
  "agent unreachable, a gap, or availability or execution UNAVAILABLE: UNKNOWN",
  "emergency stop TRIGGERED: DOWN",
  "execution ACTIVE: RUNNING, or SETUP where the controller mode is MANUAL, MANUAL_DATA_INPUT or EDIT",
  "a fault condition while execution is not ACTIVE: DOWN",
  "functional mode SETUP, TEARDOWN, MAINTENANCE or PROCESS_DEVELOPMENT: SETUP",
  "execution INTERRUPTED, FEED_HOLD, STOPPED, OPTIONAL_STOP, PROGRAM_STOPPED, WAIT or an unknown word: STOPPED",
  "execution READY or PROGRAM_COMPLETED: IDLE",
] as const;

/** A state and the rule it follows from; 0 where none matches: nothing was told yet, the state is UNKNOWN. */
export type Ruled = { state: State; rule: number };

/** The state by `ruleOf`. */
export const stateOf = (values: ReadonlyMap<string, string>, gap: boolean): State =>
  ruleOf(values, gap).state;

/**
 * The rules of the states (SPEC 6.1), first match wins.
 * @param values latest value of each state signal as text (`execution`, `execution:<id>` of further paths,
 *   `condition:<id>` …); one that is empty tells nothing, as if it had never been told
 * @param gap the source is unreachable, or a gap is open
 */
export function ruleOf(values: ReadonlyMap<string, string>, gap: boolean): Ruled {
  const unknown: Ruled = { state: "UNKNOWN", rule: 1 };
  if (gap) return unknown;
  const words = (name: string): string[] => {
    const found: string[] = [];
    for (const [signal, word] of values) {
      if (word !== "" && (signal === name || signal.startsWith(`${name}:`))) found.push(word);
    }
    return found;
  };
  const execution = words("execution");
  const known = execution.filter((word) => word !== "UNAVAILABLE");
  if (words("availability").includes("UNAVAILABLE")) return unknown;
  if (execution.length > 0 && known.length === 0) return unknown;
  if (words("emergency_stop").includes("TRIGGERED")) return { state: "DOWN", rule: 2 };
  if (known.includes("ACTIVE")) {
    const isManual = words("controller_mode").some((mode) => MANUAL_MODES.has(mode));
    return { state: isManual ? "SETUP" : "RUNNING", rule: 3 };
  }
  if (words("condition").includes("FAULT")) return { state: "DOWN", rule: 4 };
  if (words("functional_mode").some((mode) => SETUP_FUNCTIONS.has(mode))) return { state: "SETUP", rule: 5 };
  if (known.some((word) => !IDLE_WORDS.has(word))) return { state: "STOPPED", rule: 6 };
  return known.length > 0 ? { state: "IDLE", rule: 7 } : { state: "UNKNOWN", rule: 0 };
}
