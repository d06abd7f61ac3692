// The embedded engine: chDB in a process of its own, spoken to as a ClickHouse server is.
import { rmSync } from "node:fs";
import { type ClickHouseOptions, connect, prepare } from "./clickhouse.ts";
import { damageIn, mend, setAside, setAsideTables, setAsideWhole } from "./damage.ts";
import { type Engine, NoRoom } from "./engine.ts";
import { EngineProcess } from "./process.ts";
import { purgeOften } from "./purge.ts";

export type EmbeddedOptions = Omit<ClickHouseOptions, "url" | "cluster" | "kafka"> & {
  /** The data directory; one for each process. */
  path: string;
  /** Of what the engine holds something is missing: from here on all of the log is to be delivered again. */
  again?: () => Promise<void>;
};

/** Nothing is resolved by it: the socket says where the engine is. */
const URL = "http://localhost";

const NOTHING = { mend: async () => false, hasRoom: () => true };

/**
 * Starts the engine and brings its schema up to date; it is started again whenever it ends. On a full disk it may come up
 * later, when there is room.
 * @throws EngineError where the directory cannot be opened
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Engine> {
  const { path, log = () => {}, hasRoom = () => true, again = async () => {} } = options;
  const here: ClickHouseOptions = { ...options, url: URL };
  const own = await EngineProcess.start({
    path,
    prepare: (socket) => prepare(here, { shared: false, again, socket }),
    mend: (said) => mendWhat(said, here, { path, again, log }),
    hasRoom,
    log,
  });
  const engine = connect(here, own);
  const purging = purgeOften(own, () => engine.run("SYSTEM JEMALLOC PURGE", {}));
  return {
    ...engine,
    process: () => ({ ...own.status(), set_aside: setAside(path) }),
    async close() {
      // An engine that hangs would be waited for: it is ended below.
      void purging.stop();
      await engine.close();
      await own.close();
    },
  };
}

type Mending = Required<Pick<EmbeddedOptions, "path" | "again" | "log">>;

/**
 * What is damaged is set aside beside the directory. Definitions are written anew, and rows stay; a table whose rows cannot be
 * read is made anew of the log, and where nobody can tell what is damaged, all of it.
 */
async function mendWhat(
  said: string,
  options: ClickHouseOptions,
  { path, again, log }: Mending,
): Promise<boolean> {
  const { definitions, tables, whole } = damageIn(path, said);
  if (!whole && definitions.length === 0 && tables.length === 0) return false;
  if (options.hasRoom && !options.hasRoom()) throw new NoRoom("mending analytics");
  // First of all: whatever is cut off behind this, nothing is left out.
  await again();
  if (whole) {
    log(
      `engine: analytics is damaged, and made anew of the log; what was there is in ${setAsideWhole(path, Date.now())}`,
    );
    return true;
  }
  if (tables.length > 0) {
    const names = setAsideTables(path, tables, Date.now());
    log(`engine: damaged tables were set aside, and are made anew of the log: ${names.join(", ")}`);
  }
  if (definitions.length > 0) {
    const names = await mended(path, definitions, options, log);
    log(`engine: damaged definitions were set aside and made anew: ${names.join(", ")}`);
  }
  return true;
}

/** @returns the names of the definitions that were set aside */
async function mended(
  path: string,
  definitions: readonly string[],
  options: ClickHouseOptions,
  log: (message: string) => void,
): Promise<string[]> {
  const sound = `${path}.sound`;
  rmSync(sound, { recursive: true, force: true });
  try {
    await makeSound(sound, options, log);
    return mend(path, definitions, sound, Date.now());
  } finally {
    rmSync(sound, { recursive: true, force: true });
  }
}

/** An engine that has the schema, and nothing else. */
async function makeSound(
  path: string,
  options: ClickHouseOptions,
  log: (message: string) => void,
): Promise<void> {
  const again = async (): Promise<void> => {};
  const made = await EngineProcess.start({
    ...NOTHING,
    path,
    prepare: (socket) => prepare({ ...options, log: () => {} }, { shared: false, again, socket }),
    log,
  });
  await made.close();
}
