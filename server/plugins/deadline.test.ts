// Requests that take too long: they are told so, and analytics does no more for them.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { Elysia } from "elysia";
import { limit_ms, SLOWNESS, until } from "../../.ci/limits.ts";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { testEngine } from "../../analytics-sql/testing/engine.ts";
import { deadlines, forAll, requestGone, withinRequests } from "./deadline.ts";
import { door } from "./door.ts";
import { errors } from "./errors.ts";

/** Long enough for a statement to begin, on a slow machine as well. */
const READ_MS = 500 * SLOWNESS;
setDefaultTimeout(limit_ms(120));

const engine = await testEngine();
const logged: string[] = [];
/** What was asked of the engine, and how it ended. */
const asked: { sql: string; ended: "" | "well" | "broken off" }[] = [];
const counted: Engine = {
  ...engine,
  async query(sql, params) {
    const one: (typeof asked)[number] = { sql, ended: "" };
    asked.push(one);
    try {
      const rows = await engine.query(sql, params);
      one.ended = "well";
      return rows as never;
    } catch (error) {
      one.ended = "broken off";
      throw error;
    }
  },
};
const reports = withinRequests(counted);
/** More than a minute of a core's work, by blocks of numbers. */
const SLOW = "SELECT max(cityHash64(number, sipHash128(toString(number)))) AS n FROM numbers(1000000000)";
let ended = 0;
const app = new Elysia()
  .use(deadlines((message) => logged.push(message), { read_ms: READ_MS, change_ms: 2 * READ_MS }))
  .use(door(0))
  .use(errors((message) => logged.push(message)))
  .get("/api/v1/never", () => new Promise<string>(() => {}))
  .get("/pages/never", () => new Promise<string>(() => {}))
  .post("/api/v1/never", () => new Promise<string>(() => {}))
  .get("/api/v1/slow", () => reports.query(SLOW, {}))
  .get("/api/v1/two", async () => {
    await reports.query("SELECT 1 AS n", {});
    await until(() => requestGone()?.aborted);
    return reports.query("SELECT 2 AS n", {}).finally(() => (ended += 1));
  })
  .get("/api/v1/shared", () => forAll(() => reports.query("SELECT 3 AS n", {})))
  .listen({ port: 0, hostname: "127.0.0.1" });
afterAll(async () => {
  await app.stop(true);
  await engine.close();
});
const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${app.server?.port}${path}`, init);

test.each([
  ["GET", "/api/v1/never"],
  ["GET", "/pages/never"],
  ["POST", "/api/v1/never"],
])(
  "invariant 7: %s %s that takes too long is 503 with Retry-After, and a line in the log",
  async (method, path) => {
    const answer = await ask(path, { method });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(logged.some((line) => line.includes(`${method} ${path}`))).toBe(true);
  },
);

test("invariant 7: a statement that takes too long ends in the engine with the report that asked for it", async () => {
  asked.length = 0;
  expect((await ask("/api/v1/slow")).status).toBe(503);
  await until(() => asked[0]?.ended === "broken off");
});

test("invariant 7: of a report that is late, or whose client left, nothing more is asked", async () => {
  asked.length = 0;
  expect((await ask("/api/v1/two")).status).toBe(503);
  const client = new AbortController();
  const left = ask("/api/v1/two", { signal: client.signal }).catch(() => undefined);
  await until(() => asked.length === 2);
  client.abort();
  await left;
  await until(() => ended === 2);
  expect(asked.map(({ sql }) => /SELECT (\d)/.exec(sql)?.[1])).toEqual(["1", "1"]);
});

test("what several wait for has the engine's own bound, whoever began it", async () => {
  asked.length = 0;
  expect(await (await ask("/api/v1/shared")).json()).toEqual([{ n: 3 }]);
  expect(asked.map(({ sql }) => sql)).toEqual(["SELECT 3 AS n"]);
});
