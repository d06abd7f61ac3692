// Which of two values of one signal holds, where both have the same time and the same sequence.
import type { Observation } from "./event.ts";

type Value = Observation["value"];

/**
 * The text by which a value is known among those of its signal, and which the state rules read: a number in its shortest
 * form, a word as it is, of alarms their native codes, each between line breaks; "" is no value. What analytics keeps of a
 * signal, and the twin of `mtc_value_text` there.
 */
export function valueText(signal: string, value: Value): string {
  if (typeof value === "number") return numberText(value);
  if (value === null) return "";
  return signal.startsWith("alarms:") && value.startsWith("[") ? `\n${codesOf(value).join("\n")}\n` : value;
}

/** As ClickHouse writes it, which differs from JavaScript in an exponent's sign and in -0. */
const numberText = (value: number): string =>
  Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");

/**
 * The order of two values of one signal that have the same time and sequence; the later one holds, whichever came first
 * (invariant 3). By their text, byte for byte. Two that read the same are told apart, for the screens alone, by the word.
 * @returns below 0 where `a` is the earlier, 0 where they are the same
 */
export const compareValues = (signal: string, a: Value, b: Value): number =>
  compareBytes(valueText(signal, a), valueText(signal, b)) || compareBytes(wordOf(a), wordOf(b));

/** A number goes before the word that reads like it. */
const wordOf = (value: Value): string => (typeof value === "string" ? value : "");

/** As ClickHouse compares: strings of JavaScript have another order beyond U+FFFF. */
const compareBytes = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The native codes of a list of alarms in JSON, one that is no text as JSON writes it; of what is no list there are none. */
function codesOf(alarms: string): string[] {
  try {
    return (JSON.parse(alarms) as unknown[]).map((alarm) => {
      const { code = null } = Object(alarm) as { code?: unknown };
      if (typeof code === "string" || code === null) return code ?? "";
      return typeof code === "number" ? numberText(code + 0) : JSON.stringify(code);
    });
  } catch {
    return [];
  }
}
