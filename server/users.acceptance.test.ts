// People over real HTTP (SPEC 11.14 and 11.15): they sign in with a name and a password, may do what their role allows, and are out at once.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
});
afterAll(() => discard(server));

type User = { id: string; name: string; role: string; disabled: boolean };
const PASSWORD = "correct horse";

async function user(name: string, role: string, password = PASSWORD): Promise<User> {
  const { status, body } = await server.call<User>("POST", "/api/v1/users", { name, role, password });
  expect(status).toBe(201);
  return body;
}

/** @returns the answer of the sign-in page, with the cookie that it gave */
async function signIn(name: string, password = PASSWORD): Promise<{ status: number; cookie: string }> {
  const body = new URLSearchParams({ name, password });
  const answer = await fetch(`${server.origin}/sign-in`, { method: "POST", body, redirect: "manual" });
  return { status: answer.status, cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

async function as(cookie: string, method: string, path: string, body?: object): Promise<number> {
  const answer = await fetch(server.origin + path, {
    method,
    redirect: "manual",
    headers: { cookie, "sec-fetch-site": "same-origin", "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  await answer.body?.cancel();
  return answer.status;
}

const change = (id: string, patch: object) => server.call("PATCH", `/api/v1/users/${id}`, patch);
const READ = "/api/v1/machines";

test("a name and a password are a session; neither is shown again", async () => {
  const made = await user("Anna Петрова", "operator");
  expect(Object.keys(made).sort()).toEqual(["created", "disabled", "id", "name", "role"]);
  // However it is typed, it is the same person.
  const { status, cookie } = await signIn("  anna ПЕТРОВА ");
  expect(status).toBe(303);
  const page = await (await fetch(`${server.origin}/hmi`, { headers: { cookie } })).text();
  expect(page).toContain("Anna Петрова");
  const list = await server.call("GET", "/api/v1/users");
  expect(JSON.stringify(list.body)).not.toContain("argon2");
  expect((await signIn("Anna Петрова", "correct horse?")).status).toBe(401);
  expect((await signIn("nobody")).status).toBe(401);
});

test("each role may do what it may, and gets 403 for the rest", async () => {
  const rejects = [`${READ}/mill-1/rejects`, { ts: new Date().toISOString(), count: 1 }] as const;
  const may: Record<string, [read: number, operate: number, administrate: number]> = {
    operator: [200, 201, 403],
    manager: [200, 403, 403],
    admin: [200, 201, 200],
  };
  for (const [role, wanted] of Object.entries(may)) {
    await user(`one ${role}`, role);
    const { cookie } = await signIn(`one ${role}`);
    const got = [
      await as(cookie, "GET", READ),
      await as(cookie, "POST", ...rejects),
      await as(cookie, "GET", "/api/v1/users"),
    ];
    expect([role, got]).toEqual([role, wanted]);
  }
});

test("an entry of a user carries its id", async () => {
  const made = await user("Boris", "operator");
  const { cookie } = await signIn("Boris");
  const stop = { from: "2026-01-05T06:00:00Z", to: "2026-01-05T07:00:00Z", reason: "tool" };
  expect(await as(cookie, "POST", `${READ}/mill-1/downtime`, stop)).toBe(201);
  const list = `${READ}/mill-1/downtime?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z`;
  const { body } = await server.call<{ rows: { by: string; by_name: string }[] }>("GET", list);
  expect(body.rows.map(({ by, by_name }) => [by, by_name])).toEqual([[made.id, "Boris"]]);
});

// All at once: a stream looks at its user every few seconds.
test.concurrent.each<[string, object, boolean]>([
  ["another name", { name: "Clara the Second" }, true],
  ["another role", { role: "manager" }, false],
  ["a disabling", { disabled: true }, false],
  ["a new password", { password: "another horse" }, false],
])("%s: does the session go on?", async (what, patch, goes_on) => {
  const { id } = await user(`Clara ${what}`, "operator");
  const { cookie } = await signIn(`Clara ${what}`);
  const stream = await fetch(`${server.origin}/api/v1/stream`, { headers: { cookie } });
  expect(await as(cookie, "GET", READ)).toBe(200);
  expect((await change(id, patch)).status).toBe(200);
  expect(await as(cookie, "GET", READ)).toBe(goes_on ? 200 : 401);
  if (goes_on) await stream.body?.cancel();
  else await until(() => stream.text().then(() => true));
  await server.call("DELETE", `/api/v1/users/${id}`);
  expect(await as(cookie, "GET", READ)).toBe(401);
});

test("a disabled user does not come in; enabled again it does", async () => {
  const { id } = await user("Dora", "operator");
  await change(id, { disabled: true });
  expect((await signIn("Dora")).status).toBe(401);
  await change(id, { disabled: false });
  expect((await signIn("Dora")).status).toBe(303);
});

const refused: [what: string, body: object, status: number, path: string][] = [
  ["a short password", { name: "E", role: "operator", password: "nine char" }, 422, "/password"],
  ["no password", { name: "E", role: "operator" }, 422, "/password"],
  ["an unknown role", { name: "E", role: "boss", password: PASSWORD }, 422, "/role"],
  ["an empty name", { name: "", role: "operator", password: PASSWORD }, 422, "/name"],
  ["a name of spaces", { name: "  ", role: "operator", password: PASSWORD }, 422, "/name"],
  ["a name of two lines", { name: "E\nF", role: "operator", password: PASSWORD }, 422, "/name"],
  ["a name that turns the writing", { name: "a\u202eb", role: "operator", password: PASSWORD }, 422, "/name"],
  ["a name that is taken", { name: "TAKEN", role: "operator", password: PASSWORD }, 409, "/name"],
  ["a misspelt property", { name: "E", role: "operator", password: PASSWORD, admin: true }, 422, "/admin"],
];
test.each(refused)("%s is refused with its path", async (_, body, status, path) => {
  await server.call("POST", "/api/v1/users", { name: "taken", role: "operator", password: PASSWORD });
  const answer = await server.call<{ errors: { path: string }[] }>("POST", "/api/v1/users", body);
  expect(answer.status).toBe(status);
  expect(answer.body.errors.map((error) => error.path)).toContain(path);
});

test("hostile names are text, in the list and on the pages", async () => {
  const name = `<img src=x onerror=alert(1)>'"&`;
  await user(name, "operator");
  const { cookie } = await signIn(name);
  const html = await (await fetch(`${server.origin}/hmi`, { headers: { cookie } })).text();
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img");
  const wrong = await fetch(`${server.origin}/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ name, password: "no" }),
  });
  // What was typed stays, as text; a password does not.
  const form = await wrong.text();
  expect(form).toContain("&lt;img src=x");
  expect(form).not.toContain("<img");
  expect(form).not.toContain('value="no"');
});

test("invariant 7: a name's tries are bounded, whoever makes them, and many at once are as many", async () => {
  const own = await startServer();
  try {
    const post = (name: string) =>
      fetch(`${own.origin}/sign-in`, {
        method: "POST",
        body: new URLSearchParams({ name, password: "wrong" }),
      });
    const answers = await Promise.all(Array.from({ length: 14 }, () => post("eva")));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    expect(answers.find(({ status }) => status === 429)?.headers.get("retry-after")).toBeString();
  } finally {
    await discard(own);
  }
});

test("the last way in stays: neither the last admin nor the last admin key can be taken away", async () => {
  const own = await startServer();
  try {
    const { body: keys } = await own.call<{ rows: { id: string }[] }>("GET", "/api/v1/keys");
    const key = `/api/v1/keys/${keys.rows[0]?.id}`;
    expect((await own.call("DELETE", key)).status).toBe(409);
    const admin = { name: "Frida", role: "admin", password: PASSWORD };
    const { body: frida } = await own.call<User>("POST", "/api/v1/users", admin);
    const { body: gerd } = await own.call<User>("POST", "/api/v1/users", { ...admin, name: "Gerd" });
    const signedIn = await fetch(`${own.origin}/sign-in`, {
      method: "POST",
      body: new URLSearchParams({ name: "Frida", password: PASSWORD }),
      redirect: "manual",
    });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const asFrida = async (method: string, path: string, body?: object): Promise<number> => {
      const answer = await fetch(own.origin + path, {
        method,
        headers: { cookie, "sec-fetch-site": "same-origin" },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return answer.status;
    };
    expect(await asFrida("DELETE", key)).toBe(204);
    // Both at once: one of them stays.
    const both = await Promise.all([
      asFrida("PATCH", `/api/v1/users/${gerd.id}`, { role: "operator" }),
      asFrida("PATCH", `/api/v1/users/${frida.id}`, { disabled: true }),
    ]);
    expect(both.sort()).toEqual([200, 409]);
    expect(await asFrida("DELETE", `/api/v1/users/${frida.id}`)).toBe(409);
  } finally {
    await discard(own);
  }
});

test("invariant 1: users are there after a start; their sessions too", async () => {
  await user("Heinz", "manager");
  const { cookie } = await signIn("Heinz");
  await server.stop();
  server = await startServer({}, server.data_dir);
  expect(await as(cookie, "GET", READ)).toBe(200);
  expect((await signIn("Heinz")).status).toBe(303);
});
