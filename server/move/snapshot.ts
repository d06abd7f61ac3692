// The embedded engine's files a second time, without their bytes: what is done to the copy leaves the source as it is.
import { copyFileSync, linkSync, mkdirSync, readdirSync } from "node:fs";

/** Of a part: written once, and removed as a whole. All other files are small and may be written again in place. */
const WRITTEN_ONCE = /\.(bin|c?mrk\d?|c?idx2?)$/;
/** At the top: the lock, and what no part of the data is. */
const LEFT_OUT = ["status", "tmp"];

/** @param to on the same file system, else bytes are copied as well */
export function snapshot(from: string, to: string, left_out: readonly string[] = LEFT_OUT): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (left_out.includes(entry.name)) continue;
    const [source, copy] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isDirectory()) snapshot(source, copy, []);
    else if (entry.isFile()) {
      if (WRITTEN_ONCE.test(entry.name)) link(source, copy);
      else copyFileSync(source, copy);
    }
  }
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system, or one without links.
    copyFileSync(from, to);
  }
}
