// For tests: the embedded engine's process of a running program, found as a child of it, and killed from outside.
import { readdirSync, readFileSync } from "node:fs";

/** Its process id; undefined while there is none. Linux alone tells. */
export function engineOf(pid: number): number | undefined {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [child] = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean);
    if (child) return Number(child);
  }
  return undefined;
}

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
