// Files that are on the disk, whatever happens next: written, then told to the disk, folders as well.
import { closeSync, fsyncSync, openSync, readdirSync } from "node:fs";

/** One file, or the entries of one folder. */
export function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Everything below a folder, and the folder; links are not followed. */
export function syncAll(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) syncAll(path);
    else if (entry.isFile()) sync(path);
  }
  sync(folder);
}
