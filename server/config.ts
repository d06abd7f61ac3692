// The program's settings: the environment is read here, once, and nowhere else.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { KafkaConfig } from "./cluster-config.ts";
import { LAKE_SETTINGS, type LakeConfig, parseLake } from "./lake-config.ts";

export type Config = {
  host: string;
  port: number;
  data_dir: string;
  profile: "embedded";
  demo: "auto" | "off";
  /** Where the first admin key is read from, or written to when the file is not there yet. */
  admin_key_file: string;
  /** The key itself, where it was given. */
  admin_key: string | undefined;
  /** Where it is, in words for the start's output. */
  admin_key_place: string;
  raw_retention_days: number;
  /** The store's MongoDB, with user and password; left out: SQLite in the data directory. */
  mongo_url?: string;
  /** The bus, where it is Kafka; left out: in-process. */
  kafka?: KafkaConfig;
  /** The ClickHouse server, with user and password; left out: chDB in this process. */
  clickhouse_url?: string;
  /** Where closed days are written as Parquet; undefined: nowhere. */
  lake: LakeConfig | undefined;
};

/** A setting that cannot be; the start stops with its message. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** An admin key must not be guessed. */
export const MIN_KEY_LENGTH = 16;

const KNOWN = [
  "MTC_PORT",
  "MTC_HOST",
  "MTC_DATA_DIR",
  "MTC_PROFILE",
  "MTC_ROLES",
  "MTC_DEMO",
  "MTC_ADMIN_KEY",
  "MTC_ADMIN_KEY_FILE",
  "MTC_RAW_RETENTION_DAYS",
  ...LAKE_SETTINGS,
];
/** Settings of the cluster profile: refused with a word of their own until this release has it. */
const CLUSTER = [
  "MTC_MONGO_URL",
  "MTC_KAFKA_BROKERS",
  "MTC_KAFKA_PARTITIONS",
  "MTC_CLICKHOUSE_URL",
  "MTC_REDIS_URL",
];

/**
 * @param env the environment's variables
 * @throws ConfigError naming the variable, what it holds and what it may hold
 */
export function parseConfig(env: Record<string, string | undefined>): Config {
  for (const name of Object.keys(env)) {
    if (!name.startsWith("MTC_") || KNOWN.includes(name)) continue;
    if (CLUSTER.includes(name.replace(/_FILE$/, ""))) throw new ConfigError(`${name}: ${NO_CLUSTER}`);
    throw new ConfigError(`${name} is not a setting; known are ${KNOWN.join(", ")}`);
  }
  oneOf(env, "MTC_PROFILE", ["embedded", "cluster"], "embedded");
  if (env.MTC_PROFILE === "cluster") throw new ConfigError(`MTC_PROFILE=cluster: ${NO_CLUSTER}`);
  const roles = env.MTC_ROLES ?? "api,collect,relay";
  if (roles.split(",").sort().join() !== "api,collect,relay") {
    throw new ConfigError(
      `MTC_ROLES=${roles}: the embedded profile runs all of api,collect,relay in one process`,
    );
  }
  const data_dir = resolve(env.MTC_DATA_DIR ?? "./data");
  const admin_key_file = resolve(env.MTC_ADMIN_KEY_FILE ?? `${data_dir}/admin.key`);
  return {
    host: env.MTC_HOST ?? "127.0.0.1",
    port: integer(env, "MTC_PORT", 3000, 0, 65_535),
    data_dir,
    profile: "embedded",
    demo: oneOf(env, "MTC_DEMO", ["auto", "off"], "auto"),
    admin_key_file,
    admin_key: adminKey(env),
    admin_key_place: env.MTC_ADMIN_KEY === undefined ? admin_key_file : "as given in MTC_ADMIN_KEY",
    raw_retention_days: integer(env, "MTC_RAW_RETENTION_DAYS", 30, 1, 36_500),
    lake: lakeOf(env),
  };
}

function lakeOf(env: Record<string, string | undefined>): LakeConfig | undefined {
  try {
    return parseLake(env);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

const NO_CLUSTER = "this release has the embedded profile only (SQLite and chDB in one process)";

function adminKey(env: Record<string, string | undefined>): string | undefined {
  if (env.MTC_ADMIN_KEY !== undefined && env.MTC_ADMIN_KEY_FILE !== undefined) {
    throw new ConfigError("MTC_ADMIN_KEY and MTC_ADMIN_KEY_FILE: give one of them");
  }
  const file = env.MTC_ADMIN_KEY_FILE;
  const key = file !== undefined && existsSync(file) ? readFileSync(file, "utf8").trim() : env.MTC_ADMIN_KEY;
  if (key !== undefined && key.length < MIN_KEY_LENGTH) {
    throw new ConfigError(
      `${file ? "MTC_ADMIN_KEY_FILE" : "MTC_ADMIN_KEY"}: a key has at least ${MIN_KEY_LENGTH} characters`,
    );
  }
  return key;
}

function oneOf<T extends string>(
  env: Record<string, string | undefined>,
  name: string,
  allowed: readonly T[],
  otherwise: T,
): T {
  const value = env[name];
  if (value === undefined) return otherwise;
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw new ConfigError(`${name}=${value}: must be ${allowed.join(" or ")}`);
  return found;
}

function integer(
  env: Record<string, string | undefined>,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const value = env[name];
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new ConfigError(`${name}=${value}: must be an integer from ${min} to ${max}`);
  }
  return number;
}
