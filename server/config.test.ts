// The environment (SPEC 15.2): defaults, and what stops the start.
import { expect, test } from "bun:test";
import { ConfigError, parseConfig } from "./config.ts";

test("nothing set is the embedded profile on loopback", () => {
  expect(parseConfig({ HOME: "/root" })).toMatchObject({
    host: "127.0.0.1",
    port: 3000,
    profile: "embedded",
    demo: "auto",
    raw_retention_days: 30,
    rate_limit_per_s: 50_000,
    trusted_proxies: 0,
    drain_s: 5,
  });
});

const CLUSTER = {
  MTC_PROFILE: "cluster",
  MTC_MONGO_URL: "mongodb://mtc:secret@mongo-1,mongo-2/mtc?replicaSet=rs0",
  MTC_KAFKA_BROKERS: "kafka-1:9092",
  MTC_CLICKHOUSE_URL: "http://mtc:secret@clickhouse:8123",
};

test("a cluster: its servers, a part of the roles, no demo", () => {
  expect(parseConfig(CLUSTER)).toMatchObject({
    profile: "cluster",
    roles: ["api", "collect", "relay"],
    demo: "off",
    mongo_url: CLUSTER.MTC_MONGO_URL,
    kafka: { brokers: ["kafka-1:9092"], topic: "raw_data", partitions: 12 },
    clickhouse_url: CLUSTER.MTC_CLICKHOUSE_URL,
  });
  expect(parseConfig(CLUSTER)).not.toHaveProperty("redis_url");
  const some = { ...CLUSTER, MTC_ROLES: "relay, collect", MTC_REDIS_URL: "redis://:secret@redis:6379" };
  expect(parseConfig(some)).toMatchObject({ roles: ["collect", "relay"], redis_url: some.MTC_REDIS_URL });
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
  [{ MTC_PROFILE: "cluster" }, "MTC_MONGO_URL: MTC_PROFILE=cluster needs it"],
  [{ ...CLUSTER, MTC_CLICKHOUSE_URL: undefined }, "MTC_CLICKHOUSE_URL: MTC_PROFILE=cluster needs it"],
  [{ ...CLUSTER, MTC_REDIS_URL: "redis" }, "MTC_REDIS_URL: must be redis"],
  [{ ...CLUSTER, MTC_DEMO: "auto" }, "MTC_DEMO=auto: the demo plant is for the embedded profile"],
  [{ ...CLUSTER, MTC_ROLES: "api,web" }, "MTC_ROLES=api,web: must be one or several of api,collect,relay"],
  [{ ...CLUSTER, MTC_ROLES: "" }, "MTC_ROLES="],
  [{ MTC_KAFKA_BROKERS: "b:9092" }, "MTC_KAFKA_BROKERS: only with MTC_PROFILE=cluster"],
  [{ MTC_MONGO_URL_FILE: "/run/secrets/mongo" }, "MTC_MONGO_URL_FILE: only with MTC_PROFILE=cluster"],
  [{ MTC_ROLES: "api" }, "MTC_ROLES=api: the embedded profile runs all of"],
  [{ MTC_PROT: "3000" }, "MTC_PROT is not a setting"],
  [{ MTC_ADMIN_KEY: "short" }, "at least 16 characters"],
  [{ MTC_RAW_RETENTION_DAYS: "0" }, "MTC_RAW_RETENTION_DAYS=0"],
  [{ MTC_RATE_LIMIT_PER_S: "0" }, "MTC_RATE_LIMIT_PER_S=0: must be an integer from 1 to 1000000"],
  [{ MTC_TRUSTED_PROXIES: "yes" }, "MTC_TRUSTED_PROXIES=yes: must be an integer from 0 to 10"],
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
] as [Record<string, string | undefined>, string][])("%j stops the start with its name", (env, message) => {
  expect(() => parseConfig(env)).toThrow(ConfigError);
  expect(() => parseConfig(env)).toThrow(message);
});
