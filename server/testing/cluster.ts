// For acceptance tests: a cluster on loopback, of real parts as far as there are any, and the program's processes by role.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { until } from "../../.ci/limits.ts";
import { findRedis, redisCommand } from "../../.ci/redis.ts";
import { freePort } from "../../ingest/free-ports.ts";
import { type Brokers, hasKafka, startBrokers } from "../../ingest/testing/brokers.ts";
import { MONGO_ENGINES, type MongoServer } from "../../ingest/testing/mongo.ts";
import type { Role } from "../config.ts";
import type { OtherHost } from "./network.ts";
import { discard, emptied, startServer, type TestServer } from "./server.ts";

/** A replica set where one is given, else what is nearest to it. */
const engine = MONGO_ENGINES.findLast(({ start }) => start);
/** The one that is asked for, or a replica set where one is given, else what starts sooner. */
const asked = process.env.TEST_STORE?.toLowerCase();
const wanted = MONGO_ENGINES.find(({ name }) => asked && name.toLowerCase().startsWith(asked));
if (asked && !wanted?.start) throw new Error(`TEST_STORE=${asked} is not there`);
const sooner = process.env.MTC_MONGO_URL ? engine : MONGO_ENGINES.find(({ start }) => start);
const quickEngine = wanted ?? sooner;

/** What a cluster needs and is not there. */
export const lacking: string[] = [
  ...(hasKafka ? [] : ["Kafka's jars"]),
  ...(engine ? [] : ["a server that speaks MongoDB's protocol"]),
  ...(findRedis() === undefined ? ["redis-server"] : []),
];
/** What its parts are. */
export const CLUSTER_OF = `Kafka, ${engine?.name ?? "no MongoDB"}, chDB behind ClickHouse's HTTP interface, Redis`;

export type Cluster = {
  brokers: Brokers;
  clickhouse: ClickHouse;
  redis: { kill(): Promise<void>; start(): void };
  /** SIGKILL of the store's server, and a start on the same data. */
  restartStore(): Promise<void>;
  /** SIGSTOP of the store's server, or SIGCONT. */
  signalStore: MongoServer["signal"];
  /**
   * Starts a process of these roles; its `settled` waits for Kafka's consumer as well.
   * @param on the host, where it is not this one
   */
  start(roles: readonly Role[], on?: OtherHost): Promise<TestServer>;
  /** What any process of it is started with. */
  settings: Record<string, string>;
  /** Ends all of them that still run, then the parts. */
  stop(): Promise<void>;
};

/** So far, by this process: on a server that was given each has a database of its own. */
let clusters = 0;

/** @param store what its store is; where nothing is said, what is nearest to MongoDB */
export async function startCluster(store = engine): Promise<Cluster> {
  const [brokers, mongo, clickhouse] = (await Promise.all([
    startBrokers(1),
    store?.start?.(),
    startClickHouse(),
  ])) as [Brokers, MongoServer, ClickHouse];
  const redis = redisServer();
  redis.start();
  const settings = {
    MTC_PROFILE: "cluster",
    MTC_MONGO_URL: mongo.url(`cluster_${++clusters}`),
    MTC_KAFKA_BROKERS: brokers.addresses.join(),
    MTC_KAFKA_PARTITIONS: "4",
    MTC_CLICKHOUSE_URL: clickhouse.url,
    MTC_REDIS_URL: redis.url,
  };
  const started: TestServer[] = [];
  return {
    settings,
    brokers,
    clickhouse,
    redis,
    restartStore: () => mongo.restart(),
    signalStore: (signal) => mongo.signal(signal),
    async start(roles, on) {
      const env = { ...(on ? await seenFrom(on, settings) : settings), MTC_ROLES: roles.join() };
      const server = await startServer(env, undefined, on?.exec);
      started.push(server);
      return { ...server, settled: () => emptied(server.call, 120) };
    },
    async stop() {
      await Promise.all(started.map(discard));
      await redis.kill();
      await clickhouse.stop();
      await brokers.stop();
      await mongo.stop();
    },
  };
}

/** The same parts by their addresses there. A driver that asked a replica set for its hosts would be told ours. */
async function seenFrom(host: OtherHost, settings: Record<string, string>): Promise<Record<string, string>> {
  const there = { ...settings };
  for (const [name, value] of Object.entries(settings))
    for (const [address, port] of value.matchAll(/127\.0\.0\.1:(\d+)/g))
      there[name] = there[name]?.replace(address, await host.forward(Number(port))) ?? value;
  return { ...there, MTC_MONGO_URL: `${there.MTC_MONGO_URL}?directConnection=true` };
}

type ClickHouse = {
  url: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** SIGKILL, and a start on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** As a process of its own: chDB takes one data directory a process, and a test may have several clusters. */
async function startClickHouse(): Promise<ClickHouse> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-clickhouse-`);
  const port = freePort();
  const program = new URL("../../deploy/stand-in.ts", import.meta.url).pathname;
  const spawn = () =>
    Bun.spawn([process.execPath, program, dir, `${port}`], { cwd: dir, stdout: "ignore", stderr: "inherit" });
  const origin = `127.0.0.1:${port}`;
  const answering = () => until(() => fetch(`http://${origin}/ping`).catch(() => undefined));
  let child = spawn();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  await answering();
  return {
    url: `http://mtc:s%2Fcret@${origin}`,
    get pid() {
      return child.pid;
    },
    async restart() {
      await kill();
      child = spawn();
      await answering();
    },
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function redisServer() {
  const port = freePort();
  let child: Bun.Subprocess | undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    start(): void {
      child = Bun.spawn(redisCommand(findRedis() ?? "", port), {
        cwd: tmpdir(),
        stdout: "ignore",
        stderr: "ignore",
      });
    },
    async kill(): Promise<void> {
      child?.kill("SIGKILL");
      await child?.exited;
    },
  };
}

/** Clusters of tests that know of none, by the data directory that stands for them. */
const standing = new Map<string, Promise<Cluster>>();

/** The cluster that stands for a data directory. */
export function clusterOf(data_dir: string): Promise<Cluster> {
  const cluster = standing.get(data_dir);
  if (!cluster) throw new Error(`no cluster stands for ${data_dir}`);
  return cluster;
}

/** The program with all of its roles, on the cluster of that data directory. */
export async function inCluster(data_dir: string, env: Record<string, string>): Promise<TestServer> {
  const cluster = standing.get(data_dir) ?? startCluster(quickEngine);
  standing.set(data_dir, cluster);
  const server = await startServer({ ...(await cluster).settings, ...env }, data_dir);
  return { ...server, settled: () => emptied(server.call, 120) };
}

export async function leaveCluster(data_dir: string): Promise<void> {
  const cluster = standing.get(data_dir);
  standing.delete(data_dir);
  await (await cluster)?.stop();
}
