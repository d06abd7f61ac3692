// Everything that runs, wired together once: data, the events' way, what reads it, jobs, sources, who may ask.
import type { Registry } from "prom-client";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import type { LakeKeeper } from "../analytics-sql/lake/keeper.ts";
import type { Lake } from "../analytics-sql/lake/lake.ts";
import { Roller } from "../analytics-sql/rollup/roller.ts";
import { HostClock } from "../ingest/clock.ts";
import { fanOut } from "../ingest/live/fan-out.ts";
import { LiveHub } from "../ingest/live/hub.ts";
import { Redis } from "../ingest/live/redis.ts";
import type { Bus } from "../ingest/outbox/bus.ts";
import { NO_RELAY, type Relay, startRelay } from "../ingest/outbox/relay.ts";
import { createPipeline, type Pipeline } from "../ingest/pipeline.ts";
import type { Store } from "../ingest/store/store.ts";
import { causeOf } from "../ingest/trouble.ts";
import { openBus } from "./bus.ts";
import type { Config, Role } from "./config.ts";
import { closeDataDir, refuseHalfRestored, takeDataDir } from "./data-dir.ts";
import { Demo } from "./demo.ts";
import { openEngine } from "./engine.ts";
import { lookAtParts, type Parts } from "./health/parts.ts";
import { startJobs } from "./jobs.ts";
import { Keys } from "./keys.ts";
import { openLake } from "./lake.ts";
import { Reports } from "./modules/analytics/service.ts";
import { Backups } from "./modules/backup/service.ts";
import { DeadLetters } from "./modules/dead-letters/service.ts";
import { Annotations } from "./modules/downtime/service.ts";
import { Explanations } from "./modules/explain/service.ts";
import { HealthReport } from "./modules/health/report.ts";
import { Machines } from "./modules/machines/service.ts";
import { Figures } from "./modules/pages/figures.ts";
import { Operator } from "./modules/pages/operator.ts";
import { Reasons } from "./modules/reasons/service.ts";
import type { Rebuilds } from "./modules/rebuild/service.ts";
import { withinRequests } from "./plugins/deadline.ts";
import { createMetrics } from "./plugins/metrics.ts";
import { RateLimits } from "./plugins/rate-limit.ts";
import { followSettings } from "./replicas.ts";
import { keepVersion } from "./schema-version.ts";
import { SecurityLog } from "./security-log.ts";
import { seedHub } from "./seed.ts";
import { type Sources, startSources } from "./sources.ts";
import { MAX_OUTBOX_BYTES, openStore } from "./store.ts";

export type Services = {
  store: Store;
  engine: Engine;
  bus: Bus;
  hub: LiveHub;
  pipeline: Pipeline;
  relay: Relay;
  /** How all sources are doing, whoever reads them. */
  sources: Sources["report"];
  /** What the program stands on, as it was last seen. */
  parts: Parts;
  machines: Machines;
  demo: Demo;
  annotations: Annotations;
  reasons: Reasons;
  reports: Reports;
  explanations: Explanations;
  figures: Figures;
  operator: Operator;
  rebuilds: Rebuilds;
  backups: Backups;
  deadLetters: DeadLetters;
  healthReport: HealthReport;
  keys: Keys;
  limits: RateLimits;
  /** Where a request comes from: known to whoever serves it. */
  from: { address: (request: Request) => string };
  /** Proxies before the API. */
  trusted_proxies: number;
  lake: LakeKeeper | undefined;
  metrics: Registry;
  roles: readonly Role[];
  /** What joins the live values and the limits of several processes. */
  redis: Redis | undefined;
  log: (message: string) => void;
  /** It takes requests still, but is about to end: others should get them. */
  stopping: () => boolean;
  /** Says so from now on. */
  drain(): void;
  /** Aborted when whoever still waits for an answer is told that there will be none. */
  ending: AbortSignal;
  end(): void;
  /** Starts the collectors; before that nothing is read from any source. */
  collect(): Promise<void>;
  /**
   * Stops in order: sources, rebuild, relay, engine, store; the demo's simulators last. What hangs is left behind, with a
   * line in the log: what was acknowledged is on the disk, or with the store's server.
   * @returns whether all of it ended
   */
  stop(): Promise<boolean>;
};

type Log = (message: string) => void;

export async function startServices(config: Config, log: Log): Promise<Services> {
  let running = true;
  let stopping = false;
  const ending = new AbortController();
  const serves = config.roles.includes("api");
  const data = await openData(config, log);
  const way = await openWay(config, data, log);
  const { store, machines, hub, relay } = { ...data, ...way };
  let parts: Parts | undefined;
  const readers = openReaders({ ...data, ...way }, () => parts?.arrived_ms() ?? Date.now(), log);
  const backups = new Backups({ ...data, data_dir: config.data_dir, log });
  const jobs = await startJobs({ config, ...data, ...way, ...readers, backups, log });
  const seeding = serves ? seedHub({ ...data, ...way, ...readers, running: () => running, log }) : undefined;
  const offered = config.profile === "embedded";
  const collects = config.roles.includes("collect");
  const clock = new HostClock({ log });
  const sources = startSources({ ...data, ...way, clock, collects, shared: !offered, log });
  const { collect, collectors } = sources;
  const demo = new Demo({ ...way, ...readers, collect, offered });
  const lake = jobs.lake_keeper;
  parts = lookAtParts({ config, ...data, ...way, sources: sources.report, clock, jobs, log });
  const metrics = createMetrics({ ...data, ...way, collectors, lake, parts });
  const doors = await openDoors(config, { ...data, ...way, metrics }, log);
  const deadLetters = new DeadLetters({ ...way, letters: jobs.letters, wake: relay.wake });
  const about = { parts, stopping: () => stopping };
  const shown = {
    ...about,
    ...data,
    ...way,
    ...readers,
    sources: sources.report,
    lake,
    metrics,
    deadLetters,
  };
  const { data_dir, raw_retention_days, trusted_proxies, roles } = config;
  const bounds = { data_dir, raw_retention_days, max_outbox_bytes: MAX_OUTBOX_BYTES };

  return {
    ...shown,
    figures: new Figures(machines, readers.reports, hub),
    operator: new Operator({ ...way, ...readers }),
    healthReport: new HealthReport({ ...shown, ...bounds }),
    demo,
    rebuilds: jobs.rebuilds,
    backups,
    keys: doors.keys,
    limits: doors.limits,
    from: doors.from,
    trusted_proxies,
    roles,
    log,
    collect,
    drain() {
      stopping = true;
    },
    ending: ending.signal,
    end: () => ending.abort(),
    async stop() {
      running = false;
      stopping = true;
      parts?.stop();
      const whole = await stopInOrder(
        [
          ["budgets and the security log", doors.stop],
          ["sources", sources.stop],
          ["jobs", jobs.stop],
          ["backup", () => backups.stop()],
          ["live values from before the start", () => seeding],
          ["delivery to analytics", way.stop],
          ["analytics", () => data.engine.close()],
          ["store", () => store.close()],
          ["demo", () => demo.stop()],
        ],
        log,
      );
      data.lock.free();
      return whole;
    },
  };
}

/** What one of them may take, and all together; where that is over the next ones have the least. */
const STOP_MS = { one: 8_000, all: 12_000, least: 500 };

/** One after the other; one that hangs, or fails, is left behind. @returns whether all ended well */
async function stopInOrder(steps: [what: string, stop: () => unknown][], log: Log): Promise<boolean> {
  const until_ms = performance.now() + STOP_MS.all;
  let whole = true;
  for (const [what, stop] of steps) {
    const left = (why: string) => (): void => {
      whole = false;
      log(`stop: ${what}: ${why}`);
    };
    const late = Promise.withResolvers<void>();
    const bound_ms = Math.max(STOP_MS.least, Math.min(STOP_MS.one, until_ms - performance.now()));
    const timer = setTimeout(() => {
      left(`not ended within ${(bound_ms / 1_000).toFixed(1)} s, and left behind`)();
      late.resolve();
    }, bound_ms);
    const stopped = (async () => stop())().catch((error: unknown) => left(causeOf(error))());
    await Promise.race([stopped, late.promise]);
    clearTimeout(timer);
  }
  return whole;
}

type Data = { store: Store; engine: Engine; lake: Lake | undefined; lock: { free(): void } };

/** What is kept: the log with the settings, and analytics. */
async function openData(config: Config, log: Log): Promise<Data> {
  for (const path of closeDataDir(config.data_dir))
    log(`others may read what is another user's here: ${path}`);
  const lock = takeDataDir(config.data_dir);
  refuseHalfRestored(config.data_dir);
  // Before anything is opened: an older release leaves it as it is.
  keepVersion(config.data_dir, log);
  // Without its store the program can do nothing; whoever watches it starts it again (invariant 1: nothing is lost).
  const die = (error: Error): void => {
    log(`fatal: ${error.message}`);
    process.exit(1);
  };
  const lake = openLake(config);
  const opening = openStore(config, log, die);
  // Analytics is a projection of the log (invariant 6): without it, or with a part of it, all of the log is delivered again.
  const again = async (): Promise<void> => (await opening).rewind("start");
  const around = { path: `${config.data_dir}/chdb`, again };
  const [store, engine] = await Promise.all([opening, openEngine(config, around, lake, log)]);
  // What the engine may have lost in a power cut, since it does not fsync. Nothing is counted twice. A topic keeps what it took.
  if (!config.kafka) await store.rewind("settled");
  return { store, engine, lake, lock };
}

/** The way of an event: into the log, to whoever watches here and at other replicas, and by the bus into analytics. */
async function openWay({ roles, kafka, redis_url }: Config, { store, engine }: Data, log: Log) {
  const relays = roles.includes("relay");
  const hub = new LiveHub((id) => machines.byId(id)?.tenant_id);
  const bus: Bus = await openBus(engine, relays || roles.includes("api") ? kafka : undefined);
  const relay: Relay = relays ? startRelay(store, bus, log) : NO_RELAY;
  if (relays) store.onArrival(relay.wake);
  const pipeline = await createPipeline({ store, hub, wake: relay.wake, now_ms: Date.now });
  const machines: Machines = await Machines.open({ store, pipeline, hub });
  const redis = redis_url === undefined ? undefined : new Redis(redis_url, log);
  const partHub = redis && fanOut(hub, redis);
  return {
    hub,
    bus,
    relay,
    pipeline,
    machines,
    redis,
    async stop() {
      await relay.stop();
      await bus.close();
      partHub?.();
      redis?.stop();
    },
  };
}

type Way = Omit<Awaited<ReturnType<typeof openWay>>, "stop">;

/** What is read out of analytics, and what people say to it. */
function openReaders({ store, engine, lake, pipeline }: Data & Way, arrived_ms: () => number, log: Log) {
  const roller = new Roller(engine, log);
  const asked = withinRequests(engine);
  const reports = new Reports(asked, roller, lake, arrived_ms);
  return {
    roller,
    reports,
    explanations: new Explanations(asked, roller, reports),
    annotations: new Annotations(store, pipeline),
    reasons: new Reasons(store, pipeline),
  };
}

/** Who may ask, and how much. */
async function openDoors(
  config: Config,
  { store, machines, redis, metrics }: Data & Way & { metrics: Registry },
  log: Log,
) {
  const keys = await Keys.open(store, config);
  const following = config.profile === "cluster" ? followSettings(store, { machines, keys }, log) : undefined;
  const limits = new RateLimits({ per_s: config.rate_limit_per_s, redis, metrics });
  const security = new SecurityLog(`${config.data_dir}/security.log`, log);
  const from = { address: (_: Request): string => "" };
  keys.door = {
    onRequest: ({ id }) => limits.request(id),
    onWrongKey: (request) => limits.wrongKey(from.address(request)),
    refused(request, why, who = "") {
      const what = `${request.method} ${new URL(request.url).pathname}`;
      security.note({ who, what, from: from.address(request), why });
    },
  };
  return {
    keys,
    limits,
    from,
    async stop() {
      await following?.stop();
      await security.flush();
      await limits.stop();
    },
  };
}
