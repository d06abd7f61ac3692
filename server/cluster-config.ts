// Settings of what the cluster profile is made of, out of the environment that server/config.ts was given.
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { KafkaOptions, KafkaSecurity } from "../ingest/outbox/kafka.ts";

export type KafkaConfig = KafkaOptions;

/** The servers of the cluster profile, with users and passwords. */
export type ClusterConfig = {
  /** The store; left out: SQLite in the data directory. */
  mongo_url?: string;
  /** The bus, where it is Kafka; left out: in-process. */
  kafka?: KafkaConfig;
  /** The analytics; left out: chDB in this process. */
  clickhouse_url?: string;
  /** ClickHouse's own name for its servers, where there are several of them. */
  clickhouse_cluster?: string;
  /** What joins the replicas' live values and limits; left out: each shows what it took in, and limits, by itself. */
  redis_url?: string;
};

type Env = Record<string, string | undefined>;

export const CLUSTER_SETTINGS = [
  ...[
    "MTC_MONGO_URL",
    "MTC_KAFKA_BROKERS",
    "MTC_SCHEMA_REGISTRY_URL",
    "MTC_CLICKHOUSE_URL",
    "MTC_REDIS_URL",
  ].flatMap((name) => [name, `${name}_FILE`]),
  "MTC_CLICKHOUSE_CLUSTER",
  "MTC_KAFKA_PARTITIONS",
  "MTC_KAFKA_TLS",
  "MTC_KAFKA_CA_FILE",
  "MTC_KAFKA_MECHANISM",
  "MTC_KAFKA_USERNAME",
  "MTC_KAFKA_PASSWORD",
  "MTC_KAFKA_PASSWORD_FILE",
];
/** Without these there is no cluster. */
const NEEDED = ["MTC_MONGO_URL", "MTC_KAFKA_BROKERS", "MTC_CLICKHOUSE_URL"];

/** @throws Error naming the setting and what is wrong with it; no secret is in its words */
export function parseCluster(env: Env, profile: "embedded" | "cluster"): ClusterConfig {
  const isSet = (name: string): boolean => env[name] !== undefined || env[`${name}_FILE`] !== undefined;
  if (profile === "embedded") {
    const given = CLUSTER_SETTINGS.find((name) => env[name] !== undefined);
    if (given !== undefined) throw new Error(`${given}: only with MTC_PROFILE=cluster`);
    return {};
  }
  const missing = NEEDED.find((name) => !isSet(name));
  if (missing !== undefined) throw new Error(`${missing}: MTC_PROFILE=cluster needs it`);
  const found = {
    mongo_url: parseMongoUrl(env),
    kafka: parseKafka(env),
    clickhouse_url: parseClickHouseUrl(env),
    clickhouse_cluster: parseClickHouseCluster(env),
    redis_url: parseRedisUrl(env),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The one place of these: the topic, its partitions, and the group that analytics reads by. */
export const KAFKA_DEFAULTS = { topic: "raw_data", partitions: 12, group: "mtc" };
const MAX_PARTITIONS = 1_000;

/** @throws Error naming the setting and what is wrong with it */
export function parseKafka(env: Env): KafkaConfig | undefined {
  const given = setting(env, "MTC_KAFKA_BROKERS");
  if (given === undefined) return undefined;
  const brokers = given.split(",").map((broker) => broker.trim());
  const wrong = brokers.find((broker) => !/^([\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i.test(broker));
  if (wrong !== undefined)
    throw new Error(`MTC_KAFKA_BROKERS=${given}: must be host:port, or several with commas between`);
  const partitions = Number(env.MTC_KAFKA_PARTITIONS ?? KAFKA_DEFAULTS.partitions);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new Error(
      `MTC_KAFKA_PARTITIONS=${env.MTC_KAFKA_PARTITIONS}: must be an integer from 1 to ${MAX_PARTITIONS}`,
    );
  }
  return { ...KAFKA_DEFAULTS, brokers, partitions, ...kafkaSecurity(env), ...schemaRegistry(env) };
}

/** The URL with its user and password; nothing of it is in an error's words. */
function schemaRegistry(env: Env): { schema_registry_url?: string } {
  const given = setting(env, "MTC_SCHEMA_REGISTRY_URL");
  if (given === undefined) return {};
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash)
    throw new Error("MTC_SCHEMA_REGISTRY_URL: must be http(s)://user:password@host:port/path");
  return { schema_registry_url: given };
}

const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;

function kafkaSecurity(env: Env): { security?: KafkaSecurity } {
  const { MTC_KAFKA_TLS: tls = "off", MTC_KAFKA_CA_FILE: file } = env;
  if (tls !== "off" && tls !== "on") throw new Error(`MTC_KAFKA_TLS=${tls}: must be off or on`);
  if (file !== undefined && tls === "off") throw new Error("MTC_KAFKA_CA_FILE: only with MTC_KAFKA_TLS=on");
  const sasl = kafkaSasl(env);
  if (tls === "off" && !sasl) return {};
  return {
    security: {
      tls: tls === "on",
      ...(file === undefined ? {} : { ca: certificates("MTC_KAFKA_CA_FILE", file) }),
      ...(sasl ? { sasl } : {}),
    },
  };
}

function kafkaSasl(env: Env): KafkaSecurity["sasl"] {
  const { MTC_KAFKA_MECHANISM: given, MTC_KAFKA_USERNAME: username } = env;
  const password = setting(env, "MTC_KAFKA_PASSWORD");
  const all = { MTC_KAFKA_USERNAME: username, MTC_KAFKA_PASSWORD: password, MTC_KAFKA_MECHANISM: given };
  const missing = Object.entries(all).filter(([, value]) => !value);
  if (missing.length === 3 && username === undefined && given === undefined) return undefined;
  if (missing[0]) {
    const names = Object.keys(all).filter((name) => name !== missing[0]?.[0]);
    throw new Error(`${missing[0][0]}: needed with ${names.join(" and ")}`);
  }
  const mechanism = MECHANISMS.find((one) => one === given);
  if (!mechanism) throw new Error(`MTC_KAFKA_MECHANISM=${given}: must be ${MECHANISMS.join(" or ")}`);
  return { mechanism, username: username ?? "", password: password ?? "" };
}

/** @returns the file's certificates, PEM */
function certificates(name: string, file: string): string {
  if (!existsSync(file)) throw new Error(`${name}=${file}: there is no such file`);
  const text = readFileSync(file, "utf8");
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (found.length === 0) throw new Error("none");
    for (const one of found) new X509Certificate(one);
  } catch {
    throw new Error(`${name}=${file}: must hold certificates in PEM`);
  }
  return found.join("\n");
}

/** @returns the URL with its user and password; nothing of it is in an error's words @throws Error */
export function parseClickHouseUrl(env: Env): string | undefined {
  const given = setting(env, "MTC_CLICKHOUSE_URL");
  if (given === undefined) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol))
    throw new Error("MTC_CLICKHOUSE_URL: must be http(s)://user:password@host:port");
  return given;
}

/** @throws Error */
export function parseClickHouseCluster(env: Env): string | undefined {
  const given = env.MTC_CLICKHOUSE_CLUSTER;
  if (given !== undefined && !/^([\w.-]+|\{[\w.-]+\})$/.test(given))
    throw new Error(`MTC_CLICKHOUSE_CLUSTER=${given}: must be a name, or a macro in braces`);
  return given;
}

/**
 * @returns the URL with its user, password and options, as the driver takes it; nothing of it is in an error's words
 * @throws Error
 */
export function parseMongoUrl(env: Env): string | undefined {
  const given = setting(env, "MTC_MONGO_URL");
  if (given === undefined) return undefined;
  if (!/^mongodb(\+srv)?:\/\/([^@/]+@)?[^@/]+(\/|$)/.test(given))
    throw new Error("MTC_MONGO_URL: must be mongodb://user:password@host:port,…/database?replicaSet=…");
  return given;
}

/** @returns the URL with its password; nothing of it is in an error's words @throws Error */
export function parseRedisUrl(env: Env): string | undefined {
  const given = setting(env, "MTC_REDIS_URL");
  if (given === undefined) return undefined;
  if (!/^rediss?:\/\/([^@/]*@)?[^@/]+(\/\d*)?$/.test(given))
    throw new Error("MTC_REDIS_URL: must be redis(s)://user:password@host:port");
  return given;
}

/** A setting, or what is in the file that `…_FILE` names. */
function setting(env: Env, name: string): string | undefined {
  const [value, file] = [env[name], env[`${name}_FILE`]];
  if (value !== undefined && file !== undefined)
    throw new Error(`${name} and ${name}_FILE: give one of them`);
  if (file === undefined) return value;
  if (!existsSync(file)) throw new Error(`${name}_FILE=${file}: there is no such file`);
  return readFileSync(file, "utf8").trim();
}
