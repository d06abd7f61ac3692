// The embedded engine: chDB in a process of its own, spoken to as a ClickHouse server is.
import { type ClickHouseOptions, connect, migrate } from "./clickhouse.ts";
import type { Engine } from "./engine.ts";
import { EngineProcess } from "./process.ts";

export type EmbeddedOptions = Omit<ClickHouseOptions, "url" | "cluster" | "kafka"> & {
  /** The data directory; one for each process. */
  path: string;
  log?: (message: string) => void;
};

/** Nothing is resolved by it: the socket says where the engine is. */
const URL = "http://localhost";

/**
 * Starts the engine and brings its schema up to date; it is started again whenever it ends.
 * @throws EngineError where the directory cannot be opened
 */
export async function openEmbedded({ path, log = () => {}, ...options }: EmbeddedOptions): Promise<Engine> {
  const own = await EngineProcess.start({
    path,
    prepare: (socket) => migrate({ ...options, url: URL }, socket),
    log,
  });
  const engine = connect({ ...options, url: URL }, own);
  return {
    ...engine,
    process: () => own.status(),
    async close() {
      await engine.close();
      await own.close();
    },
  };
}
