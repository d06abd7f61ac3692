// Conditions in force: per data item the set of active native codes, and the worst level among them.
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
    let codes = this.#active.get(data_item_id);
    if (!codes) this.#active.set(data_item_id, (codes = new Map()));
    const before = alarmsOf(codes).length;
    const { level, native_code } = condition;
    if (level === "UNAVAILABLE" || (level === "NORMAL" && native_code === "")) codes.clear();
    // Whatever is heard of a condition ends its being unavailable.
    for (const [code, active] of codes) if (active.level === "UNAVAILABLE") codes.delete(code);
    if (level === "NORMAL") codes.delete(native_code);
    else codes.set(native_code, condition);
    const alarms = alarmsOf(codes);
    const worst = [...codes.values()].reduce<Level>(
      (a, { level: b }) => (RANK[b] > RANK[a] ? b : a),
      "NORMAL",
    );
    return { worst, alarms: before + alarms.length > 0 ? told(alarms) : undefined };
  }

  /** Forgets all: a `/current` document that lists every active condition follows. */
  clear(): void {
    this.#active.clear();
  }
}

const RANK: Record<Level, number> = { NORMAL: 0, WARNING: 1, FAULT: 2, UNAVAILABLE: 3 };

const alarmsOf = (codes: Map<string, Condition>): Condition[] =>
  [...codes.values()].filter(({ level }) => level === "WARNING" || level === "FAULT");

/** As a JSON array; of too many the worst. */
function told(alarms: Condition[]): string {
  const list: string[] = [];
  let length = 2;
  for (const alarm of alarms.toSorted((a, b) => RANK[b.level] - RANK[a.level])) {
    const json = toldOf(alarm);
    length += json.length + 1;
    if (length > MAX_TOLD_LENGTH) break;
    list.push(json);
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
