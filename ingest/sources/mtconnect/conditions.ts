// Conditions in force: per data item the set of active native codes, and the worst level among them.
import type { Level, StreamItem } from "./document.ts";

/** Follows the conditions of one device. */
export class Conditions {
  readonly #active = new Map<string, Map<string, Level>>();

  /**
   * Takes one transition: Fault or Warning adds its native code (the same code replaces), Normal with a code clears
   * that code, without a code all; Unavailable replaces all.
   * @returns the worst level in force after it
   */
  apply({ data_item_id, level, native_code }: StreamItem): Level {
    let codes = this.#active.get(data_item_id);
    if (!codes) this.#active.set(data_item_id, (codes = new Map()));
    if (level === "UNAVAILABLE" || (level === "NORMAL" && native_code === "")) codes.clear();
    // Whatever is heard of a condition ends its being unavailable.
    for (const [code, active] of codes) if (active === "UNAVAILABLE") codes.delete(code);
    if (level === "NORMAL") codes.delete(native_code);
    else codes.set(native_code, level ?? "UNAVAILABLE");
    return worst(codes.values());
  }

  /** Forgets all: a `/current` document that lists every active condition follows. */
  clear(): void {
    this.#active.clear();
  }
}

const RANK: Record<Level, number> = { NORMAL: 0, WARNING: 1, FAULT: 2, UNAVAILABLE: 3 };

function worst(levels: Iterable<Level>): Level {
  let found: Level = "NORMAL";
  for (const level of levels) if (RANK[level] > RANK[found]) found = level;
  return found;
}
