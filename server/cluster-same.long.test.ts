// A cluster beside the embedded program: the same inputs, and the same bytes and figures; its topic again, and no change.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { headerOf } from "../ingest/event.ts";
import { readTopic } from "../ingest/testing/topic.ts";
import { CLUSTER_OF, type Cluster, lacking, startCluster } from "./testing/cluster.ts";
import { keptInMongo, keptInSqlite } from "./testing/kept.ts";
import { agentOfInputs, comparable, sendInputs, told } from "./testing/same-inputs.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";
import { replayTwice } from "./testing/topic-again.ts";

setDefaultTimeout(limit_ms(300));
if (lacking.length > 0) console.warn(`skipped: a cluster needs ${lacking.join(", ")}`);

describe.skipIf(lacking.length > 0)(`a cluster of ${CLUSTER_OF}`, () => {
  const agent = agentOfInputs();
  let cluster: Cluster;
  let api: TestServer;

  beforeAll(async () => {
    cluster = await startCluster();
    api = await cluster.start(["api"]);
    await Promise.all([cluster.start(["collect"]), cluster.start(["relay"])]);
  });
  afterAll(async () => {
    await cluster?.stop();
    await agent?.stop();
  });

  test("invariants 5 and 8: the same inputs are the same bytes, from SQLite to the topic, and the same figures", async () => {
    const embedded = await startServer({ MTC_PROFILE: "embedded" });
    try {
      await sendInputs(embedded, agent);
      await sendInputs(api, agent);
      const alone = keptInSqlite(embedded.data_dir);
      const outbox = await keptInMongo(cluster.settings.MTC_MONGO_URL ?? "");
      expect(comparable(alone).length).toBeGreaterThan(10);
      expect(comparable(outbox)).toEqual(comparable(alone));
      const topic = await readTopic(cluster.brokers.addresses, "raw_data");
      const inTopic = new Map(topic.map(({ value }) => [headerOf(value as Buffer).id, value as Buffer]));
      expect(inTopic.size).toBe(outbox.length);
      const different = outbox.filter(({ id, bytes }) => !inTopic.get(id)?.equals(bytes));
      expect(different.map(({ id }) => id)).toEqual([]);
      const answers = await told(embedded);
      expect(Object.keys(answers).length).toBeGreaterThan(5);
      expect(await told(api)).toEqual(answers);
    } finally {
      await discard(embedded);
    }
  });

  test("invariants 2 and 6: the topic from its start again, and each message twice more, changes no figure and no row", async () => {
    const figures = await told(api);
    const { messages, before, after } = await replayTwice(cluster, api.settled);
    expect(messages).toBeGreaterThan(10);
    expect(await readTopic(cluster.brokers.addresses, "raw_data")).toHaveLength(3 * messages);
    expect(after).toEqual(before);
    expect(await told(api)).toEqual(figures);
  });
});
