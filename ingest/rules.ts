// A machine's rules: which of its signals mean something else, and what their values are called there.
import { type Static, Type } from "@sinclair/typebox";
import { ColumnsBuilder, observations } from "./columns.ts";
import { MAX_NAME_LENGTH, MAX_WORD_LENGTH, type Observation, type ObservationColumns } from "./event.ts";
import { badInput } from "./problem.ts";
import { CANONICAL_SIGNALS, PATH_SIGNALS, UNAVAILABLE } from "./signals.ts";

const Rule = Type.Object(
  {
    signal: Type.String({
      minLength: 1,
      maxLength: MAX_NAME_LENGTH,
      description: "The signal as the source names it: di0, counter0, a data item's name …",
    }),
    is: Type.String({
      minLength: 1,
      maxLength: MAX_NAME_LENGTH,
      pattern: `^(${CANONICAL_SIGNALS.join("|")})$|^(${PATH_SIGNALS.join("|")}|condition):.+$`,
      description:
        "What it means: a canonical signal (execution, part_count …), one of a further path (execution:<id>) or condition:<id>",
    }),
    words: Type.Optional(
      Type.Record(
        Type.String({ maxLength: MAX_NAME_LENGTH }),
        Type.String({ minLength: 1, maxLength: MAX_WORD_LENGTH }),
        {
          minProperties: 1,
          maxProperties: 200,
          description:
            'A word for each value, by the value as text: {"0":"READY","1":"ACTIVE"}. A value that is not listed means ' +
            "nothing, but UNAVAILABLE stays UNAVAILABLE, and an empty value empty. Without words every value stays as it is",
        },
      ),
    ),
  },
  { additionalProperties: false },
);
type Rule = Static<typeof Rule>;

/** A machine's `rules`, as the API takes them. */
export const Rules = Type.Array(Rule, {
  maxItems: 100,
  description:
    "What the machine's signals mean, whatever their source. The signals are kept as they came, and what they mean is " +
    "recorded beside them, with the same time. Rules hold from when they are set: for the latest values of that moment and " +
    "all that come later. What was recorded before stays as it is",
});
export type Rules = Static<typeof Rules>;

/**
 * @param known the signals the source can tell, where that is known beforehand
 * @throws BadInput where a rule contradicts another one or the source, at its path below `path`
 */
export function checkRules(rules: Rules, path: string, known?: string[]): void {
  const taken = new Set(known);
  rules.forEach(({ signal, is }, i) => {
    if (known && !known.includes(signal))
      throw badInput(`${path}/${i}/signal`, "map_lacks_signal", { signal });
    if (signal === is) throw badInput(`${path}/${i}/is`, "means_itself");
    if (taken.has(is)) throw badInput(`${path}/${i}/is`, "already_meant", { signal: is });
    taken.add(is);
  });
}

/** By signal, what it means; compiled once for every list of rules. */
const compiled = new WeakMap<Rules, Map<string, Rule[]>>();

/**
 * What a batch means by the rules: observations of the same times and sequences, under the names of the rules.
 * @returns nothing where no ruled signal is in the batch; several batches where one would be too long
 */
export function derive(rules: Rules, columns: ObservationColumns): ColumnsBuilder[] {
  if (rules.length === 0) return [];
  let by_signal = compiled.get(rules);
  if (!by_signal) compiled.set(rules, (by_signal = Map.groupBy(rules, ({ signal }) => signal)));
  if (!columns.signals.some((signal) => by_signal.has(signal))) return [];
  const derived: ColumnsBuilder[] = [];
  let batch: ColumnsBuilder | undefined;
  for (const { signal, ts_us, seq, value } of observations(columns)) {
    for (const { is, words } of by_signal.get(signal) ?? []) {
      const meant = meaning(value, words);
      if (meant === undefined) continue;
      if (!batch || batch.full) derived.push((batch = new ColumnsBuilder()));
      batch.add(is, ts_us, seq, meant);
    }
  }
  return derived;
}

/** @returns undefined where the value means nothing */
function meaning(value: Observation["value"], words: Rule["words"]): Observation["value"] | undefined {
  if (!words) return value;
  const text = String(value ?? "");
  if (Object.hasOwn(words, text)) return words[text];
  // A source that knows nothing, or tells no more, must not leave the last word standing (invariant 4).
  return value === UNAVAILABLE || text === "" ? value : undefined;
}
