// What the machines' API refuses, with the path of what is wrong (SPEC 11.8).
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { ScriptedDevice } from "../../../ingest/sources/modbus/scripted-device.ts";
import { discard, startServer, type TestServer } from "../../testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => discard(server));

const point = (more: object = {}) => ({ signal: "a", kind: "holding", address: 1, ...more });
const modbus = (map: unknown) => ({ name: "Press", source: { kind: "modbus", host: "127.0.0.1", map } });

const refused: [what: string, body: object, path: string][] = [
  ["an address that is no number", modbus([point({ address: "x" })]), "/source/map/0/address"],
  ["an unknown kind", modbus([point(), point({ signal: "b", kind: "foo" })]), "/source/map/1/kind"],
  ["two points of one signal", modbus([point(), point()]), "/source/map/1/signal"],
  [
    "a value past the last address",
    modbus([point({ type: "uint32", address: 65_535 })]),
    "/source/map/0/address",
  ],
  ["a number of a coil", modbus([point({ kind: "coil", type: "int16" })]), "/source/map/0/type"],
  ["a map nobody knows", modbus("adam-1"), "/source/map"],
  ["an empty map", modbus([]), "/source/map"],
  [
    "a channel the module has not",
    modbus({ module: "adam-6050", frequency: [12] }),
    "/source/map/frequency/0",
  ],
  ["a misspelt property of a point", modbus([point({ scael: 0.1 })]), "/source/map/0/scael"],
  ["a misspelt property of a source", { name: "x", source: { kind: "http", url: "y" } }, "/source/url"],
  ["a misspelt property", { name: "x", nmae: "y" }, "/nmae"],
  [
    "a rule for a signal that its map has not",
    { ...modbus("adam-6050"), rules: [{ signal: "di12", is: "execution" }] },
    "/rules/0/signal",
  ],
  [
    "a rule for what its map tells already",
    { ...modbus([point({ signal: "execution" }), point()]), rules: [{ signal: "a", is: "execution" }] },
    "/rules/0/is",
  ],
  ["no host", { name: "x", source: { kind: "modbus", map: "adam-6050" } }, "/source/host"],
  [
    "an agent where a cloud keeps its credentials",
    { name: "x", source: { kind: "mtconnect", url: "http://0xa9fea9fe/latest" } },
    "/source/url",
  ],
  [
    "an agent in a file",
    { name: "x", source: { kind: "mtconnect", url: "file:///etc/passwd" } },
    "/source/url",
  ],
  [
    "a module on a multicast address",
    { name: "x", source: { kind: "modbus", host: "224.0.0.1", map: "adam-6050" } },
    "/source/host",
  ],
  ["an unknown kind of source", { name: "x", source: { kind: "opc" } }, "/source"],
];
test.each(refused)("%s is refused with its path", async (_, body, path) => {
  const answer = await server.call<{ errors: { path: string }[] }>("POST", "/api/v1/machines", body);
  expect(answer.status).toBe(422);
  expect(answer.body.errors.map((error) => error.path)).toContain(path);
});

test("nothing refused was made; a PATCH is held to the same", async () => {
  expect((await server.call("GET", "/api/v1/machines")).body).toEqual({ rows: [] });
  await server.call("POST", "/api/v1/machines", { id: "press", name: "Press" });
  const patch = { source: modbus([point(), point()]).source };
  expect((await server.call("PATCH", "/api/v1/machines/press", patch)).status).toBe(422);
  const good = { source: modbus([point({ type: "uint32", address: 65_534 })]).source };
  expect(await server.call("PATCH", "/api/v1/machines/press", good)).toMatchObject({
    status: 200,
    body: good,
  });
});

test("the key is looked at before the body; the body is described in /openapi.json", async () => {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: "nonsense" };
  expect((await fetch(`${server.origin}/api/v1/machines`, request)).status).toBe(401);
  type Operation = { requestBody?: { content: Record<string, { schema: { properties: object } }> } };
  const { body } = await server.call<{ paths: Record<string, { post: Operation }> }>("GET", "/openapi.json");
  const content = body.paths["/api/v1/machines"]?.post.requestBody?.content;
  expect(Object.keys(content?.["application/json"]?.schema.properties ?? {})).toEqual([
    "id",
    "name",
    "group",
    "source",
    "rules",
  ]);
});

test("invariant 4: a machine made again under its id begins anew; its past stays as it was", async () => {
  type List = { rows: Record<string, unknown>[] };
  const base = "/api/v1/machines/again";
  const rows = async (path: string) => {
    await server.settled();
    return (await server.call<List>("GET", `${base}/${path}`)).body.rows;
  };
  const told = async (minutes_ago: number, count: number): Promise<void> => {
    const ts = new Date(Date.now() - minutes_ago * 60_000).toISOString();
    const observations = [
      { signal: "execution", ts, value: "ACTIVE" },
      { signal: "part_count", ts, value: count },
    ];
    expect((await server.call("POST", "/internal/machines/again/data", { observations })).status).toBe(202);
  };
  const began = new Date(Date.now() - 3_600_000).toISOString();
  const module = await ScriptedDevice.start();
  const source = { kind: "modbus", host: "127.0.0.1", port: module.port, map: "adam-6050", poll_ms: 50 };
  await server.call("POST", "/api/v1/machines", { id: "again", name: "Again", source });
  await server.call("PUT", `${base}/calendar`, {
    timezone: "UTC",
    shifts: [
      { name: "day", start: "00:00", end: "00:00", days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] },
    ],
  });
  await server.call("PUT", `${base}/cycle-times`, [{ valid_from: began, ideal_cycle_s: 60 }]);
  await server.call("PUT", `${base}/policy`, { unknown: "excluded", reasons: {} });
  await told(50, 0);
  await told(40, 5);
  const come = (path: string) =>
    until(async () => (await rows(`${path}from=${began}`)).length > 0 || undefined);
  await come("observations?signal=availability&");
  await module.stop();
  await until(
    async () => (await rows(`gaps?from=${began}`)).some(({ to }) => to === null) || undefined,
    30_000,
  );
  const past = `from=${began}&to=${new Date(Date.now() - 1_800_000).toISOString()}`;
  const before = (await rows(`oee?${past}`))[0];
  expect(before).toMatchObject({ total_count: 5 });
  expect(before?.performance).toBeGreaterThan(0);
  expect((await rows(`oee?by=shift&${past}`)).at(-1)?.key).toEndWith(" day");
  // From when it was made until it was first read, and since it was last read.
  expect((await rows(`gaps?from=${began}`)).map(({ to }) => to === null)).toEqual([false, true]);

  expect((await server.call("DELETE", base)).status).toBe(204);
  const made = await server.call("POST", "/api/v1/machines", { id: "again", name: "Again" });
  expect(made.status).toBe(201);
  const made_at = new Date().toISOString();
  await told(0, 10);
  const now = new Date(Date.now() + 1_000).toISOString();
  expect((await rows(`gaps?from=${began}`)).map(({ to }) => to)).not.toContain(null);
  expect((await rows(`states?from=${began}&to=${now}`)).at(-1)).toMatchObject({ state: "RUNNING" });
  const { total_count, performance, scheduled_time_s } = before ?? {};
  const [after] = await rows(`oee?${past}`);
  expect(after).toMatchObject({ total_count, performance, scheduled_time_s });
  // A policy knows no time: it is the one in force now.
  const policy = await server.call<{ policy: object }>("GET", `${base}/oee?${past}`);
  expect(policy.body.policy).toMatchObject({ unknown: "loss" });
  const since = `from=${made_at}&to=${now}`;
  const [anew] = await rows(`oee?by=shift&${since}`);
  expect(anew).toMatchObject({ key: "", performance: null, flags: ["no_ideal_cycle"] });
  expect(anew?.scheduled_time_s).toBe(anew?.calendar_time_s);
});
