// The parts that the program stands on, each looked at in the background: which is down, since when and why.
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import type { HostClock } from "../../ingest/clock.ts";
import type { Redis } from "../../ingest/live/redis.ts";
import type { Backlog, Bus } from "../../ingest/outbox/bus.ts";
import type { Relay } from "../../ingest/outbox/relay.ts";
import type { OutboxDepth, Store } from "../../ingest/store/store.ts";
import { type Failing, Trouble } from "../../ingest/trouble.ts";
import type { Config } from "../config.ts";
import type { Jobs } from "../jobs.ts";
import type { SourceReport, Sources } from "../sources.ts";
import { type Check, check, type Seen } from "./check.ts";

/** What a look may take. What counts or lists may take longer, and is older then. */
const PATIENCE_MS = 500;
const COUNTING = Number.POSITIVE_INFINITY;

export const PARTS = [
  "store",
  "analytics",
  "kafka",
  "relay",
  "roll-up",
  "sources",
  "clock",
  "redis",
  "lake",
  "disk",
] as const;
export type PartName = (typeof PARTS)[number];

/** A part of the program, as it was when it was last looked at. */
export type Part = {
  part: PartName;
  up: boolean;
  /** Why it is down, "" while it is up; since when, ms since 1970, 0 while it is up. */
  error: string;
  since_ms: number;
  /** When it answered last; 0: never yet. */
  seen_ms: number;
};

export type Parts = {
  all(): Part[];
  outbox(): Seen<OutboxDepth>;
  /** What analytics has not taken of the bus; undefined where there is none between. */
  backlog(): Seen<Backlog> | undefined;
  sources(): Seen<SourceReport[]>;
  /** Until when what was acknowledged is in analytics, ms since 1970, as far as it was seen. */
  arrived_ms(): number;
  stop(): void;
};

type Deps = {
  config: Pick<Config, "roles" | "kafka">;
  store: Store;
  engine: Pick<Engine, "ping">;
  bus: Bus;
  relay: Relay;
  sources: Sources["report"];
  clock: Pick<HostClock, "doubt">;
  redis: Redis | undefined;
  jobs: Pick<Jobs, "rollup" | "lake_keeper" | "shortage">;
  log: (message: string) => void;
};

/** Starts to look; nothing of it is ever waited for. */
export function lookAtParts({
  config,
  store,
  engine,
  bus,
  relay,
  clock,
  redis,
  jobs,
  log,
  ...deps
}: Deps): Parts {
  const answering = { log, patience_ms: PATIENCE_MS };
  const counting = { log, patience_ms: COUNTING };
  const serves = config.roles.includes("api");
  const began_ms = Date.now();
  const pinged: Partial<Record<PartName, Check<unknown>>> = {
    store: check("store", () => store.ping(), answering),
    ...(serves && { analytics: check("analytics", () => engine.ping(), answering) }),
    // What it finds the clock says itself, in the log: how long that took no clock can tell that was set.
    clock: check("clock", () => sure(clock), { ...answering, log: () => {} }),
  };
  const outbox = check("outbox", () => store.outboxDepth(), counting);
  const reads = serves || config.roles.includes("relay");
  const backlog = config.kafka && reads ? check("kafka", () => bus.backlog(), answering) : undefined;
  const lost = new Trouble("sources", log);
  const sources = check("list of sources", async () => judged(await deps.sources(), lost), counting);
  /** Whoever does the work says itself what fails of it, and in the log. */
  const told: Partial<Record<PartName, () => Failing | undefined>> = {
    ...(config.roles.includes("relay") && { relay: () => relay.status().failing }),
    ...(serves && { "roll-up": () => jobs.rollup() }),
    sources: () => lost.failing,
    ...(redis && { redis: () => redis.failing() }),
    ...(jobs.lake_keeper && { lake: () => jobs.lake_keeper?.failing() }),
    ...(jobs.shortage && { disk: () => jobs.shortage?.failing() }),
  };
  const all = (): Part[] =>
    PARTS.flatMap((part): Part[] => {
      const looked = part === "kafka" ? backlog : pinged[part];
      if (looked) return [partOf(part, looked.seen())];
      const own = told[part];
      if (!own) return [];
      const { error = "", since_ms = 0 } = own() ?? {};
      return [partOf(part, { value: null, at_ms: Date.now(), error, since_ms })];
    });
  return {
    all,
    outbox: outbox.seen,
    backlog: () => backlog?.seen(),
    sources: sources.seen,
    arrived_ms() {
      const { value, at_ms } = outbox.seen();
      const oldest_ms = value?.oldest_ms || Number.POSITIVE_INFINITY;
      const taken_ms = backlog ? (backlog.seen().value?.arrived_ms ?? began_ms) : Number.POSITIVE_INFINITY;
      return Math.min(at_ms || began_ms, oldest_ms, taken_ms);
    },
    stop() {
      for (const one of [...Object.values(pinged), outbox, sources, ...(backlog ? [backlog] : [])])
        one.stop();
    },
  };
}

const partOf = (part: PartName, { at_ms, error, since_ms }: Seen<unknown>): Part => ({
  part,
  up: error === "",
  error,
  since_ms,
  seen_ms: at_ms,
});

/** @throws Error that says why it is not */
function sure(clock: Pick<HostClock, "doubt">): void {
  const doubt = clock.doubt();
  if (doubt !== "") throw new Error(doubt);
}

/** One source may be switched off; where none is heard, the network is. */
function judged(rows: SourceReport[], lost: Trouble): SourceReport[] {
  const read = rows.filter(({ state }) => state !== "stopped");
  const [first] = read;
  if (first && read.every(({ state }) => state === "unreachable"))
    lost.failed(
      new Error(`none of ${read.length} is heard; ${first.name}: ${first.error}`),
      Math.max(...read.map(({ since_ms }) => since_ms)),
    );
  else lost.over();
  return rows;
}

/** How long ago something was seen, s; null where it never was. */
export const ageOf_s = (at_ms: number): number | null =>
  at_ms === 0 ? null : Math.max(0, Date.now() - at_ms) / 1_000;

/** How long what waits longest has waited, s; 0 where nothing waits. */
export const lagOf_s = ({ oldest_ms }: Pick<OutboxDepth, "oldest_ms">): number => ageOf_s(oldest_ms) ?? 0;

/** `degraded`: it takes requests, and a part of it is down; `not ready`: it can keep nothing. */
export type Readiness = "ready" | "degraded" | "not ready" | "stopping";

/** Without analytics what comes in is kept and counted later; without its store the program can do nothing. */
export function readinessOf(parts: Part[], stopping: boolean): Readiness {
  if (stopping) return "stopping";
  if (parts.some(({ part, up }) => part === "store" && !up)) return "not ready";
  return parts.every(({ up }) => up) ? "ready" : "degraded";
}
