// Takes a backup, of either profile: analytics first, then the log, so that nothing is in the one that the other does not know.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { type SavedPartition, saveTables } from "../../analytics-sql/backup/tables.ts";
import { SCHEMA_VERSION } from "../../analytics-sql/schema/schema.ts";
import { compare, textOf, type Version } from "../../analytics-sql/schema/version.ts";
import { hasRoomForCopy } from "../../ingest/store/room.ts";
import { copyStore, standingOf } from "../../ingest/store/sqlite-copy.ts";
import { SqliteReader } from "../../ingest/store/sqlite-reader.ts";
import { version } from "../../package.json" with { type: "json" };
import type { Config } from "../config.ts";
import { DATA_LOCK, RESTORING, refuseHalfRestored } from "../data-dir.ts";
import { lockFile } from "../file-lock.ts";
import { refuseGlobs } from "../lake-config.ts";
import { ANALYTICS, REQUEST, type SavingTables } from "../modules/backup/model.ts";
import { openStopped } from "../move/source.ts";
import { type Call, runningServer } from "../running-server.ts";
import { refuseNewerDir } from "../schema-version.ts";
import { openCluster } from "./cluster.ts";
import { sync, syncAll } from "./durable.ts";
import { FILES, MANIFEST, manifestOf, STORE } from "./manifest.ts";

const POLL_MS = 200;
/** As long as it is made, it has this behind its name. */
const PARTIAL = ".partial";
/** What of the data directory's own files is no part of a backup: the log is copied otherwise. */
const LEFT_OUT = new RegExp(`^(${DATA_LOCK}|${RESTORING}|mtc\\.sqlite(-\\w+)?|.*\\.new)$`);

/** What is copied from: tables first, then the log. */
export type From = {
  /** Of the tables. */
  schema: Version;
  /** Of what the log takes, at the most, so much is known before. */
  log_bytes(): number;
  /** Is there room for so much more? */
  hasRoomFor(folder: string, bytes: number): boolean;
  /** Up to where analytics surely has the log, as it was before any table was copied. */
  delivered: number;
  save(partial: string, token: string): Promise<SavedPartition[]>;
  /** Into a file, with all that came meanwhile waiting in it. */
  copyLog(file: string): Promise<void>;
  /** What else lies in the data directory; undefined: there is none that counts. */
  data_dir: string | undefined;
  close(): Promise<void>;
};

/**
 * @param to a folder that is not there yet
 * @throws Error with what is in the way; nothing is left then
 */
export async function takeBackup(config: Config, to: string, told: (line: string) => void): Promise<void> {
  const is_cluster = config.profile === "cluster";
  const found = is_cluster ? undefined : refuseNoBackup(config);
  const token = crypto.randomUUID();
  const partial = begin(to, token);
  const leave = (): void => rmSync(partial, { recursive: true, force: true });
  // Stopped by hand, it leaves nothing behind either.
  process.once("exit", leave);
  try {
    const from = await (is_cluster ? openCluster(config, told) : openEmbedded(config, found));
    try {
      await fill(partial, token, from, told);
    } finally {
      await from.close();
    }
    renameSync(partial, to);
    sync(dirname(to));
  } catch (error) {
    leave();
    throw error;
  } finally {
    process.off("exit", leave);
  }
}

/** @returns the schema of the data directory, where that is noted @throws Error where it cannot be backed up by this program */
function refuseNoBackup({ data_dir }: Config): Version | undefined {
  refuseHalfRestored(data_dir);
  if (!existsSync(`${data_dir}/${STORE}`))
    throw new Error(`MTC_DATA_DIR=${data_dir}: there is no installation (no ${STORE})`);
  const found = refuseNewerDir(data_dir);
  if (found && compare(found, SCHEMA_VERSION) > 0)
    throw new Error(
      `MTC_DATA_DIR=${data_dir} has the schema ${textOf(found)}, of a newer release: back it up by that one`,
    );
  return found;
}

/** @returns the folder that it is made in */
function begin(to: string, token: string): string {
  const partial = to + PARTIAL;
  refuseGlobs(`--to ${to}`, to);
  if (existsSync(to)) throw new Error(`--to ${to}: is there already; a backup makes its folder itself`);
  if (!existsSync(dirname(to))) throw new Error(`--to ${to}: ${dirname(to)} is not there`);
  if (existsSync(partial)) {
    const is_ours = existsSync(`${partial}/${REQUEST}`) || existsSync(`${partial}/${MANIFEST}`);
    if (!is_ours) throw new Error(`${partial} is there, and no backup that was cut off: take it away`);
    rmSync(partial, { recursive: true });
  }
  process.umask(0o077);
  mkdirSync(partial);
  writeFileSync(`${partial}/${REQUEST}`, token);
  return partial;
}

/** @param found the schema of the data directory, where that is noted */
async function openEmbedded(config: Config, found = SCHEMA_VERSION): Promise<From> {
  const { data_dir, host, port } = config;
  // Where nobody has the directory, whoever listens there is no server of it, and gets no key.
  const free = lockFile(`${data_dir}/${DATA_LOCK}`);
  free?.free();
  const call = free ? undefined : await runningServer(config);
  if (call) {
    const log = new SqliteReader(`${data_dir}/${STORE}`);
    // Its start has delivered again what a power cut may have taken before.
    const delivered = log.delivered();
    return {
      ...fromLog(data_dir, log, delivered),
      schema: found,
      save: (to, token) => savedBy(call, { data_dir, to, token }, delivered),
      close: async () => log.close(),
    };
  }
  const { log, engine, close } = await openStopped(data_dir).catch((error: Error) => {
    if (free) throw error;
    throw new Error(`no server answers at ${host}:${port} (MTC_HOST, MTC_PORT), and ${error.message}`);
  });
  return {
    ...fromLog(data_dir, log, log.settled()),
    // Opening its copy has brought it up to date.
    schema: SCHEMA_VERSION,
    close,
    save(partial) {
      const folder = `${partial}/${ANALYTICS}`;
      mkdirSync(folder);
      return saveTables(engine, {
        folder,
        by: "engine",
        hasRoomFor: (bytes) => hasRoomForCopy(data_dir, folder, bytes),
        goOn() {},
      });
    },
  };
}

function fromLog(data_dir: string, log: SqliteReader, delivered: number) {
  const standing = standingOf(log, delivered);
  return {
    data_dir,
    delivered,
    log_bytes: () => log.bytes(),
    hasRoomFor: (folder: string, bytes: number) => hasRoomForCopy(data_dir, folder, bytes),
    copyLog: async (file: string) => copyStore(log, file, standing),
  };
}

/**
 * The server's engine is nobody else's to ask.
 * @param delivered up to where analytics had the log before
 */
async function savedBy(
  call: Call,
  ask: { data_dir: string; to: string; token: string },
  delivered: number,
): Promise<SavedPartition[]> {
  let job = await call<SavingTables>("POST", "/api/v1/backup", ask);
  while (job.phase === "saving") {
    await Bun.sleep(POLL_MS);
    job = await call<SavingTables>("GET", "/api/v1/backup");
    if (job.to !== ask.to) throw new Error(`the server writes another backup (${job.to}): back up again`);
  }
  if (job.phase === "failed") throw new Error(`analytics was not backed up: ${job.error}`);
  if (job.delivered < delivered) throw new Error("analytics is made anew of the log: back up again later");
  return job.saved;
}

async function fill(partial: string, token: string, from: From, told: (line: string) => void): Promise<void> {
  const { data_dir, delivered } = from;
  const refuseShort = (): void => {
    const bytes = from.log_bytes();
    if (from.hasRoomFor(partial, bytes)) return;
    throw new Error(`${partial}: too little room: the log alone takes ${bytes} bytes`);
  };
  refuseShort();
  const tables = await from.save(partial, token);
  if (tables.length === 0 && delivered > 0)
    throw new Error(`analytics has no table, and took the log up to ${delivered}: back up again`);
  told(`analytics: ${tables.length} files`);
  // What was written meanwhile has come on top.
  refuseShort();
  const taken = new Date().toISOString();
  await from.copyLog(`${partial}/${STORE}`);
  told(`log: ${statSync(`${partial}/${STORE}`).size} bytes`);
  const files = data_dir === undefined ? [] : copyFiles(data_dir, `${partial}/${FILES}`);
  if (data_dir !== undefined && existsSync(`${data_dir}/chdb.damaged`))
    told(`left out: ${data_dir}/chdb.damaged, which analytics has no part of any more`);
  rmSync(`${partial}/${REQUEST}`);
  const copied = new SqliteReader(`${partial}/${STORE}`);
  const purged_before_ms = copied.purgedBefore_ms();
  copied.close();
  const paths = [STORE, ...files, ...tables.map(({ path }) => `${ANALYTICS}/${path}`)];
  const manifest = await manifestOf(partial, paths, {
    version,
    schema_version: textOf(from.schema),
    taken,
    log: { delivered, purged_before_ms },
    tables,
  });
  syncAll(partial);
  writeFileSync(`${partial}/${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  sync(partial);
}

/** Keys, versions, and what else lies in the data directory itself. @returns their paths in the backup */
function copyFiles(data_dir: string, to: string): string[] {
  mkdirSync(to);
  const names = readdirSync(data_dir, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !LEFT_OUT.test(entry.name))
    .map(({ name }) => name);
  for (const name of names) copyFileSync(`${data_dir}/${name}`, `${to}/${name}`);
  return names.map((name) => `${FILES}/${name}`);
}
