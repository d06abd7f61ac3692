// What the machines' API refuses, with the path of what is wrong.
import { afterAll, beforeAll, expect, test } from "bun:test";
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
