// Puts a backup into an empty data directory: whole, or as far as the log had come by a time.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { encodeTime } from "ulid";
import { type Before, loadTables } from "../../analytics-sql/backup/tables.ts";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import { ALL_DAYS } from "../../analytics-sql/rebuild/shadow.ts";
import { MAX_AHEAD_US } from "../../ingest/event.ts";
import { hasRoomFor } from "../../ingest/store/room.ts";
import { cutStore } from "../../ingest/store/sqlite-copy.ts";
import type { Config } from "../config.ts";
import { closeDataDir, DATA_LOCK, RESTORING, takeDataDir } from "../data-dir.ts";
import { refuseGlobs } from "../lake-config.ts";
import { ANALYTICS } from "../modules/backup/model.ts";
import { daysOf } from "../modules/rebuild/service.ts";
import { FOR_EVER_DAYS } from "../move/source.ts";
import { keepVersion } from "../schema-version.ts";
import { sync, syncAll } from "./durable.ts";
import { checkFiles, FILES, type Manifest, readManifest, STORE } from "./manifest.ts";

const MAX_AHEAD_MS = MAX_AHEAD_US / 1_000;
/** What a file system of its own has in it. */
const NOTHING = [DATA_LOCK, "lost+found"];

export type Restore = { from: string; until_ms: number | undefined };

/** @throws Error with what is in the way; the data directory is as it was then */
export async function putBack(
  { data_dir, lake }: Pick<Config, "data_dir" | "lake">,
  { from, until_ms }: Restore,
  told: (line: string) => void,
): Promise<void> {
  refuseGlobs(`--from ${from}`, from);
  const manifest = readManifest(from);
  const whole_from_ms = until_ms === undefined ? 0 : wholeFrom_ms(manifest, until_ms);
  if (until_ms !== undefined && lake)
    throw new Error(
      "MTC_LAKE_URL: what the lake got after that time cannot be taken out of it: restore without it, and give the installation a new lake",
    );
  refuseFull(data_dir);
  told(`checking ${manifest.files.length} files of ${manifest.taken}`);
  await checkFiles(from, manifest, ANALYTICS);
  closeDataDir(data_dir);
  const lock = takeDataDir(data_dir);
  try {
    refuseFull(data_dir);
    empty(data_dir);
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    if (!hasRoomFor(data_dir, bytes))
      throw new Error(`MTC_DATA_DIR=${data_dir}: too little room for ${bytes} bytes`);
    writeFileSync(`${data_dir}/${RESTORING}`, `${from}\n`, { flush: true });
    sync(data_dir);
    await fill(data_dir, { from, until_ms }, manifest, whole_from_ms, told);
    syncAll(data_dir);
    rmSync(`${data_dir}/${RESTORING}`);
    sync(data_dir);
  } catch (error) {
    if (existsSync(`${data_dir}/${RESTORING}`)) empty(data_dir);
    throw error;
  } finally {
    lock.free();
  }
}

/** @throws Error where something is in it, but for what a restore left that was cut off */
function refuseFull(data_dir: string): void {
  if (!existsSync(data_dir)) return;
  const names = readdirSync(data_dir).filter((name) => !NOTHING.includes(name));
  if (names.length === 0 || names.includes(RESTORING)) return;
  throw new Error(
    `MTC_DATA_DIR=${data_dir}: is not empty (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}); a restore takes an empty one`,
  );
}

/** Takes away what a restore made; its mark last. */
function empty(data_dir: string): void {
  const names = readdirSync(data_dir).filter((name) => !NOTHING.includes(name) && name !== RESTORING);
  for (const name of [...names, RESTORING]) rmSync(`${data_dir}/${name}`, { recursive: true, force: true });
}

/**
 * From when on the log holds all that was ever said, ms since 1970; 0: for all time.
 * @throws Error for a time up to which it cannot tell what there was
 */
function wholeFrom_ms({ log: { purged_before_ms }, taken }: Manifest, until_ms: number): number {
  if (until_ms > Date.parse(taken))
    throw new Error(`--until ${iso(until_ms)}: the backup ends at ${taken}; leave --until out for all of it`);
  const { from } = daysOf({}, { last: 0, delivered: 0, purged_before_ms });
  const whole_from_ms = from === ALL_DAYS.from ? 0 : Date.parse(from);
  if (until_ms < whole_from_ms)
    throw new Error(
      `--until ${iso(until_ms)}: the log holds all that came from ${from} on, and of days before some was purged (MTC_RAW_RETENTION_DAYS): take an older backup`,
    );
  return whole_from_ms;
}

async function fill(
  data_dir: string,
  { from, until_ms }: Restore,
  { files, tables, log }: Manifest,
  whole_from_ms: number,
  told: (line: string) => void,
): Promise<void> {
  for (const { path } of files) {
    const [folder, name] = path.split("/");
    if (folder === FILES && name !== undefined) copyOwn(`${from}/${path}`, `${data_dir}/${name}`);
  }
  // Under another name until it is what it shall be: whoever opens it finds no half of it.
  const store = `${data_dir}/${STORE}`;
  copyOwn(`${from}/${STORE}`, `${store}.new`);
  if (until_ms !== undefined) {
    const events = cutStore(`${store}.new`, { until_ms, whole_from_ms });
    told(`log: ${events} events after ${iso(until_ms)} are left out`);
  }
  const before: Before | undefined =
    until_ms === undefined
      ? undefined
      : {
          day: iso(whole_from_ms).slice(0, 10),
          asset_event_id: encodeTime(log.purged_before_ms + MAX_AHEAD_MS, 10),
        };
  // Where all of it comes from the log, the start makes it.
  if (until_ms === undefined || whole_from_ms > 0) {
    told(`analytics: ${tables.length} files`);
    await loadAnalytics(`${data_dir}/chdb`, `${from}/${ANALYTICS}`, tables, before);
  }
  if (before && whole_from_ms > 0)
    told(
      `days before ${before.day} are as they were when the backup was made: the log does not hold them whole any more`,
    );
  renameSync(`${store}.new`, store);
  keepVersion(data_dir, told);
}

/** For the program's user alone, whoever may read the backup. */
function copyOwn(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
}

async function loadAnalytics(
  path: string,
  folder: string,
  tables: Manifest["tables"],
  before: Before | undefined,
): Promise<void> {
  mkdirSync(path, { mode: 0o700 });
  const engine = await openEmbedded({ path, rawRetentionDays: FOR_EVER_DAYS });
  try {
    await loadTables(engine, folder, tables, before);
  } finally {
    await engine.close();
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
