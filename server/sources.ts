// What reads the machines' sources: collectors that several processes share, each with its part, and those of one that died.
import { type Repeating, repeat } from "../analytics-sql/repeat.ts";
import { type Collectors, type Sourced, startCollectors } from "../ingest/collectors.ts";
import type { LiveHub } from "../ingest/live/hub.ts";
import type { Pipeline } from "../ingest/pipeline.ts";
import type { MachineSource } from "../ingest/sources/model.ts";
import type { Share, Store } from "../ingest/store/store.ts";
import type { Machines } from "./modules/machines/service.ts";

/** How often a process says that it lives, and looks what has become its own. */
const LOOK_MS = 1_000;
/** Several machines that change at once are one change for the collectors. */
const SETTLE_MS = 50;

type Log = (message: string) => void;

export type Sources = {
  collectors: Collectors;
  /** Starts the collectors, and brings them to what the machines are now; before that nothing is read from any source. */
  collect(): Promise<void>;
  stop(): Promise<void>;
};

type Deps = {
  store: Pick<Store, "share">;
  pipeline: Pipeline;
  machines: Machines;
  hub: LiveHub;
  /** Whether this process reads any. */
  collects: boolean;
  log: Log;
};

export function startSources({ store, pipeline, machines, hub, collects, log }: Deps): Sources {
  const stopping = new AbortController();
  const share = store.share("collect");
  const sink = pipeline.sink((id) => machines.byId(id), stopping.signal, share.standing);
  const collectors = startCollectors(sink, hub);
  const sourced = () => machines.all().map(({ id, source }) => ({ id, source: source as MachineSource }));
  const shared = shareCollectors(collectors, share, sourced, log);
  const collect = async (): Promise<void> => {
    if (collects) await shared.look();
  };
  let settling: Timer | undefined;
  machines.onChange(() => {
    clearTimeout(settling);
    settling = setTimeout(
      () => void collect().catch((error: Error) => log(`collectors: ${error.message}`)),
      SETTLE_MS,
    );
  });
  return {
    collectors,
    collect,
    async stop() {
      clearTimeout(settling);
      stopping.abort();
      await shared.stop();
    },
  };
}

/**
 * `look` brings the collectors to what the machines are now; its first call begins to take a part. `stop` leaves everything to
 * the others.
 * @param machines all there are, whoever reads them
 */
function shareCollectors(collectors: Collectors, share: Share, machines: () => Sourced[], log: Log) {
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
    async look(): Promise<void> {
      if (!looking) {
        await balance();
        looking = repeat(async () => {
          if (await balance()) await apply().catch((error: Error) => log(`collectors: ${error.message}`));
          return LOOK_MS;
        });
      }
      await apply();
    },
    async stop(): Promise<void> {
      await looking?.stop();
      await collectors.stop();
      await share.release().catch((error: Error) => log(`collectors: ${error.message}`));
    },
  };
}
