// For tests: a running program seen from outside: its processes, their memory, and the embedded engine's, which can be killed.
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The processes that one started and that still run. Linux alone tells. */
export const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const file = `/proc/${pid}/task/${thread}/children`;
    // A thread that has ended since the folder was read.
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number);
  });

/** A process, those that it started, and theirs. */
export const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** Resident memory of one process. @throws where it is gone */
export const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1_024;

/** Its process id; undefined while there is none. */
export const engineOf = (pid: number): number | undefined => childrenOf(pid)[0];

/** @returns whether there was such a process; it may have ended meanwhile */
export function signalled(pid: number | undefined, signal: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** kill -9. @returns whether there was one */
export const killEngine = (pid: number): boolean => signalled(engineOf(pid), "SIGKILL");
