// Writes analytics into a backup's folder while the server goes on: its engine is nobody else's to ask.
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { isAbsolute } from "node:path";
import { saveTables } from "../../../analytics-sql/backup/tables.ts";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import { badInput } from "../../../ingest/problem.ts";
import { hasRoomForCopy } from "../../../ingest/store/room.ts";
import type { Store } from "../../../ingest/store/store.ts";
import { causeOf } from "../../../ingest/trouble.ts";
import { hasGlobs } from "../../lake-config.ts";
import { Problem } from "../../plugins/errors.ts";
import { ANALYTICS, type BackupInput, MAX_TOKEN_LENGTH, REQUEST, type SavingTables } from "./model.ts";

type Deps = {
  engine: Engine;
  store: Pick<Store, "logState">;
  data_dir: string;
  log: (message: string) => void;
};
type Job = SavingTables & { began_ms: number };

/** One at a time; the last one is remembered until the program ends. */
export class Backups {
  readonly #deps: Deps;
  #job: Job | undefined;
  #done: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  last(): SavingTables | undefined {
    if (!this.#job) return undefined;
    const { began_ms, ...job } = this.#job;
    return job.phase === "saving" ? { ...job, seconds: (Date.now() - began_ms) / 1_000 } : job;
  }

  /**
   * Starts one.
   * @throws BadInput for a folder that whoever asks has not made for it
   * @throws Problem 409 while one is under way, where analytics is a server's, or the installation is another one
   */
  start({ data_dir, to, token }: BackupInput): SavingTables {
    const { engine, log } = this.#deps;
    if (!engine.process) throw new Problem("not_embedded", {});
    if (real(data_dir) !== real(this.#deps.data_dir)) throw new Problem("other_data_dir", {});
    if (this.#job?.phase === "saving") throw new Problem("backup_under_way", {});
    if (this.#stopping) throw new Problem("server_stops", {});
    if (!isAbsolute(to) || hasGlobs(to)) throw badInput("/to", "folder_not_absolute");
    if (tokenIn(to) !== token) throw badInput("/to", "folder_not_made");
    const began_ms = Date.now();
    const job: Job = { began_ms, to, phase: "saving", delivered: 0, saved: [], seconds: 0, error: "" };
    this.#job = job;
    log(`backup: to ${to}`);
    this.#done = this.#run(job, to, token);
    return this.last() as SavingTables;
  }

  /** Resolves when none is under way any more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(job: Job, to: string, token: string): Promise<void> {
    const { engine, store, data_dir, log } = this.#deps;
    const restarts = engine.process?.().restarts;
    // One that was started again may have been mended: what it has is on its way once more.
    const refuseMended = (): void => {
      if (engine.process?.().restarts !== restarts)
        throw new Error("analytics was started again meanwhile: back up again");
    };
    try {
      job.delivered = (await store.logState()).delivered;
      const folder = `${to}/${ANALYTICS}`;
      mkdirSync(folder);
      job.saved = await saveTables(engine, {
        folder,
        by: "engine",
        hasRoomFor: (bytes) => hasRoomForCopy(data_dir, folder, bytes),
        goOn: () => {
          if (this.#stopping) throw new Error("the server stops");
          if (tokenIn(to) !== token) throw new Error("whoever asked for it has given it up");
          refuseMended();
        },
      });
      refuseMended();
      job.phase = "done";
    } catch (error) {
      job.phase = "failed";
      job.error = causeOf(error);
    }
    job.seconds = (Date.now() - job.began_ms) / 1_000;
    log(`backup: analytics ${job.phase} after ${job.seconds} s, ${job.saved.length} files; ${job.error}`);
  }
}

/** Of a folder that this user has made, and nobody else can reach; no link leads to it, or out of it. */
function tokenIn(folder: string): string | undefined {
  const file = `${folder}/${REQUEST}`;
  try {
    const [made, request] = [lstatSync(folder), lstatSync(file)];
    const is_ours = made.isDirectory() && made.uid === process.getuid?.() && (made.mode & 0o077) === 0;
    if (!is_ours || !request.isFile() || request.size > MAX_TOKEN_LENGTH) return undefined;
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

const real = (path: string): string => (existsSync(path) ? realpathSync(path) : path);
