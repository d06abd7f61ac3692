// Of which machines an engine knows anything, and since when: what a move holds against each other.
import type { Engine } from "../engine/engine.ts";
import sql from "./known.sql" with { type: "text" };

/** `since_us` is 0 where nothing of it has a time. */
export type Known = { tenant: string; machine: string; since_us: number };

/** In order of tenant and machine. @throws EngineError */
export const known = (engine: Engine): Promise<Known[]> => engine.query<Known>(sql, {});
