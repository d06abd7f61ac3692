// The program's settings: the environment is read here, once, and nowhere else.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CLUSTER_SETTINGS, type ClusterConfig, parseCluster } from "./cluster-config.ts";
import { LAKE_SETTINGS, type LakeConfig, parseLake } from "./lake-config.ts";

/** What a process does: `api` serves HTTP, `collect` reads the sources, `relay` carries the outbox to the bus. */
export const ROLES = ["api", "collect", "relay"] as const;
export type Role = (typeof ROLES)[number];

/** In the embedded profile nothing of {@link ClusterConfig} is set. */
export type Config = ClusterConfig & {
  host: string;
  port: number;
  data_dir: string;
  profile: "embedded" | "cluster";
  roles: readonly Role[];
  demo: "auto" | "off";
  /** Where the first admin key is read from, or written to when the file is not there yet. */
  admin_key_file: string;
  /** The key itself, where it was given. */
  admin_key: string | undefined;
  /** Where it is, in words for the start's output. */
  admin_key_place: string;
  raw_retention_days: number;
  /** Requests a second that one key or user may make, and as many at once. */
  rate_limit_per_s: number;
  /** Proxies that requests come through, each of which appends to X-Forwarded-For. */
  trusted_proxies: number;
  /** After SIGTERM it says that it is not ready, and goes on to answer for so long. */
  drain_s: number;
  /** Where closed days are written as Parquet; undefined: nowhere. */
  lake: LakeConfig | undefined;
};

/** A setting that cannot be; the start stops with its message. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** An admin key must not be guessed. */
export const MIN_KEY_LENGTH = 16;

/** With what follows it stays within the 30 s that whoever stops a program gives it. */
const MAX_DRAIN_S = 10;

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
  "MTC_RATE_LIMIT_PER_S",
  "MTC_TRUSTED_PROXIES",
  "MTC_DRAIN_S",
  ...LAKE_SETTINGS,
];

/**
 * @param env the environment's variables
 * @throws ConfigError naming the variable, what it holds and what it may hold
 */
export function parseConfig(env: Record<string, string | undefined>): Config {
  for (const name of Object.keys(env)) {
    if (!name.startsWith("MTC_") || KNOWN.includes(name) || CLUSTER_SETTINGS.includes(name)) continue;
    throw new ConfigError(
      `${name} is not a setting; known are ${[...KNOWN, ...CLUSTER_SETTINGS].join(", ")}`,
    );
  }
  const profile = oneOf(env, "MTC_PROFILE", ["embedded", "cluster"], "embedded");
  const data_dir = resolve(env.MTC_DATA_DIR ?? "./data");
  const admin_key_file = resolve(env.MTC_ADMIN_KEY_FILE ?? `${data_dir}/admin.key`);
  return {
    host: env.MTC_HOST ?? "127.0.0.1",
    port: integer(env, "MTC_PORT", 3000, 0, 65_535),
    data_dir,
    profile,
    roles: rolesOf(env, profile),
    ...told(() => parseCluster(env, profile)),
    demo: demoOf(env, profile),
    admin_key_file,
    admin_key: adminKey(env),
    admin_key_place: env.MTC_ADMIN_KEY === undefined ? admin_key_file : "as given in MTC_ADMIN_KEY",
    raw_retention_days: integer(env, "MTC_RAW_RETENTION_DAYS", 30, 1, 36_500),
    rate_limit_per_s: integer(env, "MTC_RATE_LIMIT_PER_S", 50_000, 1, 1_000_000),
    trusted_proxies: integer(env, "MTC_TRUSTED_PROXIES", 0, 0, 10),
    drain_s: integer(env, "MTC_DRAIN_S", 5, 0, MAX_DRAIN_S),
    lake: told(() => parseLake(env)),
  };
}

/** What is wrong is a setting's fault. */
function told<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

function rolesOf(env: Record<string, string | undefined>, profile: Config["profile"]): Role[] {
  const given = env.MTC_ROLES ?? ROLES.join();
  const words = given.split(",").map((word) => word.trim());
  const roles = ROLES.filter((role) => words.includes(role));
  if (words.some((word) => !ROLES.some((role) => role === word)))
    throw new ConfigError(`MTC_ROLES=${given}: must be one or several of ${ROLES.join()}`);
  if (profile === "embedded" && roles.length < ROLES.length) {
    throw new ConfigError(
      `MTC_ROLES=${given}: the embedded profile runs all of ${ROLES.join()} in one process`,
    );
  }
  return roles;
}

/** Its simulators listen on loopback, where the collectors of another host do not reach them. */
function demoOf(env: Record<string, string | undefined>, profile: Config["profile"]): Config["demo"] {
  const demo = oneOf(env, "MTC_DEMO", ["auto", "off"], profile === "embedded" ? "auto" : "off");
  if (demo === "auto" && profile === "cluster")
    throw new ConfigError("MTC_DEMO=auto: the demo plant is for the embedded profile");
  return demo;
}

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
