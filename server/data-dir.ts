// The data directory is for nobody else: what is in it, and what comes into it, only the program's own user may read, and
// one program has it at a time.
import {
  chmodSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeSync,
} from "node:fs";
import { ConfigError } from "./config.ts";
import { type FileLock, lockFile } from "./file-lock.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Of a folder like /tmp, in which others have theirs. */
const STICKY = 0o1000;
/** The file in it that whoever runs on it has locked, and what tells which process that is. */
export const DATA_LOCK = "lock";
/** The file in it that says: a restore is filling it. */
export const RESTORING = "restoring";

/**
 * Takes it for this process, until `free`: two programs on one log would each take the other's events for its own.
 * @throws ConfigError where another running program has it
 */
export function takeDataDir(data_dir: string): Pick<FileLock, "free"> {
  const file = `${data_dir}/${DATA_LOCK}`;
  const lock = lockFile(file);
  if (!lock) {
    const pid = readFileSync(file, "utf8").trim();
    const who = pid === "" ? "another running program" : `another running program, process ${pid},`;
    throw new ConfigError(
      `MTC_DATA_DIR=${data_dir}: ${who} has this data directory; stop it, or choose another directory`,
    );
  }
  try {
    ftruncateSync(lock.fd);
    writeSync(lock.fd, `${process.pid}\n`);
  } catch {
    // On a full disk nobody learns which process it is; the lock holds all the same.
  }
  return {
    free() {
      ftruncateSync(lock.fd);
      lock.free();
    },
  };
}

/** @throws ConfigError where a restore did not come to its end */
export function refuseHalfRestored(data_dir: string): void {
  if (!existsSync(`${data_dir}/${RESTORING}`)) return;
  throw new ConfigError(
    `MTC_DATA_DIR=${data_dir}: a restore was cut off here, and what it left is not whole; run it again`,
  );
}

/**
 * Makes it, or closes one that an earlier version left open. What is another user's, a link, or a folder for all like
 * /tmp is left as it is: its owner knows why. From here on the process makes nothing that others may read.
 * @returns what could not be closed, in words
 */
export function closeDataDir(data_dir: string): string[] {
  process.umask(0o077);
  mkdirSync(data_dir, { recursive: true, mode: FOLDER_MODE });
  const open: string[] = [];
  close(realpathSync(data_dir), open);
  // Deeper down nobody comes any more; an engine's directory has files by the ten thousand.
  for (const name of readdirSync(data_dir)) close(`${data_dir}/${name}`, open);
  return open;
}

function close(path: string, open: string[]): void {
  try {
    // What the engine has taken away meanwhile is none.
    if (!existsSync(path)) return;
    const { uid, mode } = lstatSync(path);
    const shall = lstatSync(path).isDirectory() ? FOLDER_MODE : FILE_MODE;
    const is_ours = uid === process.getuid?.() && (mode & STICKY) === 0 && !lstatSync(path).isSymbolicLink();
    if (is_ours && (mode & 0o777 & ~shall) !== 0) chmodSync(path, mode & 0o777 & shall);
    else if (!is_ours && (mode & 0o077) !== 0) open.push(path);
  } catch (error) {
    open.push(`${path}: ${(error as Error).message}`);
  }
}
