// What an attacker or a careless client sends, over real HTTP: every refusal has its shape, nothing acknowledged is lost.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { until } from "../.ci/limits.ts";
import { discard, metric, signIn, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";
import { readSlowly } from "./testing/slow-clients.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
});
afterAll(() => discard(server));

const MACHINES = "/api/v1/machines";
const DATA = "/internal/machines/mill-1/data";

const send = (method: string, path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(server.origin + path, {
    method,
    headers: { "x-api-key": TEST_KEY, "content-type": "application/json", ...headers },
    body,
    redirect: "manual",
  });

/** More than 8 MiB, of no told length. */
const endless = (): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
    },
  });

test("a body over the bound is 413 as a problem, with a length or without (invariant 7)", async () => {
  const big = new Uint8Array(9 * 1024 * 1024).fill(0x20);
  for (const response of [
    await send("POST", DATA, big),
    await send("POST", MACHINES, big),
    await send("POST", DATA, endless()),
  ]) {
    expect(response.status).toBe(413);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  }
  expect((await send("POST", MACHINES, endless())).status).toBe(411);
  // Less is enough where no observations are taken, and without a key.
  expect((await send("POST", MACHINES, big.subarray(0, 1024 * 1024 + 1))).status).toBe(413);
  expect((await send("POST", "/sign-in", `key=${"x".repeat(20_000)}`)).status).toBe(413);
});

test("a host of one letter is a host", async () => {
  for (const path of ["/healthz", `${MACHINES}/mill-1`, "/api/v1/stream?machine=mill-1"]) {
    const socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk.toString()));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${TEST_KEY}\r\n\r\n`);
    await until(() => heard.startsWith("HTTP/1.1 200") || undefined);
    socket.destroy();
  }
});

test("without a key the answer is 401, whatever the body", async () => {
  const response = await fetch(server.origin + MACHINES, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{",
  });
  expect(response.status).toBe(401);
});

test("an origin that is none is refused as another site's", async () => {
  const { headers } = await signIn(server.origin, { key: TEST_KEY });
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  const response = await fetch(server.origin + MACHINES, {
    method: "POST",
    headers: { cookie, origin: "null", "content-type": "application/json" },
    body: "{}",
  });
  expect(response.status).toBe(403);
});

test.each([
  "/observations?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z",
  "/states?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z",
  "/gaps?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z",
])("a window over all of time is all there is: %s", async (path) => {
  expect((await server.call("GET", `${MACHINES}/mill-1${path}`)).status).toBe(200);
});

test.each(["/observations?cursor=", "/observations?limit=10&cursor="])(
  "a cursor that was never given out is 422",
  async (path) => {
    for (const forged of ['[-1,-5,"a","b"]', '[1.5,1e300,"a","b"]', "{}", "nonsense"]) {
      const cursor = Buffer.from(forged).toString("base64url");
      expect((await server.call("GET", `${MACHINES}/mill-1${path}${cursor}`)).status).toBe(422);
    }
  },
);

test.each(["1999-12-31T23:59:59Z", "9999-01-01T00:00:00Z"])("an entry at %s is 422", async (time) => {
  const entries: [string, object][] = [
    ["rejects", { ts: time, count: 1 }],
    ["lots", { lot: "L1", from: time }],
    ["downtime", { from: time, to: "9999-02-01T00:00:00Z", reason: "jam" }],
  ];
  for (const [path, entry] of entries) {
    expect((await server.call("POST", `${MACHINES}/mill-1/${path}`, entry)).status).toBe(422);
  }
});

test("invariant 1: what was acknowledged is never set aside for the way it was spelled", async () => {
  const ts = "2026-01-05T06:00:00Z";
  const body = `{"observations":[{"signal":"__proto__","ts":"${ts}","value":"a\\ud800"}]}`;
  expect((await send("POST", DATA, body)).status).toBe(202);
  expect((await send("POST", `${MACHINES}/mill-1/lots`, `{"lot":"\\udc00","from":"${ts}"}`)).status).toBe(
    201,
  );
  await server.settled();
  const { body: ready } = await server.call<{ outbox: { poison_events: number } }>("GET", "/readyz");
  expect(ready.outbox.poison_events).toBe(0);
  const { body: page } = await server.call(
    "GET",
    `${MACHINES}/mill-1/observations?from=${ts}&to=2026-01-06T00:00:00Z`,
  );
  expect(page).toMatchObject({ rows: [{ signal: "__proto__", value: "a\ufffd" }] });
});

test("invariant 1: 20,000 distinct words in one body are in the figures: an insert takes no more than rows plus words", async () => {
  await server.call("POST", MACHINES, { id: "mill-9", name: "Mill 9" });
  const n = Array.from({ length: 20_000 }, (_, i) => i);
  const columns = {
    signals: ["program"],
    signal: n.map(() => 0),
    t0: 1_767_592_800_000_000,
    dt: n,
    words: n.map((i) => `program-${i}`),
    word: n.map((i) => i + 1),
  };
  const body = JSON.stringify(columns);
  expect((await send("POST", "/internal/machines/mill-9/data", body)).status).toBe(202);
  await server.settled();
  const { body: page } = await server.call<{ rows: { value: string }[] }>(
    "GET",
    `${MACHINES}/mill-9/observations?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z&limit=100000`,
  );
  expect(page.rows.map(({ value }) => value)).toEqual(columns.words);
});

test("changes of one machine at once all hold", async () => {
  const shifts = [{ name: "day", days: ["mon"], start: "06:00", end: "14:00" }];
  await Promise.all([
    server.call("PATCH", `${MACHINES}/mill-1`, { name: "Mill One" }),
    server.call("PUT", `${MACHINES}/mill-1/calendar`, { timezone: "Europe/Berlin", shifts }),
    server.call("PUT", `${MACHINES}/mill-1/policy`, { unknown: "excluded" }),
    server.call("PUT", `${MACHINES}/mill-1/cycle-times`, [
      { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 9 },
    ]),
  ]);
  const { body } = await server.call("GET", `${MACHINES}/mill-1`);
  expect(body).toMatchObject({
    name: "Mill One",
    calendar: { timezone: "Europe/Berlin" },
    policy: { unknown: "excluded" },
    cycle_times: [{ ideal_cycle_s: 9 }],
  });
});

test("metrics count a refusal under the status it left with", async () => {
  await send("POST", MACHINES, "{");
  const { body } = await server.call<string>("GET", "/metrics");
  expect(body).toContain('mtc_http_requests_total{route="/api/v1/machines",status="422"}');
  expect(body).not.toMatch(/status="(400|500)"/);
});

test("pages are compressed as the client accepts, and caches are told so", async () => {
  const page = async (encoding: string) => {
    const headers = { "x-api-key": TEST_KEY, "accept-encoding": encoding };
    const response = await fetch(`${server.origin}/hmi`, { headers, decompress: false });
    expect(response.headers.get("vary")).toBe("HX-Request, Accept-Encoding");
    return { encoding: response.headers.get("content-encoding"), body: await response.bytes() };
  };
  expect((await page("gzip, deflate, br")).encoding).toBe("br");
  const gzip = await page("gzip");
  expect(gzip.encoding).toBe("gzip");
  const plain = await page("identity");
  expect(plain.encoding).toBeNull();
  expect(gzip.body.length).toBeLessThan(plain.body.length);
  expect(gunzipSync(gzip.body).toString()).toStartWith("<!doctype html>");
});

const readers = (): Promise<number> => metric(server, "mtc_live_readers");

test("a stream tells when to come back, and resumes where it was (Last-Event-ID)", async () => {
  const open = async (headers: Record<string, string> = {}) => {
    const abort = new AbortController();
    const { body } = await fetch(`${server.origin}/api/v1/stream`, {
      headers: { "x-api-key": TEST_KEY, ...headers },
      signal: abort.signal,
    });
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const read = async (what: RegExp): Promise<string> => {
      while (!what.test(text)) text += new TextDecoder().decode((await reader.read()).value);
      return what.exec(text)?.[1] ?? "";
    };
    return { read, close: () => abort.abort(), text: () => text };
  };
  const first = await open();
  await first.read(/retry: 1000\n\n/);
  const id = await first.read(/id: (\S+)\nevent: snapshot\ndata: .*\n\n/);
  first.close();
  const observations = [{ signal: "load", ts: "2026-01-05T08:00:00Z", value: 42 }];
  expect((await send("POST", DATA, JSON.stringify({ observations }))).status).toBe(202);
  const second = await open({ "last-event-id": id });
  await second.read(/event: delta\ndata: .*"load":\{"ts_us":\d+,"value":42\}/);
  expect(second.text()).not.toContain("event: snapshot");
  second.close();
  await until(async () => (await readers()) === 0 || undefined);
});

test("invariant 7: a reader that does not read is let go", async () => {
  const port = Number(new URL(server.origin).port);
  const socket = readSlowly(port, "/api/v1/stream", TEST_KEY, Infinity);
  await until(async () => (await readers()) === 1 || undefined);
  let n = 0;
  await until(async () => {
    n += 1;
    const value = `${n}${"x".repeat(3_900)}`;
    const signals = Array.from({ length: 300 }, (_, i) => `s${i}`);
    const observations = signals.map((signal) => ({ signal, ts: new Date().toISOString(), value }));
    await send("POST", DATA, JSON.stringify({ observations }));
    return (await readers()) === 0 || undefined;
  });
  expect(n).toBeGreaterThan(1);
  socket.destroy();
});
