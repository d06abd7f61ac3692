// For tests: the embedded engine's process of a running program, found as a child of it, and killed from outside.
import { readdirSync, readFileSync } from "node:fs";

/** The processes that one started and that still run. Linux alone tells. */
export const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );

/** Its process id; undefined while there is none. */
export const engineOf = (pid: number): number | undefined => childrenOf(pid)[0];

/** kill -9. @returns whether there was one */
export function killEngine(pid: number): boolean {
  const engine = engineOf(pid);
  if (engine === undefined) return false;
  try {
    process.kill(engine, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
