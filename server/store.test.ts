// The store that the settings mean, and what they may be.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { SCHEMA_VERSION } from "../analytics-sql/schema/schema.ts";
import { NewerSchema, textOf } from "../analytics-sql/schema/version.ts";
import { parseMongoUrl } from "./cluster-config.ts";
import { ROLES } from "./config.ts";
import { storeVersion } from "./schema-version.ts";
import { openStore } from "./store.ts";

const die = (error: Error): never => {
  throw error;
};

test("without a URL it is SQLite in the data directory", async () => {
  const data_dir = mkdtempSync(`${tmpdir()}/mtc-store-`);
  const store = await openStore({ data_dir, raw_retention_days: 30, roles: ROLES }, () => {}, die);
  expect(store.about()).toEqual({ engine: "sqlite", lacks: [] });
  await store.close();
  rmSync(data_dir, { recursive: true, force: true });
});

test("a server that is not there is named, its password is not", async () => {
  const config = {
    data_dir: "/nowhere",
    mongo_url: "mongodb://mtc:hidden@127.0.0.1:1/mtc",
    raw_retention_days: 30,
    roles: ROLES,
  };
  const error = (await openStore(config, () => {}, die).catch((error: unknown) => error)) as Error;
  expect(error.message).toContain("127.0.0.1:1");
  expect(error.message).not.toContain("hidden");
});

test("a MongoDB has a schema's version, as a data directory has (SPEC 14.6)", () => {
  const own = textOf(SCHEMA_VERSION);
  const { major, minor } = SCHEMA_VERSION;
  expect([undefined, "1.0", own, `${major}.${minor + 1}`].map(storeVersion)).toEqual([
    own,
    own,
    undefined,
    undefined,
  ]);
  expect(() => storeVersion(`${major + 1}.0`)).toThrow(NewerSchema);
  expect(() => storeVersion(`${major + 1}.0`)).toThrow("the MongoDB database has the schema");
  expect(() => storeVersion("newest")).toThrow("must be a schema's version, like");
});

test("the setting is a MongoDB URL, or in a file", () => {
  const url = "mongodb://mtc:secret@a:27017,b:27017,c:27017/mtc?replicaSet=rs0";
  expect(parseMongoUrl({})).toBeUndefined();
  expect(parseMongoUrl({ MTC_MONGO_URL: url })).toBe(url);
  const file = `${mkdtempSync(`${tmpdir()}/mtc-store-`)}/url`;
  writeFileSync(file, `${url}\n`);
  expect(parseMongoUrl({ MTC_MONGO_URL_FILE: file })).toBe(url);
  expect(() => parseMongoUrl({ MTC_MONGO_URL: url, MTC_MONGO_URL_FILE: file })).toThrow("give one of them");
  for (const wrong of ["http://a:1/x", "a:27017", "mongodb://mtc:secret@/"]) {
    const refused = () => parseMongoUrl({ MTC_MONGO_URL: wrong });
    expect(refused).toThrow("MTC_MONGO_URL: ");
    expect(refused).not.toThrow("secret");
  }
});
