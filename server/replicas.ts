// What keeps a process in step with the others of its cluster: which jobs are its own, and what others changed.
import { type BackgroundLoop, backgroundLoop } from "../domain/lib/background-loop.ts";
import type { Share, Store } from "../ingest/store/store.ts";
import { Trouble } from "../ingest/trouble.ts";
import type { Keys } from "./keys.ts";
import type { Machines } from "./modules/machines/service.ts";

const EVERY_MS = 1_000;
/** A change whose process died before it could tell of it is read by then. */
const READ_ANYWAY_MS = 60_000;

type Log = (message: string) => void;

/** Takes a part of the jobs that one process does for all, until `stop` leaves them to others. */
export function shareJobs(jobs: Share, log: Log): BackgroundLoop {
  const trouble = new Trouble("jobs", log);
  const balancing = backgroundLoop(async () => {
    try {
      // Twice for a moment is harmless: each of them may be done again.
      await jobs.balance(async () => {});
      trouble.over();
    } catch (error) {
      trouble.failed(error);
    }
    return EVERY_MS;
  });
  return {
    async stop() {
      await balancing.stop();
      await jobs.release().catch((error: unknown) => trouble.failed(error));
    },
  };
}

/** Reads machines, keys and users again when another process changed any: within a second or two. */
export function followSettings(
  store: Pick<Store, "settingsVersion">,
  { machines, keys }: { machines: Pick<Machines, "refresh">; keys: Pick<Keys, "refresh"> },
  log: Log,
): BackgroundLoop {
  const trouble = new Trouble("settings", log);
  let seen = { version: -1, at_ms: 0 };
  return backgroundLoop(async () => {
    try {
      const version = await store.settingsVersion();
      if (version !== seen.version || performance.now() - seen.at_ms > READ_ANYWAY_MS) {
        await machines.refresh();
        await keys.refresh();
        seen = { version, at_ms: performance.now() };
      }
      trouble.over();
    } catch (error) {
      trouble.failed(error);
    }
    return EVERY_MS;
  });
}
