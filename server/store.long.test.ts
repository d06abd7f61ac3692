// With a URL the store is MongoDB.
import { expect, test } from "bun:test";
import { MONGO_ENGINES } from "../ingest/testing/mongo.ts";
import { ROLES } from "./config.ts";
import { openStore } from "./store.ts";

const die = (error: Error): never => {
  throw error;
};

const engine = MONGO_ENGINES.find(({ start }) => start);
test.skipIf(!engine)("with a URL it is MongoDB, and the data directory stays untouched", async () => {
  const server = await engine?.start?.();
  if (!server) return;
  const config = {
    data_dir: "/nowhere/that/may/be/written",
    mongo_url: server.url("open"),
    raw_retention_days: 30,
    roles: ROLES,
  };
  const store = await openStore(config, () => {}, die);
  expect(store.about().engine).toBe("mongodb");
  expect(await store.machines()).toEqual([]);
  await store.close();
  await server.stop();
});
