// When a disk counts as full: a little before it is, so that what must still be written has room.
import { statfsSync } from "node:fs";

/** What is kept free, and of a small disk the share of it. */
const KEPT_FREE_BYTES = 16 * 1024 ** 2;
const KEPT_FREE_SHARE = 1 / 32;

/** Is there room on the disk of this file or folder for anything new? */
export function hasRoom(path: string): boolean {
  const { bavail, blocks, bsize } = statfsSync(path);
  return bavail * bsize >= Math.min(KEPT_FREE_BYTES, KEPT_FREE_SHARE * blocks * bsize);
}
