// When a disk counts as full: a little before it is, so that what must still be written has room.
import { type StatsFs, statfsSync, statSync } from "node:fs";

/** What is kept free, and of a small disk the share of it. */
const KEPT_FREE_BYTES = 16 * 1024 ** 2;
const KEPT_FREE_SHARE = 1 / 32;

/** A disk as the system tells of it. */
export type Disk = Pick<StatsFs, "bavail" | "blocks" | "bsize">;

export const isFull = ({ bavail, blocks, bsize }: Disk): boolean =>
  bavail * bsize < Math.min(KEPT_FREE_BYTES, KEPT_FREE_SHARE * blocks * bsize);

/** Below this the disk runs short: what is kept longer than it must be makes room. */
const SHORT_BYTES = 1024 ** 3;
const SHORT_SHARE = 1 / 8;

export const isShort = ({ bavail, blocks, bsize }: Disk): boolean =>
  bavail * bsize < Math.min(SHORT_BYTES, SHORT_SHARE * blocks * bsize);

/** Below this, what the log's own file has free is no comfort: all else needs the disk, and a commit is refused on a full one. */
const LOW_BYTES = 256 * 1024 ** 2;
const LOW_SHARE = 1 / 16;

/** Who has too little room: nobody, the log with all else, or all else alone. */
export type Lack = "none" | "log" | "disk";

/** @param log_free_bytes what the log's file takes in before it grows */
export function lackOf(disk: Disk, log_free_bytes: number): Lack {
  const { bavail, blocks, bsize } = disk;
  if (isShort({ ...disk, bavail: bavail + Math.floor(log_free_bytes / bsize) })) return "log";
  return bavail * bsize < Math.min(LOW_BYTES, LOW_SHARE * blocks * bsize) ? "disk" : "none";
}

/** Is there room on the disk of this file or folder for anything new? */
export const hasRoom = (path: string): boolean => hasRoomFor(path, 0);

/** Would there be room yet, with so much more on it? */
export const hasRoomFor = (path: string, bytes: number): boolean => !isFull(diskWith(path, bytes));

/** The same of a copy, for whose sake the disk of what is copied never runs short. */
export function hasRoomForCopy(of: string, to: string, bytes: number): boolean {
  const disk = diskWith(to, bytes);
  return statSync(of).dev === statSync(to).dev ? !isShort(disk) : !isFull(disk);
}

function diskWith(path: string, bytes: number): Disk {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { bavail: bavail - Math.ceil(bytes / bsize), blocks, bsize };
}
