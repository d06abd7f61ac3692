// After a start the screens show what was known before it, until the sources say something new.
import type { Engine } from "../analytics-sql/engine/engine.ts";
import type { LiveHub } from "../ingest/live/hub.ts";
import type { Store } from "../ingest/store/store.ts";
import type { Reports } from "./modules/analytics/service.ts";
import type { Machines } from "./modules/machines/service.ts";

const DRAIN_POLL_MS = 500;

type Deps = {
  hub: LiveHub;
  engine: Pick<Engine, "process">;
  machines: Machines;
  reports: Reports;
  store: Store;
  running: () => boolean;
  log: (message: string) => void;
};

/** At once what analytics has, and all of it when what was acknowledged but not delivered has arrived there. */
export async function seedHub({ hub, machines, reports, store, engine, running, log }: Deps): Promise<void> {
  const before = machines.all();
  const seed = async (): Promise<void> => {
    for (const [tenant_id, own] of Map.groupBy(before, (machine) => machine.tenant_id)) {
      const ids = own.map(({ id }) => id);
      for (const [id, known] of await reports.latest(tenant_id, ids)) {
        if (machines.byId(id)) hub.seed(id, known);
      }
    }
  };
  try {
    await up({ engine, running });
    if ((await store.outboxDepth()).events > 0) {
      await seed();
      while (running() && (await store.outboxDepth()).events > 0) await Bun.sleep(DRAIN_POLL_MS);
    }
    if (running()) await seed();
  } catch (error) {
    log(`live values from before the start: ${(error as Error).message}`);
  }
}

/** On a full disk the engine comes up later. */
async function up({ engine, running }: Pick<Deps, "engine" | "running">): Promise<void> {
  while (running() && engine.process?.().up === false) await Bun.sleep(DRAIN_POLL_MS);
}
