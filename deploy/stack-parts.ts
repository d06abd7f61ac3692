// What the stack without Docker is made of: real servers where there are any, else what is nearest to them.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { MongoClient } from "mongodb";
import { provideKafka } from "../.ci/kafka.ts";
import { ferretCommand, provideFerret, provideSecantus, secantusCommand } from "../.ci/mongo-peers.ts";
import { provideRedis, redisCommand } from "../.ci/redis.ts";
import { CLUSTER_ID, JVM, properties } from "../ingest/testing/brokers.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** A server of the stack. */
export type Part = {
  name: string;
  /** What it really is. */
  is: string;
  command: string[];
  /** Run to its end, before the first start. */
  before?: string[];
  env?: Record<string, string>;
  /** Resolves when it serves, throws while it does not. */
  serves: () => Promise<unknown>;
  /** Settings that the program finds it by. */
  settings?: Record<string, string>;
};

/** Ports of the parts, taken once and kept with their data. */
export type Ports = { kafka: number; controller: number; mongo: number; clickhouse: number; redis: number };

/** Makes their directories and configuration in `dir`. @throws Error naming what cannot be had */
export const backing = (dir: string, ports: Ports): Part[] => [
  kafka(`${dir}/kafka`, ports),
  mongo(`${dir}/mongo`, ports.mongo),
  clickhouse(`${dir}/clickhouse`, ports.clickhouse),
  redis(`${dir}/redis`, ports.redis),
];

function kafka(dir: string, ports: Ports): Part {
  const jars = provideKafka();
  if (!jars.endsWith("/*")) throw new Error(`Kafka: ${jars}`);
  mkdirSync(dir, { recursive: true });
  const file = `${dir}/server.properties`;
  const settings = Object.entries(properties(0, 1, [ports.kafka, ports.controller], dir));
  writeFileSync(file, settings.map(([name, value]) => `${name}=${value}\n`).join(""));
  const java = ["java", ...JVM, "-cp", jars];
  return {
    name: "kafka",
    is: "Apache Kafka 4.1.0",
    before: [
      ...java,
      "kafka.tools.StorageTool",
      "format",
      "--ignore-formatted",
      "-t",
      CLUSTER_ID,
      "-c",
      file,
    ],
    command: [...java, "kafka.Kafka", file],
    serves: () => connects(ports.kafka),
    settings: { MTC_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}` },
  };
}

function mongo(dir: string, port: number): Part {
  mkdirSync(dir, { recursive: true });
  const url = `mongodb://127.0.0.1:${port}/mtc`;
  const part = (is: string, command: string[]): Part => ({
    name: "mongo",
    is,
    command,
    serves: () => asks(url, { ping: 1 }),
    settings: { MTC_MONGO_URL: url },
  });
  const mongod = Bun.which("mongod");
  if (mongod) {
    const host = `127.0.0.1:${port}`;
    const command = [
      mongod,
      "--dbpath",
      dir,
      "--port",
      `${port}`,
      "--bind_ip",
      "127.0.0.1",
      "--replSet",
      "rs0",
    ];
    return {
      ...part("mongod, a replica set of one node", command),
      serves: () => primary(url, host),
      settings: { MTC_MONGO_URL: `${url}?replicaSet=rs0` },
    };
  }
  const secantus = provideSecantus();
  if (secantus.startsWith("/"))
    return part("SecantusDB: no mongod is on the PATH", secantusCommand(secantus, dir, port));
  const ferret = provideFerret();
  if (!ferret.startsWith("/"))
    throw new Error(`MongoDB: no mongod; SecantusDB: ${secantus}; FerretDB: ${ferret}`);
  return part("FerretDB: no mongod is on the PATH", ferretCommand(ferret, dir, port));
}

/** The stand-in's own; on loopback it keeps nobody out, but the clients' ways with passwords are walked. */
const USER = { name: "mtc", password: "s/cret" };

function clickhouse(dir: string, port: number): Part {
  mkdirSync(`${dir}/users.d`, { recursive: true });
  const found = Bun.which("clickhouse");
  const common = {
    name: "clickhouse",
    serves: async () => {
      const { ok } = await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(2_000) });
      if (!ok) throw new Error("it does not answer");
    },
    settings: {
      MTC_CLICKHOUSE_URL: `http://${USER.name}:${encodeURIComponent(USER.password)}@127.0.0.1:${port}`,
    },
  };
  if (!found)
    return {
      ...common,
      is: "chDB behind ClickHouse's HTTP interface: no clickhouse is on the PATH",
      command: [process.execPath, `${ROOT}deploy/stand-in.ts`, dir, `${port}`],
    };
  copyFileSync(`${ROOT}analytics-sql/kafka/server-profile.xml`, `${dir}/users.d/mtc.xml`);
  mkdirSync(`${dir}/config.d`, { recursive: true });
  copyFileSync(`${ROOT}deploy/clickhouse/server.xml`, `${dir}/config.d/mtc.xml`);
  writeFileSync(
    `${dir}/users.xml`,
    `<clickhouse>
  <users><${USER.name}><password>${USER.password}</password><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota><access_management>1</access_management>
    <named_collection_control>1</named_collection_control></${USER.name}></users>
  <profiles><default/></profiles><quotas><default/></quotas>
</clickhouse>`,
  );
  writeFileSync(
    `${dir}/config.xml`,
    `<clickhouse>
  <listen_host>127.0.0.1</listen_host><http_port>${port}</http_port>
  <path>${dir}/data/</path><tmp_path>${dir}/tmp/</tmp_path><user_files_path>${dir}/files/</user_files_path>
  <logger><level>warning</level><console>1</console></logger>
  <user_directories><users_xml><path>${dir}/users.xml</path></users_xml></user_directories>
</clickhouse>`,
  );
  return { ...common, is: "ClickHouse", command: [found, "server", `--config-file=${dir}/config.xml`] };
}

function redis(dir: string, port: number): Part {
  const server = provideRedis();
  if (!server.startsWith("/")) throw new Error(`Redis: ${server}`);
  mkdirSync(dir, { recursive: true });
  return {
    name: "redis",
    is: "Redis",
    command: [...redisCommand(server, port), "--dir", dir],
    serves: () => connects(port),
    settings: { MTC_REDIS_URL: `redis://127.0.0.1:${port}` },
  };
}

async function connects(port: number): Promise<void> {
  (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
}

async function asks(url: string, ...commands: Record<string, unknown>[]): Promise<Record<string, unknown>> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000, directConnection: true });
  try {
    let answer: Record<string, unknown> = {};
    for (const command of commands) answer = await client.db("admin").command(command);
    return answer;
  } finally {
    await client.close();
  }
}

async function primary(url: string, host: string): Promise<void> {
  const hello = await asks(url, { hello: 1 });
  if (!hello.setName) await asks(url, { replSetInitiate: { _id: "rs0", members: [{ _id: 0, host }] } });
  if (!hello.isWritablePrimary) throw new Error("it is no primary yet");
}
