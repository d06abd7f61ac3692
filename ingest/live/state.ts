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

/**
 * The rules of DESIGN "Time, states, OEE", first match wins.
 * @param values latest word of each state signal (`execution`, `execution:<id>` of further paths, `condition:<id>` …)
 * @param gap the source is unreachable, or a gap is open
 */
export function stateOf(values: ReadonlyMap<string, string>, gap: boolean): State {
  if (gap) return "UNKNOWN";
  const words = (name: string): string[] => {
    const found: string[] = [];
    for (const [signal, word] of values) {
      if (signal === name || signal.startsWith(`${name}:`)) found.push(word);
    }
    return found;
  };
  const execution = words("execution");
  const known = execution.filter((word) => word !== "UNAVAILABLE");
  if (words("availability").includes("UNAVAILABLE")) return "UNKNOWN";
  if (execution.length > 0 && known.length === 0) return "UNKNOWN";
  if (words("emergency_stop").includes("TRIGGERED")) return "DOWN";
  if (known.includes("ACTIVE")) {
    return words("controller_mode").some((mode) => MANUAL_MODES.has(mode)) ? "SETUP" : "RUNNING";
  }
  if (words("condition").includes("FAULT")) return "DOWN";
  if (words("functional_mode").some((mode) => SETUP_FUNCTIONS.has(mode))) return "SETUP";
  if (known.some((word) => !IDLE_WORDS.has(word))) return "STOPPED";
  return known.length > 0 ? "IDLE" : "UNKNOWN";
}
