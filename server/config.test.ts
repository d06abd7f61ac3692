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
] as [Record<string, string>, string][])("%j stops the start with its name", (env, message) => {
  expect(() => parseConfig(env)).toThrow(ConfigError);
  expect(() => parseConfig(env)).toThrow(message);
});
