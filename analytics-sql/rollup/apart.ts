// Work for many machines in one statement, of which one may be at fault: it is found, and the others go on without it.
import { EngineError } from "../engine/engine.ts";

/** Where so many fail in one round it is no longer looked for each: the next round goes on with the others (invariant 7). */
const MAX_FAILED = 10;
/** ClickHouse's codes for want of time, room or memory, which say nothing of what was asked: 159, 202, 236, 241, 243, 394. */
const WANT_CODES = new Set([159, 202, 236, 241, 243, 394]);

/**
 * Does the work for each group at once. One that fails is halved until what is at fault stands alone.
 * @returns those that fail alone, each with its error
 * @throws what is nobody's fault: the engine gives no answer, or it fails for all of them alike
 */
export async function apart<T>(
  groups: Iterable<readonly T[]>,
  work: (some: readonly T[]) => Promise<void>,
): Promise<Map<T, EngineError>> {
  const failed = new Map<T, EngineError>();
  let worked = false;
  const tryAll = async (some: readonly T[]): Promise<void> => {
    try {
      await work(some);
      worked = true;
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 0) throw error;
      const [first, ...others] = some;
      if (first === undefined) return;
      if (others.length === 0) failed.set(first, error);
      else if (failed.size < MAX_FAILED) {
        const half = Math.ceil(some.length / 2);
        await tryAll(some.slice(0, half));
        await tryAll(some.slice(half));
      }
    }
  };
  for (const group of groups) await tryAll(group);
  const [error] = failed.values();
  // With nobody to compare it with, only what the engine says against the question itself is the question's fault.
  const own = worked || (failed.size === 1 && error !== undefined && !WANT_CODES.has(error.code));
  if (error !== undefined && !own) throw error;
  return failed;
}
