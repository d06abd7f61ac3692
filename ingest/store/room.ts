// When a disk counts as full: a little before it is, so that what must still be written has room.
import { type StatsFs, statfsSync } from "node:fs";

/** What is kept free, and of a small disk the share of it. */
const KEPT_FREE_BYTES = 16 * 1024 ** 2;
const KEPT_FREE_SHARE = 1 / 32;

/** @param disk as the system tells of it */
export const isFull = ({ bavail, blocks, bsize }: Pick<StatsFs, "bavail" | "blocks" | "bsize">): boolean =>
  bavail * bsize < Math.min(KEPT_FREE_BYTES, KEPT_FREE_SHARE * blocks * bsize);

/** Below this the disk runs short: what is kept longer than it must be makes room. */
const SHORT_BYTES = 1024 ** 3;
const SHORT_SHARE = 1 / 8;

/** @param disk as the system tells of it */
export const isShort = ({ bavail, blocks, bsize }: Pick<StatsFs, "bavail" | "blocks" | "bsize">): boolean =>
  bavail * bsize < Math.min(SHORT_BYTES, SHORT_SHARE * blocks * bsize);

/** Is there room on the disk of this file or folder for anything new? */
export const hasRoom = (path: string): boolean => hasRoomFor(path, 0);

/** Would there be room yet, with so much more on it? */
export function hasRoomFor(path: string, bytes: number): boolean {
  const { bavail, blocks, bsize } = statfsSync(path);
  return !isFull({ bavail: bavail - Math.ceil(bytes / bsize), blocks, bsize });
}
