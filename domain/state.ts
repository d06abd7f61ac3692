// A machine's state from the latest values of its signals, by the rules.
import {
  type Case,
  type ClassName,
  type RuleId,
  SIGNAL_CLASSES,
  STATE_KINDS,
  STATE_RULES,
  type State,
} from "./state-rules.ts";

/** The pattern of state signals, in RE2 and in JavaScript alike. @param more kinds that are looked for as well */
export const statePattern = (...more: string[]): string => `^(${[...STATE_KINDS, ...more].join("|")})(:|$)`;

const STATE_SIGNAL = new RegExp(statePattern());

/** Does this signal take part in the state? */
export const isStateSignal = (signal: string): boolean => STATE_SIGNAL.test(signal);

/** Classes are the bits of a number, in the order of the table; so are they in SQL. */
export const bitsOf = (classes: readonly ClassName[]): number =>
  classes.reduce((bits, name) => bits | (1 << CLASS_NAMES.indexOf(name)), 0);
const CLASS_NAMES = Object.keys(SIGNAL_CLASSES) as ClassName[];

/** Of each kind the bit of every word that its classes name, and of all others; 0 is no class. */
const BITS = new Map(
  STATE_KINDS.map((kind) => {
    const own = CLASS_NAMES.filter((name) => SIGNAL_CLASSES[name].kind === kind);
    const named = own.flatMap((name) => {
      const { words } = SIGNAL_CLASSES[name];
      return words === "other" ? [] : words.map((word): [string, number] => [word, bitsOf([name])]);
    });
    const others = own.filter((name) => SIGNAL_CLASSES[name].words === "other");
    return [kind, { named: new Map([...named, ["", 0]]), other: bitsOf(others) }];
  }),
);

function bitOf(signal: string, word: string): number {
  const colon = signal.indexOf(":");
  const kind = BITS.get(colon < 0 ? signal : signal.slice(0, colon));
  return kind ? (kind.named.get(word) ?? kind.other) : 0;
}

const CASES = STATE_RULES.flatMap(({ id, cases }, i) =>
  cases.map((one: Case) => ({ id, rule: i + 1, state: one.state, ...masksOf(one) })),
);

/** Of the classes in `mask` those of `held` are there, and no other; a case of missing data is told by nothing else. */
export function masksOf(one: Case): { missing: boolean; mask: number; held: number } {
  if ("missing" in one) return { missing: true, mask: 0, held: 0 };
  return { missing: false, mask: bitsOf([...one.has, ...(one.lacks ?? [])]), held: bitsOf(one.has) };
}

/** A state and the rule it follows from, by its place from 1 and its id; 0 where none holds. */
export type Ruled = { state: State; rule: number; id: RuleId };

const UNTOLD: Ruled = { state: "UNKNOWN", rule: 0, id: "untold" };

/**
 * The rules of the states (SPEC 6.1), the first case that holds.
 * @param values latest value of each state signal as text (`execution`, `execution:<id>` of further paths,
 *   `condition:<id>` …); one that is empty tells nothing, as if it had never been told
 * @param gap the source is unreachable, or a gap is open
 */
export function ruleOf(values: ReadonlyMap<string, string>, gap: boolean): Ruled {
  let classes = 0;
  for (const [signal, word] of values) classes |= bitOf(signal, word);
  const holds = CASES.find(({ missing, mask, held }) => (missing ? gap : (classes & mask) === held));
  return holds ? { state: holds.state, rule: holds.rule, id: holds.id } : UNTOLD;
}

/** The state by `ruleOf`. */
export const stateOf = (values: ReadonlyMap<string, string>, gap: boolean): State =>
  ruleOf(values, gap).state;
