// Collectors that several processes share: each reads the sources that are its part, and takes over those of one that died.
import { type Repeating, repeat } from "../analytics-sql/repeat.ts";
import type { Collectors, Sourced } from "../ingest/collectors.ts";
import type { Share } from "../ingest/store/store.ts";

/** How often a process says that it lives, and looks what has become its own. */
const LOOK_MS = 1_000;

export type SharedCollectors = {
  /** Brings the collectors to what the machines are now; the first call begins to take a part. */
  look(): Promise<void>;
  /** Leaves everything to the others. */
  stop(): Promise<void>;
};

/** @param machines all there are, whoever reads them */
export function shareCollectors(
  collectors: Collectors,
  share: Share,
  machines: () => Sourced[],
  log: (message: string) => void,
): SharedCollectors {
  let looking: Repeating | undefined;
  const apply = (): Promise<void> => collectors.update(machines(), share.has);
  const balance = async (): Promise<boolean> => {
    try {
      return await share.balance(apply);
    } catch (error) {
      log(`collectors: ${(error as Error).message}`);
      return false;
    }
  };
  return {
    async look() {
      if (!looking) {
        await balance();
        looking = repeat(async () => {
          if (await balance()) await apply().catch((error: Error) => log(`collectors: ${error.message}`));
          return LOOK_MS;
        });
      }
      await apply();
    },
    async stop() {
      await looking?.stop();
      await collectors.stop();
      await share.release().catch((error: Error) => log(`collectors: ${error.message}`));
    },
  };
}
