// Who takes more than a share, or guesses: others go on as before, and each refusal is in the security log (SPEC 16.2).
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { floodReports, guessKeys, openStreams } from "./testing/floods.ts";
import {
  callTo,
  discard,
  signInOnce,
  signIn as signInTo,
  startServer,
  TEST_KEY,
  type TestServer,
} from "./testing/server.ts";

setDefaultTimeout(limit_ms(120));

const PASSWORD = "a-long-password-1";
let server: TestServer;
let other = "";
const call = <T>(path: string, key: string) =>
  callTo(server.origin)<T>("GET", path, undefined, { "x-api-key": key });
const signIn = (fields: Record<string, string>, cookie = ""): Promise<Response> =>
  signInTo(server.origin, fields, { cookie });
const ada = { name: "Ada", password: PASSWORD };
const cookiesOf = ({ headers }: Response): string =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");

beforeAll(async () => {
  server = await startServer();
  const made = await server.call<{ key: string }>("POST", "/api/v1/keys", { name: "wall", scopes: ["read"] });
  other = made.body.key;
  await server.call("POST", "/api/v1/users", { ...ada, role: "operator" });
});
afterAll(() => discard(server));

test("invariant 7: a key has a tenth of the live streams, and leaves the others theirs", async () => {
  const url = `${server.origin}/api/v1/stream`;
  const stop = new AbortController();
  const mine = await openStreams(server.origin, other, stop.signal);
  expect(mine.filter(({ status }) => status === 200)).toHaveLength(100);
  const refused = mine.find(({ status }) => status === 429);
  expect(refused?.headers.get("retry-after")).toBe("10");
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  expect((await fetch(url, { headers: { ...upgrade, "x-api-key": other } })).status).toBe(429);
  const own = await fetch(url, { headers: { "x-api-key": TEST_KEY }, signal: stop.signal });
  expect(own.status).toBe(200);
  stop.abort();
  await until(async () => {
    const again = await fetch(url, { headers: { "x-api-key": other } });
    await again.body?.cancel();
    return again.status === 200 || undefined;
  });
});

test("invariant 7: a key that floods with reports is refused some of them, and nobody else any", async () => {
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
  const cookie = cookiesOf(await signIn({ key: TEST_KEY }));
  const flood = floodReports(server.origin, other, "mill-1");
  const own = async (path: string) => (await fetch(server.origin + path, { headers: { cookie } })).status;
  const [page, chart, api] = await Promise.all([
    own("/dashboard"),
    own("/api/v1/machines/mill-1/history?signal=load"),
    call("/api/v1/oee", TEST_KEY),
  ]);
  expect([page, chart, api.status]).toEqual([200, 200, 200]);
  const answers = await Promise.all(flood);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers.get("retry-after")).toBe("2");
  // Thirty panels of a dashboard are no flood.
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(30);
  expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
  expect((await call("/api/v1/machines/mill-1/gaps", other)).status).toBe(200);
});

test("invariant 7: wrong keys of an address are bounded; a right one goes on from there", async () => {
  const answers = await guessKeys(server.origin);
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
  expect((await call("/api/v1/machines", other)).status).toBe(200);
  // As a password of ClickHouse's interface it is a wrong key as well.
  expect((await fetch(`${server.origin}/sql/?query=SELECT+1&password=wrong-key-15`)).status).toBeOneOf([
    429, 500,
  ]);
});

test("others' failures from one address shut out no key, no link, and no browser that a user came from before", async () => {
  const before = await signIn(ada);
  expect(before.status).toBe(303);
  for (let i = 0; i < 12; i++) await signIn({ name: `user-${i}`, password: `guess-of-mine-${i}` });
  expect((await signIn({ key: "wrong-key-0123456789" })).status).toBe(429);
  expect((await signIn({ key: other })).status).toBe(303);
  expect((await signInOnce(server)).status).toBe(303);
  const known = cookiesOf(before);
  expect((await signIn(ada, known)).status).toBe(303);
  // It is known for that user alone, and guesses no more than others may.
  expect((await signIn({ name: "Eva", password: PASSWORD }, known)).status).toBe(429);
  expect((await signIn(ada)).status).toBe(429);
  const guesses: number[] = [];
  for (let i = 0; i < 12; i++)
    guesses.push((await signIn({ name: "Ada", password: `guess-${i}-12345` }, known)).status);
  expect(guesses.filter((status) => status === 429).length).toBeGreaterThan(0);
});

test("invariant 7: right sign-ins are bounded as well", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 70; i++) statuses.push((await signIn({ key: TEST_KEY })).status);
  expect(statuses.slice(0, 50)).toEqual(Array(50).fill(303));
  expect(statuses.at(-1)).toBe(429);
});

test("each refusal is a line: who, what, from where and why, and no secret", async () => {
  expect((await call("/api/v1/keys", other)).status).toBe(403);
  const text = await until(() => {
    const read = readFileSync(`${server.data_dir}/security.log`, "utf8");
    return read.includes('lacks the scope \\"admin\\"') ? read : undefined;
  });
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const from = "127.0.0.1";
  for (const expected of [
    { who: "wall", what: "GET /api/v1/stream", from, why: "100 streams of this key or user are open" },
    { who: "", what: "GET /api/v1/machines", from, why: "the API key is not known" },
    { who: "", what: "POST /sign-in", from, why: "the name or the password is wrong" },
    { who: "", what: "POST /sign-in", from, why: "the API key or the link is not known" },
    { who: "Ada", what: "POST /sign-in", from, why: "the name or the password is wrong" },
    { who: "wall", what: "GET /api/v1/keys", from, why: 'the key lacks the scope "admin"' },
  ])
    expect(lines).toContainEqual(expect.objectContaining(expected));
  for (const secret of ["wrong-key", "guess-", PASSWORD, TEST_KEY, other]) expect(text).not.toContain(secret);
  expect(server.output()).not.toContain(PASSWORD);
});
