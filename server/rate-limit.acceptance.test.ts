// Over HTTP (SPEC 11.20): who asks too much is refused and told when to come again; everybody else notices nothing.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { pace } from "../.ci/limits.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

const PER_S = 20;

let server: TestServer;
/** Who asks too much, and who does not. */
let greedy: string;
let good: string;

type Asked = { method?: string; body?: string; headers?: Record<string, string> };

const ask = (path: string, key: string, { headers = {}, ...more }: Asked = {}): Promise<Response> =>
  fetch(server.origin + path, { redirect: "manual", headers: { "x-api-key": key, ...headers }, ...more });

/** Three bursts at once. @returns what was let in, and one of those that were not */
async function flood(
  path: string,
  key: string,
  more?: Asked,
): Promise<{ admitted: number; refused: Response }> {
  const answers = await Promise.all(Array.from({ length: 3 * PER_S }, () => ask(path, key, more)));
  // Analysts have another bound, of queries at once.
  const refused = answers.filter(({ status, headers }) => status === 429 && headers.has("ratelimit-policy"));
  expect(refused.length).toBeGreaterThan(0);
  return { admitted: answers.length - refused.length, refused: refused[0] as Response };
}

beforeAll(async () => {
  server = await startServer({ MTC_RATE_LIMIT_PER_S: String(PER_S) });
  const make = async (): Promise<string> => {
    const body = { name: "key", scopes: ["read", "ingest"] };
    return (await server.call<{ key: string }>("POST", "/api/v1/keys", body)).body.key;
  };
  [greedy, good] = [await make(), await make()];
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill", source: { kind: "http" } });
});

afterAll(() => discard(server));

test("invariant 7: over its budget a key gets 429, a problem and Retry-After; that long later it is let in", async () => {
  const began = performance.now();
  const { admitted, refused } = await flood("/api/v1/machines", greedy);
  expect(admitted).toBeWithin(PER_S, PER_S * (2 + (performance.now() - began) / 1_000));
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.headers.get("ratelimit-policy")).toBe(`"requests";q=${PER_S};w=1`);
  expect(await refused.json()).toMatchObject({ status: 429, title: "Too many requests" });
  const wait_s = Number(refused.headers.get("retry-after"));
  expect(wait_s).toBe(1);
  await pace(wait_s * 1_000);
  expect((await ask("/api/v1/machines", greedy)).status).toBe(200);
});

test("invariant 1: what is refused at the door is not stored, what is not is acknowledged", async () => {
  const answers = await Promise.all(
    Array.from({ length: 3 * PER_S }, (_, i) => {
      const ts = new Date(1_767_592_800_000 + i).toISOString();
      const body = JSON.stringify({ observations: [{ signal: "feedrate", ts, value: i }] });
      return ask("/internal/machines/mill-1/data", greedy, { method: "POST", body });
    }),
  );
  const taken = answers.filter(({ status }) => status === 202).length;
  expect(taken).toBeGreaterThanOrEqual(1);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(3 * PER_S - taken);
  await server.settled();
  const { body } = await server.call<{ rows: unknown[] }>(
    "GET",
    "/api/v1/machines/mill-1/observations?limit=1000&from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z",
  );
  expect(body.rows).toHaveLength(taken);
});

test("a good client is never refused, whatever another does meanwhile", async () => {
  let asking = true;
  const flooding = (async () => {
    while (asking) await flood("/api/v1/machines", greedy);
  })();
  const statuses: number[] = [];
  for (let asked = 0; asked < 1.5 * PER_S; asked++) {
    statuses.push((await ask("/api/v1/machines/mill-1", good)).status);
    await pace(1_000 / PER_S);
  }
  asking = false;
  await flooding;
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test("health, readiness, metrics and the API's description are always told; refusals are counted", async () => {
  for (const path of ["/healthz", "/readyz", "/openapi.json", "/metrics"]) {
    const answers = await Promise.all(Array.from({ length: 2 * PER_S }, () => ask(path, greedy)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }
  const metrics = await (await ask("/metrics", greedy)).text();
  expect(metrics).toMatch(/^mtc_rate_limited_requests_total\{limit="requests"\} \d{2,}$/m);
});

test("analysts are told in ClickHouse's words, people by a page; a stream counts once", async () => {
  const stream = await ask("/api/v1/stream", good);
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();

  const sql = (await flood("/sql/?query=SELECT+1", good)).refused;
  expect(sql.headers.get("x-clickhouse-exception-code")).toBe("201");
  expect(sql.headers.get("retry-after")).toBe("1");
  expect(await sql.text()).toStartWith("Code: 201. DB::Exception: too many requests");

  const page = (await flood("/hmi", good, { headers: { accept: "text/html" } })).refused;
  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(page.headers.get("retry-after")).toBe("1");

  expect((await reader.read()).done).toBe(false);
  await reader.cancel();
});

test("invariant 7: an address's failed sign-ins are bounded, whoever it says that it speaks for", async () => {
  const post = (i: number): Promise<Response> =>
    ask("/sign-in", "", {
      method: "POST",
      body: new URLSearchParams({ key: `wrong-${i}` }).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded", "x-forwarded-for": `10.0.0.${i}` },
    });
  const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => post(i)));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(4);
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeWithin(1, 7);
});
