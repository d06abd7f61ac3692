// An agent's assets, from the agent to the API of the real program.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { ScriptedAgent } from "../ingest/sources/mtconnect/scripted-agent.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

type Asset = { asset_id: string; type: string; ts: string; removed: boolean; omitted_bytes: number };
type List = { rows: Asset[]; next_cursor: string | null };

const agent = new ScriptedAgent();
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await discard(server);
  await agent.stop();
});

const tool = (id: string, second: number): string =>
  `<CuttingTool assetId="${id}" timestamp="2026-01-05T06:00:0${second}Z" deviceUuid="uuid-1"><Life>${second}</Life></CuttingTool>`;
const path = "/api/v1/machines/lathe/assets";

/** The list, once `ready` is true of it. */
const listed = (ready: (rows: Asset[]) => boolean): Promise<Asset[]> =>
  until(async () => {
    const { body } = await server.call<List>("GET", path);
    return ready(body.rows) ? body.rows : undefined;
  });

test("first contact, change and removal are in the list; each asset comes with the agent's own bytes", async () => {
  agent.assets.set("T/1", tool("T/1", 1));
  agent.assets.set("T2", tool("T2", 1));
  const source = { kind: "mtconnect", url: agent.url, device: "M1" };
  await server.call("POST", "/api/v1/machines", { id: "lathe", name: "Lathe", source });
  await listed((rows) => rows.length === 2);
  agent.putAsset("T/1", tool("T/1", 5));
  agent.assets.delete("T2");
  agent.add("m1-asset-rem", "T2", { ts: "2026-01-05T06:00:07Z" });
  const rows = await listed(
    ([first, second]) => first?.ts.includes("05.") === true && second?.removed === true,
  );
  expect(rows).toEqual([
    {
      asset_id: "T/1",
      type: "CuttingTool",
      ts: "2026-01-05T06:00:05.000000Z",
      removed: false,
      omitted_bytes: 0,
    },
    {
      asset_id: "T2",
      type: "CuttingTool",
      ts: "2026-01-05T06:00:07.000000Z",
      removed: true,
      omitted_bytes: 0,
    },
  ]);
  const one = await server.call("GET", `${path}/${encodeURIComponent("T/1")}`);
  expect(one.body).toEqual({ ...rows[0], document: tool("T/1", 5) });
});

test("the list in pages and as CSV; what is not known, or another's, is 404", async () => {
  const first = await server.call<List>("GET", `${path}?limit=1`);
  expect(first.body).toMatchObject({ rows: [{ asset_id: "T/1" }], next_cursor: "T/1" });
  const second = await server.call<List>("GET", `${path}?limit=1&cursor=${encodeURIComponent("T/1")}`);
  expect(second.body).toMatchObject({ rows: [{ asset_id: "T2" }], next_cursor: null });
  const csv = await server.call<string>("GET", `${path}?format=csv`);
  expect(csv.body.split("\n")[0]?.split(",").toSorted()).toEqual(
    "asset_id,omitted_bytes,removed,ts,type".split(","),
  );
  expect(csv.body.trim().split("\n")).toHaveLength(3);
  for (const unknown of [`${path}/T9`, "/api/v1/machines/ghost/assets", "/api/v1/machines/ghost/assets/T2"])
    expect((await server.call("GET", unknown)).status).toBe(404);
  const schema = await server.call("GET", "/schemas/mtc.asset.v1.json");
  expect(schema.status).toBe(200);
});

test("invariant 2: after a restart the agent is asked again, and nothing is stored twice", async () => {
  const before = await server.call<List>("GET", path);
  await server.stop();
  server = await startServer({}, server.data_dir);
  const asked = agent.requests.length;
  await until(
    () => agent.requests.slice(asked).some((request) => request.startsWith("/assets")) || undefined,
  );
  await server.settled();
  expect((await server.call<List>("GET", path)).body).toEqual(before.body);
});
