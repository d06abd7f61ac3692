// Events that analytics refused, over real HTTP (SPEC 11.16): seen, delivered again, thrown away; another tenant's are none of ours.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { FROM_MS, HOUR, putPoison } from "../../testing/poison.ts";
import { discard, startServer, type TestServer } from "../../testing/server.ts";

const ALL = "/api/v1/dead-letters";
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "press-1", name: "Press 1" });
  const { data_dir } = server;
  await server.stop();
  await putPoison(data_dir, "press-1");
  server = await startServer({}, data_dir);
});
afterAll(() => discard(server));

type Row = { position: number; machine_id: string; error: string; size_bytes: number; time: string };
const listed = async (): Promise<Row[]> => (await server.call<{ rows: Row[] }>("GET", ALL)).body.rows;
async function total(): Promise<unknown> {
  await server.settled();
  const path = `/api/v1/machines/press-1/oee?${HOUR}`;
  const { body } = await server.call<{ rows: { total_count: number }[] }>("GET", path);
  return body.rows[0]?.total_count;
}

test("they are listed with their error, and given byte for byte (invariants 8 and 10)", async () => {
  const rows = await listed();
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({ machine_id: "press-1" });
  expect(rows[0]?.error).toStartWith("refused by a test");
  const event = await server.call("GET", `${ALL}/${rows[0]?.position}`);
  expect(event).toMatchObject({ status: 200, body: { subject: "press-1", data: { num: [10, 17] } } });
  const foreign = (rows[1]?.position ?? 0) + 1;
  for (const [method, path] of [
    ["GET", `${ALL}/${foreign}`],
    ["POST", `${ALL}/${foreign}/retry`],
    ["DELETE", `${ALL}/${foreign}`],
  ] as const) {
    expect((await server.call(method, path)).status).toBe(404);
  }
  expect((await server.call("GET", `${ALL}/nonsense`)).status).toBe(422);
});

test("only an admin may look, and change", async () => {
  const key = { name: "hmi", scopes: ["read", "ingest", "operate"] };
  const { body } = await server.call<{ key: string }>("POST", "/api/v1/keys", key);
  const headers = { "x-api-key": body.key };
  expect((await server.call("GET", ALL, undefined, headers)).status).toBe(403);
  expect((await server.call("DELETE", ALL, undefined, headers)).status).toBe(403);
});

test("delivered again, a good one is in the figures; a bad one comes back with what is wrong", async () => {
  const [good, bad] = await listed();
  expect(await total()).not.toBe(7);
  expect((await server.call("POST", `${ALL}/${good?.position}/retry`)).status).toBe(202);
  expect(await total()).toBe(7);
  expect((await server.call("POST", `${ALL}/retry`)).body).toEqual({ retried: 1 });
  // In a cluster they are looked for every ten seconds.
  const back = await until(async () => (await listed())[0]);
  expect(back.position).toBeGreaterThan(bad?.position ?? 0);
  expect(back.error).not.toStartWith("refused by a test");
  expect(await total()).toBe(7);
});

test("mended, it is in the figures; what is still wrong is named, and nothing is settled", async () => {
  const { data_dir } = server;
  await server.stop();
  await putPoison(data_dir, "press-1");
  server = await startServer({}, data_dir);
  const before = await listed();
  const mended = before.at(-1)?.position ?? 0;
  const event = {
    id: "01KE6HQ0000000000000000000",
    type: "mtc.observations.v1",
    subject: "press-1",
    tenantid: "default",
    time: new Date(FROM_MS).toISOString(),
    data: {
      signals: ["part_count"],
      signal: [0],
      t0: FROM_MS * 1_000 + 120_000_000,
      dt: [0],
      num: [27],
    },
  };
  const wrong = { ...event, data: { ...event.data, dt: [0, 1] } };
  const refused = await server.call<{ errors: { path: string }[] }>("PUT", `${ALL}/${mended}`, wrong);
  expect([refused.status, refused.body.errors[0]?.path]).toEqual([422, "/data/dt"]);
  const strange = await server.call("PUT", `${ALL}/${mended}`, { ...event, subject: "press-2" });
  expect(strange.status).toBe(422);
  expect(await listed()).toEqual(before);
  expect((await server.call("PUT", `${ALL}/${mended}`, event)).status).toBe(202);
  expect((await server.call("PUT", `${ALL}/${mended}`, event)).status).toBe(404);
  expect(await listed()).toHaveLength(before.length - 1);
  expect(await total()).toBe(17);
});

test("thrown away, it is gone", async () => {
  const [bad] = await listed();
  expect((await server.call("DELETE", `${ALL}/${bad?.position}`)).status).toBe(204);
  expect((await server.call("DELETE", `${ALL}/${bad?.position}`)).status).toBe(404);
  const discarded = (await listed()).length;
  expect((await server.call("DELETE", ALL)).body).toEqual({ discarded });
  expect((await server.call("DELETE", ALL)).body).toEqual({ discarded: 0 });
  expect(await listed()).toEqual([]);
});
