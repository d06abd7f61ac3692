// A disk that can be filled: a small file system in memory, where this process may mount one.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";

export type SmallDisk = {
  path: string;
  /** Not a byte is left. */
  fill(): void;
  /** What it was filled with is gone. */
  free(): void;
  unmount(): void;
};

/** @returns undefined where it may not be mounted, which is said */
export function smallDisk(size: string): SmallDisk | undefined {
  const path = mkdtempSync(`${tmpdir()}/mtc-disk-`);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
  if (status !== 0) {
    rmSync(path, { recursive: true, force: true });
    console.warn("skipped: a full disk (needs the right to mount a small one)");
    return undefined;
  }
  const ballast = `${path}/ballast`;
  return {
    path,
    fill() {
      const fd = openSync(ballast, "a");
      try {
        for (let bytes = 1 << 20; bytes >= 1; ) if (!wrote(fd, bytes)) bytes >>= 1;
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    unmount() {
      // Lazily: a process may not have let go of its files yet.
      spawnSync("umount", ["-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function wrote(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, new Uint8Array(bytes)) === bytes;
  } catch {
    return false;
  }
}
