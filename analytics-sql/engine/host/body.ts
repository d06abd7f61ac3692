// The body of an insert as a file in memory: chDB reads one in half the time that its own insert of bytes takes.
import { mkdirSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";

/** Where files are memory, on Linux. */
const MEMORY = "/dev/shm";
/** With less than that free there, a file lies on the disk. */
const FREE_BYTES = 256 * 1024 ** 2;

export class Bodies {
  readonly #in_memory: string | undefined;
  readonly #on_disk: string;
  #made = 0;

  /**
   * Takes its folders, which are nobody else's: what a process that was killed left there goes.
   * @param path chDB's directory
   */
  constructor(path: string) {
    this.#on_disk = `${path}/inserts`;
    rmSync(this.#on_disk, { recursive: true, force: true });
    const name = new Bun.CryptoHasher("sha256").update(path).digest("hex").slice(0, 16);
    this.#in_memory = emptied(`${MEMORY}/mtc-${name}`);
  }

  /** Runs work on a file that holds the bytes and goes after it. */
  async use<T>(bytes: Uint8Array, work: (file: string) => Promise<T>): Promise<T> {
    this.#made += 1;
    const file = `${this.#folder()}/${this.#made}`;
    try {
      await Bun.write(file, bytes);
      return await work(file);
    } finally {
      rmSync(file, { force: true });
    }
  }

  close(): void {
    for (const folder of [this.#in_memory, this.#on_disk])
      if (folder) rmSync(folder, { recursive: true, force: true });
  }

  #folder(): string {
    if (this.#in_memory && freeBytes(dirname(this.#in_memory)) >= FREE_BYTES) return this.#in_memory;
    mkdirSync(this.#on_disk, { recursive: true, mode: 0o700 });
    return this.#on_disk;
  }
}

/** @returns undefined where it cannot be ours */
function emptied(folder: string): string | undefined {
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  } catch {
    return undefined;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
