// What is done once for all processes, by one that serves: rebuilds, the roll-up, the lake, the purge, dead letters carried on.
import { type Engine, EngineAway } from "../analytics-sql/engine/engine.ts";
import { keepLake, type LakeKeeper } from "../analytics-sql/lake/keeper.ts";
import type { Lake } from "../analytics-sql/lake/lake.ts";
import { LakeWriter } from "../analytics-sql/lake/writer.ts";
import { keepRolled } from "../analytics-sql/rollup/keeper.ts";
import type { Roller } from "../analytics-sql/rollup/roller.ts";
import { backgroundLoop } from "../domain/lib/background-loop.ts";
import type { LiveHub } from "../ingest/live/hub.ts";
import type { Bus } from "../ingest/outbox/bus.ts";
import type { Letters } from "../ingest/outbox/dead-letter-topic.ts";
import type { Relay } from "../ingest/outbox/relay.ts";
import type { Share, Store } from "../ingest/store/store.ts";
import { type Failing, Trouble } from "../ingest/trouble.ts";
import { version } from "../package.json" with { type: "json" };
import { openLetters } from "./bus.ts";
import type { Config } from "./config.ts";
import { KAFKA_CONSUMERS } from "./engine.ts";
import type { Reports } from "./modules/analytics/service.ts";
import type { Backups } from "./modules/backup/service.ts";
import { endOpenReasons } from "./modules/downtime/open-ends.ts";
import type { Annotations } from "./modules/downtime/service.ts";
import type { Machines } from "./modules/machines/service.ts";
import { type Door, topicDoor } from "./modules/rebuild/door.ts";
import { Rebuilds } from "./modules/rebuild/service.ts";
import { shareJobs } from "./replicas.ts";
import { PURGE_EVERY_MS, Retention } from "./retention.ts";
import { lackWhere, type Shortage, stepsOf, watchShortage } from "./shortage.ts";

/** Soon after a start for the first time: a program may be restarted more often than that. */
const FIRST_PURGE_MS = 300_000;
const CLEAR_UP_EVERY_MS = 2_000;
/** The lake is not written while analytics lies further behind than this. */
const LAKE_LAG_MS = 60_000;

export type Jobs = {
  /** Why the roll-up in the background fails, and since when. */
  rollup(): Failing | undefined;
  rebuilds: Rebuilds;
  letters: Letters;
  lake_keeper: LakeKeeper | undefined;
  /** Where the disk is ours. */
  shortage: Shortage | undefined;
  stop(): Promise<void>;
};

type Deps = {
  config: Config;
  store: Store;
  engine: Engine;
  lake: Lake | undefined;
  hub: LiveHub;
  bus: Bus;
  relay: Relay;
  machines: Machines;
  roller: Roller;
  reports: Reports;
  annotations: Annotations;
  backups: Pick<Backups, "last">;
  log: (message: string) => void;
};

/** A process that serves nothing has no analytics, and does none of them. */
export async function startJobs(deps: Deps): Promise<Jobs> {
  const { config, store, machines, log } = deps;
  const serves = config.roles.includes("api");
  const share = store.share("jobs");
  const alone = config.profile === "embedded";
  const rebuilds = new Rebuilds({ ...deps, door: doorOf(deps), now_ms: Date.now, share, alone });
  const dead = await openLetters(
    { ...deps, mine: () => share.has("dead letters") },
    serves ? config.kafka : undefined,
    (id) => machines.byId(id)?.tenant_id,
  );
  const ended = async (): Promise<void> => {
    await rebuilds.stop();
    await dead.close();
  };
  const troubles = { today: new Trouble("roll-up", log), past: new Trouble("roll-up of the past", log) };
  const rollup = () => troubles.today.failing ?? troubles.past.failing;
  if (!serves)
    return {
      rollup,
      rebuilds,
      letters: dead.letters,
      lake_keeper: undefined,
      shortage: undefined,
      stop: ended,
    };

  const keeper = keepRolled(
    deps.roller,
    () => (share.has("roll-up") ? idsByTenant(machines) : new Map()),
    troubles,
  );
  const openEnds = endOpenReasons(deps);
  const lake_writer = lakeWriterOf(deps);
  const retention = new Retention({ ...deps, raw_retention_days: config.raw_retention_days });
  const lake_keeper = lake_writer && lakeKeeperOf(lake_writer, deps, { share, retention });
  const retaining = (work: () => Promise<void>): Promise<void> =>
    work().catch((error: Error) => log(`retention: ${error.message}`));
  // A full disk is no reason not to start: it is noted with the first run.
  await retaining(() => retention.begin());
  const purge = (): void => {
    // A rebuild counts on what the log held when it began.
    if (share.has("purge")) void retaining(() => retention.run(() => rebuilds.underWay()));
  };
  const purging = [setTimeout(purge, FIRST_PURGE_MS), setInterval(purge, PURGE_EVERY_MS)];
  const shortage = alone ? shortageOf(deps, { lake_writer, lake_keeper, rebuilds, retention }) : undefined;
  const sharing = shareJobs(share, log);
  const clear = new Trouble("rebuild", log);
  const clearUp = (): Promise<void> =>
    rebuilds.clearUp().then(
      () => clear.over(),
      (error: unknown) => {
        // One that is not up yet is asked again.
        if (!(error instanceof EngineAway)) clear.failed(error);
      },
    );
  // Before anybody asks: where a swap was cut off, figures are made anew.
  await clearUp();
  const clearing = backgroundLoop(async () => {
    await clearUp();
    return CLEAR_UP_EVERY_MS;
  });
  return {
    rollup,
    rebuilds,
    letters: dead.letters,
    lake_keeper,
    shortage,
    async stop() {
      for (const timer of purging) clearTimeout(timer);
      if (share.has("purge")) await retaining(() => retention.end());
      await shortage?.stop();
      await clearing.stop();
      await ended();
      await openEnds.stop();
      await keeper.stop();
      await lake_keeper?.stop();
      await sharing.stop();
    },
  };
}

/** How a rebuild keeps the door to the live tables shut: no relay delivers, or no server reads the topic. */
function doorOf({ config: { kafka }, engine, relay, log }: Deps): Door {
  return kafka
    ? topicDoor(engine, { ...kafka, consumers: KAFKA_CONSUMERS }, log)
    : { pause: () => relay.pause(), check: () => {}, resume: async () => relay.resume() };
}

function idsByTenant(machines: Machines): Map<string, string[]> {
  const by_tenant = Map.groupBy(machines.all(), ({ tenant_id }) => tenant_id);
  return new Map([...by_tenant].map(([tenant, own]) => [tenant, own.map(({ id }) => id)]));
}

function lakeWriterOf({ config, lake, engine }: Deps): LakeWriter | undefined {
  return lake && new LakeWriter(lake, engine, { scratch: `${config.data_dir}/lake-scratch`, version });
}

function lakeKeeperOf(
  writer: LakeWriter,
  { store, log }: Deps,
  { share, retention }: { share: Share; retention: Retention },
): LakeKeeper {
  const due = async (): Promise<boolean> => {
    if (!share.has("lake")) return false;
    const { oldest_ms } = await store.outboxDepth();
    return oldest_ms === 0 || Date.now() - oldest_ms < LAKE_LAG_MS;
  };
  return keepLake(
    writer,
    { caughtUp: due, retention_ms: () => retention.time_ms() },
    new Trouble("lake", log),
  );
}

/** Purges sooner than retention says, while the disk runs short. */
function shortageOf(
  deps: Deps,
  {
    lake_writer,
    lake_keeper,
    rebuilds,
    retention,
  }: Pick<Jobs, "lake_keeper" | "rebuilds"> & { lake_writer: LakeWriter | undefined; retention: Retention },
): Shortage {
  const { data_dir, raw_retention_days } = deps.config;
  const kept = {
    ...deps,
    lake_writer,
    lakeLooked: () =>
      lake_keeper !== undefined &&
      (lake_keeper.status().last_success_ms > 0 || lake_keeper.failing() !== undefined),
    data_dir,
    raw_retention_days,
    holdsLog: () => rebuilds.underWay(),
  };
  return watchShortage({
    lack: lackWhere(kept),
    copied: () => deps.backups.last()?.phase === "saving",
    steps: stepsOf(kept),
    now_ms: () => retention.time_ms(),
    trouble: new Trouble("disk", deps.log),
  });
}
