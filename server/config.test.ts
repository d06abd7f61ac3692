// The environment: defaults, and what stops the start.
import { expect, test } from "bun:test";
import { ConfigError, parseConfig } from "./config.ts";

test("nothing set is the embedded profile on loopback", () => {
  expect(parseConfig({ HOME: "/root" })).toMatchObject({
    host: "127.0.0.1",
    port: 3000,
    profile: "embedded",
    demo: "auto",
    raw_retention_days: 30,
  });
});

test("the lake: off, a folder, a bucket", () => {
  const s3 = { MTC_LAKE_S3_ACCESS_KEY: "a", MTC_LAKE_S3_SECRET_KEY: "s" };
  expect(parseConfig({}).lake).toBeUndefined();
  expect(parseConfig({ MTC_LAKE_URL: "file:///srv/lake" }).lake).toEqual({
    kind: "folder",
    path: "/srv/lake",
  });
  expect(parseConfig({ MTC_LAKE_URL: "/srv/lake/" }).lake).toEqual({ kind: "folder", path: "/srv/lake" });
  expect(
    parseConfig({ MTC_LAKE_URL: "s3://lake/mtc/", MTC_LAKE_S3_REGION: "eu-west-1", ...s3 }).lake,
  ).toEqual({
    kind: "s3",
    endpoint: "https://s3.eu-west-1.amazonaws.com",
    region: "eu-west-1",
    bucket: "lake",
    prefix: "mtc/",
    access_key: "a",
    secret_key: "s",
  });
});

test.each([
  [{ MTC_PORT: "http" }, "MTC_PORT=http"],
  [{ MTC_PORT: "65536" }, "MTC_PORT=65536"],
  [{ MTC_DEMO: "on" }, "MTC_DEMO=on: must be auto or off"],
  [{ MTC_PROFILE: "cloud" }, "MTC_PROFILE=cloud: must be embedded or cluster"],
  [{ MTC_PROFILE: "cluster" }, "embedded profile only"],
  [{ MTC_KAFKA_BROKERS: "b:9092" }, "MTC_KAFKA_BROKERS"],
  [{ MTC_ROLES: "api" }, "MTC_ROLES=api"],
  [{ MTC_PROT: "3000" }, "MTC_PROT is not a setting"],
  [{ MTC_ADMIN_KEY: "short" }, "at least 16 characters"],
  [{ MTC_RAW_RETENTION_DAYS: "0" }, "MTC_RAW_RETENTION_DAYS=0"],
  [{ MTC_LAKE_URL: "gs://bucket" }, "MTC_LAKE_URL=gs://bucket: must be a path"],
  [{ MTC_LAKE_URL: "" }, "MTC_LAKE_URL="],
  [{ MTC_LAKE_URL: "/srv/{a,b}" }, "must not hold any of"],
  [{ MTC_LAKE_URL: "s3://" }, "must be s3://bucket/prefix"],
  [{ MTC_LAKE_URL: "s3://lake" }, "MTC_LAKE_S3_ACCESS_KEY: MTC_LAKE_URL=s3://… needs it"],
  [
    { MTC_LAKE_URL: "/srv/lake", MTC_LAKE_S3_REGION: "eu" },
    "MTC_LAKE_S3_REGION: only for MTC_LAKE_URL=s3://…",
  ],
  [
    { MTC_LAKE_URL: "s3://lake", MTC_LAKE_S3_ACCESS_KEY: "a", MTC_LAKE_S3_ACCESS_KEY_FILE: "/a" },
    "give one of them",
  ],
  [{ MTC_LAKE_URL: "s3://lake", MTC_LAKE_S3_ENDPOINT: "minio:9000" }, "MTC_LAKE_S3_ENDPOINT=minio:9000"],
] as [Record<string, string>, string][])("%j stops the start with its name", (env, message) => {
  expect(() => parseConfig(env)).toThrow(ConfigError);
  expect(() => parseConfig(env)).toThrow(message);
});
