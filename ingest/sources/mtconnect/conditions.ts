// Conditions in force: per data item the set of active native codes, and the worst level among them.
import { MAX_CODES, MAX_FOLLOWED } from "./bounds.ts";
import type { Detail, Level } from "./items.ts";

type Condition = NonNullable<Detail["condition"]>;

/** How much of one alarm's text is told, and of all alarms of one data item: no more than the live screens show. */
const MAX_TEXT_LENGTH = 120;
const MAX_TOLD_LENGTH = 500;

/** What holds of one data item after a transition. */
export type InForce = {
  worst: Level;
  /** The active warnings and faults, worst first, as a JSON array; undefined where there are none, nor were before. */
  alarms: string | undefined;
};

/** Follows the conditions of one device. */
export class Conditions {
  readonly #active = new Map<string, Map<string, Condition>>();

  /**
   * Takes one transition: Fault or Warning adds its native code (the same code replaces), Normal with a code clears
   * that code, without a code all; Unavailable replaces all (MTConnect Part 1, "Condition").
   */
  apply(data_item_id: string, condition: Condition): InForce {
    const codes = this.#active.get(data_item_id) ?? new Map<string, Condition>();
    // What is beyond the bound is told as if nothing had been in force before (invariant 7).
    if (this.#active.size < MAX_FOLLOWED) this.#active.set(data_item_id, codes);
    const had_alarms = hasAlarms(codes);
    const { level, native_code } = condition;
    // Being unavailable is alone, and whatever is heard of a condition ends it.
    const all_end = level === "UNAVAILABLE" || (level === "NORMAL" && native_code === "");
    if (all_end || !had_alarms) codes.clear();
    if (level === "NORMAL") codes.delete(native_code);
    else codes.set(native_code, condition);
    const [oldest] = codes.keys();
    if (codes.size > MAX_CODES && oldest !== undefined) codes.delete(oldest);
    return { worst: worstOf(codes), alarms: had_alarms || hasAlarms(codes) ? told(codes) : undefined };
  }

  /** Forgets all: a `/current` document that lists every active condition follows. */
  clear(): void {
    this.#active.clear();
  }
}

/** Of what is in force; being unavailable is always alone. */
const worstOf = (codes: Map<string, Condition>): Level =>
  some(codes, "FAULT") ? "FAULT" : (firstOf(codes)?.level ?? "NORMAL");

const firstOf = (codes: Map<string, Condition>): Condition | undefined => codes.values().next().value;

const some = (codes: Map<string, Condition>, level: Level): boolean =>
  codes.values().some((active) => active.level === level);

const hasAlarms = (codes: Map<string, Condition>): boolean =>
  codes.size > 0 && firstOf(codes)?.level !== "UNAVAILABLE";

/** As a JSON array; of too many the worst. */
function told(codes: Map<string, Condition>): string {
  const list: string[] = [];
  let length = 2;
  for (const level of ["FAULT", "WARNING"] as const) {
    for (const alarm of codes.values()) {
      if (alarm.level !== level) continue;
      const json = toldOf(alarm);
      length += json.length + 1;
      if (length > MAX_TOLD_LENGTH) return `[${list.join(",")}]`;
      list.push(json);
    }
  }
  return `[${list.join(",")}]`;
}

const toldOf = ({ level, native_code, native_severity, qualifier, text }: Condition): string =>
  JSON.stringify({
    level,
    code: cut(native_code),
    ...(native_severity ? { severity: cut(native_severity) } : {}),
    ...(qualifier ? { qualifier: cut(qualifier) } : {}),
    text: cut(text),
  });

const cut = (text: string): string => text.slice(0, MAX_TEXT_LENGTH).toWellFormed();
