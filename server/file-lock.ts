// Locks on files, which end with the process that took them however it ends: whose a data directory is.
import { dlopen } from "bun:ffi";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";

const LIBRARY = process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
const LOCK_EX = 2;
const LOCK_NB = 4;

export type FileLock = {
  /** The locked file, open for appending. */
  fd: number;
  free(): void;
};

/**
 * Takes the file, which is made where it is not there, until `free`.
 * @returns undefined where another one has it
 */
export function lockFile(file: string): FileLock | undefined {
  const { symbols, close } = dlopen(LIBRARY, { flock: { args: ["i32", "i32"], returns: "i32" } });
  const fd = openSync(file, "a");
  const taken = symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
  close();
  if (taken) return { fd, free: () => closeSync(fd) };
  closeSync(fd);
  return undefined;
}

/**
 * Takes the embedded engine's directory by the very lock that the engine itself takes. Nothing in it is changed but the
 * lock's own file, which the engine makes with every start and removes with every stop.
 * @returns undefined where an engine has it
 */
export function lockChdb(path: string): Pick<FileLock, "free"> | undefined {
  const file = `${path}/status`;
  const was_there = existsSync(file);
  const lock = lockFile(file);
  return (
    lock && {
      free() {
        if (!was_there) rmSync(file, { force: true });
        lock.free();
      },
    }
  );
}
