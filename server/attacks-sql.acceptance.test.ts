// A read key that tries to stop the program through /sql/, against the running program: everything else goes on. What heeds no
// cancelling is in `attacks-sql.acceptance.long.test.ts`, since it takes a core for its whole bound.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { pace, SLOWNESS } from "../.ci/limits.ts";
import { askSql, codeOf, LONG, NATIVE, newReader } from "./testing/hostile-sql.ts";
import { discard, metric, signInOnce, startServer, type TestServer } from "./testing/server.ts";

let server: TestServer;
let cookie: string;
beforeAll(async () => {
  server = await startServer();
  cookie = (await signInOnce(server)).headers.get("set-cookie")?.split(";")[0] ?? "";
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
});
afterAll(() => discard(server));

const newKey = (name: string): Promise<string> => newReader(server, name);
const ask = (key: string, query: string, signal?: AbortSignal): Promise<Response> =>
  askSql(server.origin, key, query, signal);

describe("invariant 7: functions", () => {
  test.each(NATIVE)("%s is no function for analysts", async (_, query) => {
    const answer = await ask(await newKey("f"), query);
    expect([answer.status, codeOf(answer)]).toEqual([403, "497"]);
    expect(await metric(server, "mtc_engine_restarts")).toBe(0);
  });
});

test("a session's cookie from another site's page asks nothing, by whatever method", async () => {
  const asked = (headers: Record<string, string>, method = "GET"): Promise<number> =>
    fetch(`${server.origin}/sql/?query=SELECT+1`, { method, headers: { cookie, ...headers } }).then(
      ({ status }) => status,
    );
  expect(await asked({ "sec-fetch-site": "same-origin" })).toBe(200);
  for (const method of ["GET", "POST"]) {
    expect(await asked({ "sec-fetch-site": "cross-site" }, method)).toBe(403);
    expect(await asked({ "sec-fetch-site": "same-site" }, method)).toBe(403);
    expect(await asked({ origin: "https://elsewhere.example" }, method)).toBe(403);
    expect(await asked({}, method)).toBe(403);
  }
});

test("a client that leaves takes its query with it; two lanes, and a queue with an end", async () => {
  const key = await newKey("leaves");
  const leave = new AbortController();
  const left = [1, 2].map(() => ask(key, LONG, leave.signal).catch((error: Error) => error.name));
  await pace(1_500);
  // Both lanes are taken: four wait, the next one is told so.
  const waiting = [1, 2, 3, 4].map(() => ask(key, "SELECT 1"));
  await pace(500);
  const more = await ask(key, "SELECT 1");
  expect([more.status, codeOf(more)]).toEqual([429, "202"]);
  expect(Number(more.headers.get("retry-after"))).toBeGreaterThan(0);
  const began_ms = performance.now();
  leave.abort();
  expect(await Promise.all(left)).toEqual(["AbortError", "AbortError"]);
  const answers = await Promise.all(waiting);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["1\n", "1\n", "1\n", "1\n"]);
  // Their 30 s are not waited for.
  expect(performance.now() - began_ms).toBeLessThan(20_000 * SLOWNESS);
  expect(await metric(server, "mtc_engine_restarts")).toBe(0);
});
