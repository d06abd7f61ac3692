// An installation that stands still, to be moved or backed up: its log, and a copy of its analytics.
import { existsSync, rmSync } from "node:fs";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { startRelay } from "../../ingest/outbox/relay.ts";
import { joinLines } from "../../ingest/store/lines.ts";
import { SqliteReader } from "../../ingest/store/sqlite-reader.ts";
import { openBus } from "../bus.ts";
import { DATA_LOCK, refuseHalfRestored } from "../data-dir.ts";
import { lockChdb, lockFile } from "../file-lock.ts";
import { refuseNewerDir } from "../schema-version.ts";
import { snapshot } from "./snapshot.ts";

/** In a copy nothing leaves by age. */
export const FOR_EVER_DAYS = 36_500;
const POLL_MS = 50;
/** In the data directory, while it is opened. */
const COPY = "move-scratch";

export type Stopped = {
  log: SqliteReader;
  /** Over a copy of its files. */
  engine: Engine;
  close(): Promise<void>;
};

export type Source = Stopped & {
  /** Events that the engine refused when they were delivered to the copy: they go on waiting. */
  refused: ReadonlySet<string>;
};

/**
 * Opens the installation that is moved. What it had not delivered is delivered to the copy of its analytics.
 * @throws Error as {@link openStopped}
 */
export async function openSource(data_dir: string, told: (line: string) => void): Promise<Source> {
  const stopped = await openStopped(data_dir);
  try {
    const refused = await deliverRest(stopped.log, stopped.engine, told);
    return { ...stopped, refused };
  } catch (error) {
    await stopped.close();
    throw error;
  }
}

/**
 * Opens it, so that no server starts on it meanwhile; nothing of it is changed.
 * @throws Error where a server runs on it, where there is none, or where its analytics is not whole
 */
export async function openStopped(data_dir: string): Promise<Stopped> {
  const [file, chdb, path] = [`${data_dir}/mtc.sqlite`, `${data_dir}/chdb`, `${data_dir}/${COPY}`];
  if (!existsSync(file))
    throw new Error(`MTC_DATA_DIR=${data_dir}: there is no installation (no mtc.sqlite)`);
  if (!existsSync(chdb)) {
    throw new Error(
      `${data_dir} has no analytics (no chdb): start the server on it once, which makes it from the log`,
    );
  }
  refuseHalfRestored(data_dir);
  refuseNewerDir(data_dir);
  // The first says so at once to a server that is started meanwhile; one of an earlier release knows the second alone.
  const [server, lock] = [lockFile(`${data_dir}/${DATA_LOCK}`), lockChdb(chdb)];
  if (!server || !lock) throw new Error(`a server runs on ${data_dir}: stop it first`);
  let [log, engine]: [SqliteReader | undefined, Engine | undefined] = [undefined, undefined];
  const leave = (): void => {
    rmSync(path, { recursive: true, force: true });
    lock.free();
    server.free();
  };
  // Stopped by hand, it leaves nothing behind either.
  process.once("exit", leave);
  const close = async (): Promise<void> => {
    process.off("exit", leave);
    await engine?.close();
    log?.close();
    leave();
  };
  try {
    // One that was killed left it behind.
    rmSync(path, { recursive: true, force: true });
    log = new SqliteReader(file);
    snapshot(chdb, path);
    engine = await openEmbedded({ path, rawRetentionDays: FOR_EVER_DAYS, again: refuseDamaged });
    return { log, engine, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a start makes again of the log would be missing in the copy. */
async function refuseDamaged(): Promise<never> {
  throw new Error("analytics is damaged, or not whole: start the server on it once, which mends it");
}

/**
 * As every start does: what was not delivered, and what a power cut may have taken, is given to the engine, here to the
 * copy. So the figures that are compared are those of all that was acknowledged.
 * @returns the ids of what it refused
 */
async function deliverRest(
  log: SqliteReader,
  engine: Engine,
  told: (line: string) => void,
): Promise<Set<string>> {
  const { last } = log.size();
  let at = log.settled();
  const refused = new Set<string>();
  const bus = await openBus(engine, undefined);
  const ids = new Map<number, string>();
  const relay = startRelay(
    {
      async readOutbox(max_events, max_bytes) {
        const events = log.read(at, max_events, max_bytes);
        const given = events.filter(({ aside }) => !aside);
        // Where all of them were set aside, there is nothing to be told as delivered.
        if (given.length === 0) at = events.at(-1)?.position ?? last;
        ids.clear();
        for (const { position, id } of given) ids.set(position, id);
        return joinLines(given);
      },
      async delivered(position) {
        at = position;
      },
      async setAside(position) {
        refused.add(ids.get(position) ?? "");
      },
    },
    bus,
    told,
  );
  while (at < last) await Bun.sleep(POLL_MS);
  await relay.stop();
  await bus.close();
  return refused;
}
