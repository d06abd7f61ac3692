// Everything that runs, wired together once: store, engine, relay, hub, collectors, machines, reports.
import { existsSync, mkdirSync } from "node:fs";
import type { Registry } from "prom-client";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { closeSource, openSource } from "../analytics-sql/kafka/source.ts";
import { folderStorage } from "../analytics-sql/lake/folder.ts";
import { keepLake, type LakeKeeper } from "../analytics-sql/lake/keeper.ts";
import { Lake } from "../analytics-sql/lake/lake.ts";
import { s3Storage } from "../analytics-sql/lake/s3.ts";
import { LakeWriter } from "../analytics-sql/lake/writer.ts";
import { clear } from "../analytics-sql/rebuild/shadow.ts";
import { keepRolled } from "../analytics-sql/rollup/keeper.ts";
import { Roller } from "../analytics-sql/rollup/roller.ts";
import { type Collectors, startCollectors } from "../ingest/collectors.ts";
import { fanOut } from "../ingest/live/fan-out.ts";
import { LiveHub } from "../ingest/live/hub.ts";
import { NO_RELAY, type Relay, startRelay } from "../ingest/outbox/relay.ts";
import { createPipeline, type Pipeline } from "../ingest/pipeline.ts";
import type { MachineSource } from "../ingest/sources/model.ts";
import type { Store } from "../ingest/store/store.ts";
import { version } from "../package.json" with { type: "json" };
import { openBus, openLetters } from "./bus.ts";
import { type Config, ROLES, type Role } from "./config.ts";
import { Demo } from "./demo.ts";
import { KAFKA_CONSUMERS, openEngine } from "./engine.ts";
import { Keys } from "./keys.ts";
import { Reports } from "./modules/analytics/service.ts";
import { DeadLetters } from "./modules/dead-letters/service.ts";
import { endOpenReasons } from "./modules/downtime/open-ends.ts";
import { Annotations } from "./modules/downtime/service.ts";
import { Explanations } from "./modules/explain/service.ts";
import { HealthReport } from "./modules/health/report.ts";
import { Machines } from "./modules/machines/service.ts";
import { Figures } from "./modules/pages/figures.ts";
import { Operator } from "./modules/pages/operator.ts";
import { Reasons } from "./modules/reasons/service.ts";
import { Rebuilds } from "./modules/rebuild/service.ts";
import { createMetrics } from "./plugins/metrics.ts";
import { RateLimits } from "./plugins/rate-limit.ts";
import { followSettings, shareJobs } from "./replicas.ts";
import { shareCollectors } from "./shared-collectors.ts";
import { MAX_OUTBOX_BYTES, openStore } from "./store.ts";

export type Services = {
  store: Store;
  engine: Engine;
  hub: LiveHub;
  pipeline: Pipeline;
  relay: Relay;
  collectors: Collectors;
  machines: Machines;
  demo: Demo;
  annotations: Annotations;
  reasons: Reasons;
  reports: Reports;
  explanations: Explanations;
  figures: Figures;
  operator: Operator;
  rebuilds: Rebuilds;
  deadLetters: DeadLetters;
  healthReport: HealthReport;
  keys: Keys;
  limits: RateLimits;
  /** Proxies before the API. */
  trusted_proxies: number;
  lake: LakeKeeper | undefined;
  metrics: Registry;
  roles: readonly Role[];
  /** What joins the live values and the limits of several processes. */
  redis: () => RedisState;
  log: (message: string) => void;
  ready: () => boolean;
  /** Starts the collectors; before that nothing is read from any source. */
  collect(): Promise<void>;
  /** Stops in order: sources, rebuild, relay, engine, store; the demo's simulators last. */
  stop(): Promise<void>;
};

/** `lost`: each process shows what it took in, and limits, by itself, until Redis is back; `none`: there is none. */
export type RedisState = "connected" | "lost" | "none";

const DRAIN_POLL_MS = 500;
const PURGE_EVERY_MS = 3_600_000;
/** The lake is not written while analytics lies further behind than this. */
const LAKE_LAG_MS = 60_000;
/** Several machines that change at once are one change for the collectors. */
const SETTLE_MS = 50;

export async function startServices(config: Config, log: (message: string) => void): Promise<Services> {
  mkdirSync(config.data_dir, { recursive: true });
  const projection = `${config.data_dir}/chdb`;
  const rebuilt = !existsSync(projection);
  // Without its store the program can do nothing; whoever watches it starts it again (invariant 1: nothing is lost).
  const die = (error: Error): void => {
    log(`fatal: ${error.message}`);
    process.exit(1);
  };
  const lake = lakeOf(config);
  const [store, engine] = await Promise.all([
    openStore(config, log, die),
    openEngine(config, projection, lake),
  ]);
  const [serves, collects, relays] = ROLES.map((role) => config.roles.includes(role));
  // Analytics is a projection of the log (invariant 6): without it, all of the log is delivered again; with it, what
  // the engine may have lost in a power cut, since it does not fsync. Nothing is counted twice. A topic keeps what it took.
  if (!config.kafka) await store.rewind(rebuilt ? "start" : "settled");
  // A rebuild that was cut off left its shadow behind; in a cluster another process may be making one.
  if (config.profile === "embedded") await clear(engine);

  let running = true;
  const hub = new LiveHub((id) => machines.byId(id)?.tenant_id);
  const bus = await openBus(engine, serves || relays ? config.kafka : undefined);
  const relay = relays ? startRelay(store, bus, log) : NO_RELAY;
  if (relays) store.onArrival(relay.wake);
  const jobs = store.share("jobs");
  const rebuilds = new Rebuilds({
    mine: () => jobs.has("rebuild"),
    store,
    engine,
    bus,
    log,
    now_ms: Date.now,
    ...doorOf(config, engine, relay),
  });
  const pipeline = await createPipeline({ store, hub, wake: relay.wake, now_ms: Date.now });
  const machines = await Machines.open({ store, pipeline, hub });
  const fan = config.redis_url === undefined ? undefined : fanOut(hub, config.redis_url, log);
  const deadLetters = await openLetters(
    { engine, store, log, mine: () => jobs.has("dead letters") },
    serves ? config.kafka : undefined,
    (id) => machines.byId(id)?.tenant_id,
  );
  const roller = new Roller(engine);
  const reports = new Reports(engine, roller, lake);
  const seeding = serves
    ? seedHub(hub, machines, reports, store, () => running).catch((error: Error) =>
        log(`live values from before the start: ${error.message}`),
      )
    : undefined;
  const rolled = (): Map<string, string[]> => {
    if (!jobs.has("roll-up")) return new Map();
    const byTenant = Map.groupBy(machines.all(), ({ tenant_id }) => tenant_id);
    return new Map([...byTenant].map(([tenant, own]) => [tenant, own.map(({ id }) => id)]));
  };
  const keeper = serves ? keepRolled(roller, rolled, log) : undefined;
  const annotations = new Annotations(store, pipeline);
  const reasons = new Reasons(store, pipeline);
  const openEnds = serves ? endOpenReasons({ machines, annotations, reports, hub, log }) : undefined;
  const lakeKeeper =
    lake && serves
      ? keepLake(
          new LakeWriter(lake, engine, { scratch: `${config.data_dir}/lake-scratch`, version }),
          async () => {
            if (!jobs.has("lake")) return false;
            const { oldest_ms } = await store.outboxDepth();
            return oldest_ms === 0 || Date.now() - oldest_ms < LAKE_LAG_MS;
          },
          log,
        )
      : undefined;
  const stopping = new AbortController();
  const share = store.share("collect");
  const collectors = startCollectors(
    pipeline.sink((id) => machines.byId(id), stopping.signal, share.standing),
    hub,
  );
  const sourced = () => machines.all().map(({ id, source }) => ({ id, source: source as MachineSource }));
  const shared = shareCollectors(collectors, share, sourced, log);
  const collect = async (): Promise<void> => {
    if (collects) await shared.look();
  };
  const demo = new Demo({ machines, reasons, pipeline, collect, offered: config.profile === "embedded" });
  let settling: Timer | undefined;
  machines.onChange(() => {
    clearTimeout(settling);
    settling = setTimeout(
      () => void collect().catch((error: Error) => log(`collectors: ${error.message}`)),
      SETTLE_MS,
    );
  });
  const purging = setInterval(() => {
    if (serves && jobs.has("purge")) void purge(store, rebuilds, config.raw_retention_days, log);
  }, PURGE_EVERY_MS);

  const keys = await Keys.open(store, config);
  // They are done where analytics is: a process without it must not hold one.
  const sharing = serves ? shareJobs(jobs, log) : undefined;
  const following = config.profile === "cluster" ? followSettings(store, { machines, keys }, log) : undefined;
  const metrics = createMetrics({ store, bus, relay, collectors, hub, lake: lakeKeeper });
  const { rate_limit_per_s: per_s, redis_url } = config;
  const limits = new RateLimits({ per_s, redis_url: serves ? redis_url : undefined, metrics, log });
  keys.onRequest = ({ id }) => limits.request(id);
  const redis = (): RedisState => {
    const states = [fan?.state(), limits.state()];
    return states.includes("lost") ? "lost" : (fan?.state() ?? "none");
  };
  const setAside = new DeadLetters({ letters: deadLetters.letters, pipeline, machines, wake: relay.wake });

  return {
    store,
    engine,
    hub,
    pipeline,
    relay,
    collectors,
    machines,
    demo,
    annotations,
    reasons,
    reports,
    explanations: new Explanations(engine, roller, reports),
    figures: new Figures(machines, reports, hub),
    operator: new Operator({ machines, reports, annotations, reasons, hub }),
    rebuilds,
    deadLetters: setAside,
    healthReport: new HealthReport({
      store,
      relay,
      collectors,
      hub,
      lake: lakeKeeper,
      metrics,
      machines,
      reports,
      deadLetters: setAside,
      ready: () => running,
      data_dir: config.data_dir,
      max_outbox_bytes: MAX_OUTBOX_BYTES,
      raw_retention_days: config.raw_retention_days,
    }),
    keys,
    limits,
    trusted_proxies: config.trusted_proxies,
    lake: lakeKeeper,
    metrics,
    redis,
    roles: config.roles,
    log,
    ready: () => running,
    collect,
    async stop() {
      running = false;
      clearTimeout(settling);
      clearInterval(purging);
      stopping.abort();
      await following?.stop();
      await shared.stop();
      await rebuilds.stop();
      await relay.stop();
      await deadLetters.close();
      await bus.close();
      await seeding;
      await openEnds?.stop();
      await keeper?.stop();
      await lakeKeeper?.stop();
      await sharing?.stop();
      fan?.stop();
      await limits.stop();
      await engine.close();
      await store.close();
      await demo.stop();
    },
  };
}

/** How a rebuild keeps the door to the live tables shut: no relay delivers, or no server reads the topic. */
function doorOf({ kafka }: Config, engine: Engine, relay: Relay) {
  if (!kafka) return { pause: () => relay.pause(), resume: async () => relay.resume() };
  return {
    pause: () => closeSource(engine),
    resume: () => openSource(engine, { ...kafka, consumers: KAFKA_CONSUMERS }),
  };
}

function lakeOf({ lake, raw_retention_days }: Config): Lake | undefined {
  if (!lake) return undefined;
  return new Lake(lake.kind === "s3" ? s3Storage(lake) : folderStorage(lake.path), raw_retention_days);
}

/**
 * After a restart the screens show what was known before it, until the sources say something new: at once what
 * analytics has, and all of it when what was acknowledged but not delivered has arrived there.
 */
async function seedHub(
  hub: LiveHub,
  machines: Machines,
  reports: Reports,
  store: Store,
  running: () => boolean,
): Promise<void> {
  const before = machines.all();
  const seed = async (): Promise<void> => {
    for (const [tenant_id, own] of Map.groupBy(before, (machine) => machine.tenant_id)) {
      const ids = own.map(({ id }) => id);
      for (const [id, known] of await reports.latest(tenant_id, ids)) {
        if (machines.byId(id)) hub.seed(id, known);
      }
    }
  };
  if ((await store.outboxDepth()).events === 0) return seed();
  await seed();
  while (running() && (await store.outboxDepth()).events > 0) await Bun.sleep(DRAIN_POLL_MS);
  if (running()) await seed();
}

/** A rebuild counts on what the log held when it began. */
async function purge(
  store: Store,
  rebuilds: Rebuilds,
  days: number,
  log: (message: string) => void,
): Promise<void> {
  try {
    while (!rebuilds.busy && (await store.purge(Date.now() - days * 86_400_000)) > 0);
  } catch (error) {
    log(`purge: ${(error as Error).message}`);
  }
}
