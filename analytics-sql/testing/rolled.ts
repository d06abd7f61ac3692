// States and figures as the API asks for them: rolled up first, then read.
import type { Engine } from "../engine/engine.ts";
import { type OeeCut, type OeeReport, oee as readOee } from "../queries/oee.ts";
import { states as readStates, type StateRow } from "../queries/states.ts";
import type { Filtered } from "../queries/window.ts";
import { Roller } from "../rollup/roller.ts";

const rollers = new WeakMap<Engine, Roller>();

/** The engine's roller; one for each engine. */
export function rollerOf(engine: Engine): Roller {
  const found = rollers.get(engine) ?? new Roller(engine);
  rollers.set(engine, found);
  return found;
}

export async function oee(
  engine: Engine,
  window: Filtered & { by: OeeCut; groups?: string[] },
): Promise<OeeReport> {
  await rollerOf(engine).exact(window);
  return readOee(engine, window);
}

export async function states(engine: Engine, window: Filtered): Promise<{ rows: StateRow[] }> {
  await rollerOf(engine).exact(window);
  return readStates(engine, window);
}
