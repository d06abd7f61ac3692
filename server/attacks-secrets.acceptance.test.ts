// Secrets: an agent's password is shown to nobody, the admin key is the one in its file, the data directory is closed, links hold once.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import {
  callTo,
  discard,
  signIn,
  signInLink,
  signInOnce,
  startServer,
  type TestServer,
  tempDir,
} from "./testing/server.ts";

setDefaultTimeout(limit_ms(120));

const [FIRST, SECOND] = ["first-key-0123456789", "second-key-0123456789"];
const PASSWORD = "hush-hush-4711";
const data_dir = tempDir();
const key_file = `${data_dir}/given.key`;
const modeOf = (name: string): number => statSync(`${data_dir}/${name}`).mode & 0o777;

/** An agent that wants a password: what it was told last. */
const told: { authorization: string | null; path: string }[] = [];
const agent = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    const { pathname: path } = new URL(request.url);
    told.push({ authorization: request.headers.get("authorization"), path });
    return new Response("no", { status: 401 });
  },
});
const place = `127.0.0.1:${agent.port}`;
const url = (password: string): string => `http://mtc:${password}@${place}`;
const basic = `Basic ${btoa(`mtc:${PASSWORD}`)}`;

let server: TestServer;
/** With the second key, or whichever is given. */
const call = <T>(method: string, path: string, body?: unknown, key = SECOND) =>
  callTo(server.origin)<T>(method, path, body, { "x-api-key": key });
const start = async (): Promise<void> => {
  server = await startServer({ MTC_ADMIN_KEY: undefined as never, MTC_ADMIN_KEY_FILE: key_file }, data_dir);
};
const again = async (): Promise<void> => {
  await server.stop();
  await start();
};
const statusOf = async (key: string): Promise<number> =>
  (await call("GET", "/api/v1/keys", undefined, key)).status;

beforeAll(async () => {
  // As an earlier version left it.
  mkdirSync(`${data_dir}/chdb-scratch`, { mode: 0o755 });
  writeFileSync(`${data_dir}/old.sqlite`, "", { mode: 0o644 });
  writeFileSync(key_file, SECOND, { mode: 0o644 });
  await start();
});
afterAll(async () => {
  await discard(server);
  await agent.stop(true);
});

test("the data directory and what is in it is closed to others, what was there before as well", () => {
  expect(modeOf("")).toBe(0o700);
  expect([modeOf("chdb-scratch"), modeOf("chdb")]).toEqual([0o700, 0o700]);
  expect(["old.sqlite", "given.key", "mtc.sqlite", "mtc.sqlite-wal"].map(modeOf)).toEqual([
    0o600, 0o600, 0o600, 0o600,
  ]);
});

test("a sign-in link is not used up by looking at it", async () => {
  const link = await signInLink(server);
  await fetch(link, { method: "HEAD", redirect: "manual" });
  const seen = await fetch(link, { redirect: "manual" });
  expect([seen.status, seen.headers.get("set-cookie")]).toEqual([200, null]);
  expect(await seen.text()).toContain('id="sign-in-once"');
  expect((await signInOnce(server)).status).toBe(303);
  expect((await signInOnce(server)).status).toBe(401);
});

test("an agent's password is in no answer, page, metric, log, view or message", async () => {
  const made = await call("POST", "/api/v1/machines", {
    id: "mill-1",
    name: "Mill 1",
    source: { kind: "mtconnect", url: url(PASSWORD) },
  });
  expect(made.body).toMatchObject({ source: { url: url("***") } });
  expect(await until(() => told.find(({ path }) => path === "/probe"))).toMatchObject({
    authorization: basic,
  });
  await until(async () => {
    const { body } = await call<{ sources: { error: string }[] }>("GET", "/readyz");
    return body.sources.find(({ error }) => error !== "");
  });
  const paths = [
    "/api/v1/machines",
    "/api/v1/machines?format=csv",
    "/api/v1/machines/mill-1",
    "/readyz",
    "/metrics",
  ];
  paths.push(
    "/admin/machines",
    "/admin/machines/mill-1",
    "/admin/health",
    "/hmi",
    "/hmi/mill-1",
    "/dashboard",
  );
  paths.push("/api/v1/machines/mill-1/gaps", "/api/v1/dead-letters", "/openapi.json");
  paths.push(`/sql/?query=${encodeURIComponent("SELECT * FROM machines FORMAT JSON")}`);
  for (const path of paths) {
    const { status, body } = await call("GET", path);
    expect([path, status]).toEqual([path, 200]);
    expect(JSON.stringify(body)).not.toContain(PASSWORD);
  }
  const patched = await call("PATCH", "/api/v1/machines/mill-1", { name: "Mill One" });
  expect(JSON.stringify(patched.body)).not.toContain(PASSWORD);
  const stream = await fetch(`${server.origin}/api/v1/stream`, { headers: { "x-api-key": SECOND } });
  const reader = stream.body?.getReader();
  let heard = "";
  while (!heard.includes("event: snapshot\n"))
    heard += new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  expect(heard + server.output()).not.toContain(PASSWORD);
});

test("the masked form that is sent back keeps the password, at the same place and for the same user only", async () => {
  const patch = (source: object) =>
    call<{ source: object; errors: { path: string }[] }>("PATCH", "/api/v1/machines/mill-1", { source });
  told.length = 0;
  const kept = await patch({ kind: "mtconnect", url: url("***"), device: "D1" });
  expect(kept).toMatchObject({ status: 200, body: { source: { url: url("***"), device: "D1" } } });
  expect(await until(() => told[0])).toMatchObject({ authorization: basic });
  for (const elsewhere of [
    `http://mtc:***@localhost:${agent.port}`,
    `http://other:***@${place}`,
    `http://***@${place}`,
  ]) {
    const refused = await patch({ kind: "mtconnect", url: elsewhere });
    expect([elsewhere, refused.status, refused.body.errors[0]?.path]).toEqual([
      elsewhere,
      422,
      "/source/url",
    ]);
  }
  const source = { kind: "mtconnect", url: url("***") };
  expect((await call("POST", "/api/v1/machines", { id: "mill-2", name: "Mill 2", source })).status).toBe(422);
  // By form it is the same.
  const session = await signIn(server.origin, { key: SECOND });
  told.length = 0;
  const form = {
    "/name": "Mill 1",
    "/group": "",
    "/source/url": url("***"),
    "/source/device": "D2",
    end: "1",
  };
  const saved = await fetch(`${server.origin}/admin/machines/mill-1`, {
    method: "POST",
    body: new URLSearchParams(form),
    headers: {
      cookie: session.headers.get("set-cookie")?.split(";")[0] ?? "",
      "sec-fetch-site": "same-origin",
    },
    redirect: "manual",
  });
  expect(saved.status).toBe(303);
  expect(await until(() => told[0])).toMatchObject({ authorization: basic });
});

test("the key in the file is the one from there: the one before ends with its sessions, one taken away stays away", async () => {
  const signedIn = await signIn(server.origin, { key: SECOND });
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  const bySession = async () =>
    (await fetch(`${server.origin}/api/v1/machines`, { headers: { cookie } })).status;
  expect([await statusOf(SECOND), await bySession()]).toEqual([200, 200]);
  const { body: other } = await call<{ key: string }>("POST", "/api/v1/keys", {
    name: "mine",
    scopes: ["admin"],
  });
  await call("POST", "/api/v1/users", { name: "Ada", password: "a-long-password", role: "manager" });
  writeFileSync(key_file, FIRST);
  await again();
  expect([await statusOf(SECOND), await bySession(), await statusOf(FIRST)]).toEqual([401, 401, 200]);
  // Somebody has a way in: what is printed is kept in logs.
  expect(server.output()).not.toContain("sign in once");
  const { body } = await call<{ rows: { id: string; name: string }[] }>(
    "GET",
    "/api/v1/keys",
    undefined,
    other.key,
  );
  expect(body.rows.map(({ name }) => name).sort()).toEqual(["admin", "mine"]);
  const first = body.rows.find(({ name }) => name === "admin")?.id;
  expect((await call("DELETE", `/api/v1/keys/${first}`, undefined, other.key)).status).toBe(204);
  await again();
  expect([await statusOf(FIRST), await statusOf(SECOND), await statusOf(other.key)]).toEqual([401, 401, 200]);
});
