// The lake's settings, out of the environment that server/config.ts was given.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { S3Options } from "../analytics-sql/lake/s3.ts";

export type LakeConfig = { kind: "folder"; path: string } | ({ kind: "s3" } & S3Options);

const S3_KEYS = ["MTC_LAKE_S3_ACCESS_KEY", "MTC_LAKE_S3_SECRET_KEY"] as const;
const S3_PLACE = ["MTC_LAKE_S3_ENDPOINT", "MTC_LAKE_S3_REGION"] as const;
const S3_SETTINGS = [...S3_PLACE, ...S3_KEYS.flatMap((name) => [name, `${name}_FILE`])];

export const LAKE_SETTINGS = ["MTC_LAKE_URL", ...S3_SETTINGS];

type Env = Record<string, string | undefined>;

/** @throws Error naming the setting and what is wrong with it */
export function parseLake(env: Env): LakeConfig | undefined {
  const url = env.MTC_LAKE_URL;
  const s3 = S3_SETTINGS.filter((name) => env[name] !== undefined);
  if (url?.startsWith("s3://")) return parseS3(env, url);
  if (s3.length > 0) throw new Error(`${s3.join(", ")}: only for MTC_LAKE_URL=s3://…`);
  if (url === undefined) return undefined;
  if (url === "" || (/^[a-z0-9+.-]+:/i.test(url) && !url.startsWith("file:///"))) {
    throw new Error(`MTC_LAKE_URL=${url}: must be a path, file:///path or s3://bucket/prefix`);
  }
  const path = resolve(url.startsWith("file:") ? fileURLToPath(url) : url);
  refuseGlobs(`MTC_LAKE_URL=${url}`, path);
  return { kind: "folder", path };
}

function parseS3(env: Env, url: string): LakeConfig {
  const [, bucket, rest = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? [];
  if (bucket === undefined) throw new Error(`MTC_LAKE_URL=${url}: must be s3://bucket/prefix`);
  refuseGlobs(`MTC_LAKE_URL=${url}`, rest);
  const prefix = rest.replace(/\/+$/, "");
  const region = env.MTC_LAKE_S3_REGION ?? "us-east-1";
  const endpoint = (env.MTC_LAKE_S3_ENDPOINT ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, "");
  if (!/^https?:\/\/[^/?#]+$/.test(endpoint)) {
    throw new Error(`MTC_LAKE_S3_ENDPOINT=${endpoint}: must be http(s)://host, with a port where it has one`);
  }
  const [access_key = "", secret_key = ""] = S3_KEYS.map((name) => secret(env, name));
  return { kind: "s3", endpoint, region, bucket, prefix: prefix && `${prefix}/`, access_key, secret_key };
}

/** The engine would take it for a pattern, and read or write what nobody named. */
export const hasGlobs = (path: string): boolean => /[*?{}[\]]/.test(path);

/** @param given as it is told @throws Error for a pattern */
export function refuseGlobs(given: string, path: string): void {
  if (hasGlobs(path)) throw new Error(`${given}: must not hold any of * ? { } [ ]`);
}

function secret(env: Env, name: string): string {
  const [value, file] = [env[name], env[`${name}_FILE`]];
  if (value !== undefined && file !== undefined)
    throw new Error(`${name} and ${name}_FILE: give one of them`);
  if (file !== undefined && !existsSync(file)) throw new Error(`${name}_FILE=${file}: there is no such file`);
  const found = file === undefined ? value : readFileSync(file, "utf8").trim();
  if (!found) throw new Error(`${name}: MTC_LAKE_URL=s3://… needs it`);
  return found;
}
