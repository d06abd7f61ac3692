// Keeps the embedded engine's data directory to this process, by the very lock that the engine itself takes.
import { dlopen } from "bun:ffi";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";

const LIBRARY = process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the directory until `free`: a server does not start on it meanwhile. Nothing in it is changed but the lock's own
 * file, which the engine makes with every start and removes with every stop.
 * @returns undefined where a server has it
 */
export function lockChdb(path: string): { free(): void } | undefined {
  const file = `${path}/status`;
  const was_there = existsSync(file);
  const { symbols, close } = dlopen(LIBRARY, { flock: { args: ["i32", "i32"], returns: "i32" } });
  const fd = openSync(file, "a");
  const taken = symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
  close();
  if (!taken) {
    closeSync(fd);
    return undefined;
  }
  return {
    free() {
      if (!was_there) rmSync(file, { force: true });
      closeSync(fd);
    },
  };
}
