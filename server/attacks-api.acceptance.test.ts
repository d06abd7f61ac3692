// What the API, its forms and its doors refuse, and what a setting may never do, over real HTTP.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { limit_ms, until } from "../.ci/limits.ts";
import { discard, signIn as signInTo, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const MILL = "/api/v1/machines/mill-1";
const DATA = "/internal/machines/mill-1/data";
const TS = "2026-01-05T06:00:00Z";

let server: TestServer;
let admin: string;
beforeAll(async () => {
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
  await server.call("POST", "/api/v1/machines", { id: "mill-2", name: "Mill 2" });
  admin = (await signIn({})).headers.get("set-cookie")?.split(";")[0] ?? "";
}, limit_ms());
afterAll(() => discard(server));

type Refused = { errors?: { path: string }[]; detail: string };
/** What is refused with 422, and where. */
async function refusedAt(method: string, path: string, body?: unknown): Promise<[number, string[]]> {
  const answer = await server.call<Refused>(method, path, body);
  return [answer.status, answer.body.errors?.map((error) => error.path) ?? []];
}
const signIn = (headers: Record<string, string>) => signInTo(server.origin, { key: TEST_KEY }, headers);
const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(server.origin + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { cookie: admin, "sec-fetch-site": "same-origin", ...headers },
    redirect: "manual",
  });
/** What a request by hand is answered. */
async function raw(request: string): Promise<string> {
  const socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
  let heard = "";
  socket.on("data", (chunk) => (heard += chunk.toString()));
  socket.write(request);
  await until(() => heard.includes("\r\n\r\n") || undefined);
  socket.destroy();
  return heard;
}

test("times that are none, or have no zone, are refused at their path, and nothing is stored (SPEC 2.2)", async () => {
  for (const time of [
    "2026-00-10T00:00:00Z",
    "2026-02-31T00:00:60Z",
    "2026-01-05T06:00:00+99:99",
    "2026-01-05T06:00:00",
  ]) {
    const row = { signal: "load", ts: time, value: 1 };
    expect(await refusedAt("POST", DATA, { observations: [{ ...row, ts: TS }, row] })).toEqual([
      422,
      ["/observations/1/ts"],
    ]);
    for (const [path, body, at] of [
      ["rejects", { ts: time, count: 1 }, "/ts"],
      ["lots", { lot: "L1", from: TS, to: time }, "/to"],
      ["downtime", { from: time, reason: "jam" }, "/from"],
      ["spikes", { signal: "part_count", ts: time, decision: "accepted" }, "/ts"],
    ] as const)
      expect(await refusedAt("POST", `${MILL}/${path}`, body), `${path} ${time}`).toEqual([422, [at]]);
    const cycle_times = [{ valid_from: time, ideal_cycle_s: 1 }];
    expect(await refusedAt("PUT", `${MILL}/cycle-times`, cycle_times)).toEqual([422, ["/0/valid_from"]]);
    for (const query of ["oee", "states", "gaps", "observations", "downtime", "rejects"]) {
      const from = encodeURIComponent(time);
      expect(await refusedAt("GET", `${MILL}/${query}?from=${from}`), query).toEqual([422, ["/from"]]);
      expect(await refusedAt("GET", `${MILL}/${query}?from=${TS}&to=${from}`), query).toEqual([422, ["/to"]]);
    }
    expect(await refusedAt("GET", `${MILL}/explain/state?at=${encodeURIComponent(time)}`)).toEqual([
      422,
      ["/at"],
    ]);
  }
  const { body } = await server.call("GET", `${MILL}/observations?from=2026-01-01T00:00:00Z`);
  expect(body).toMatchObject({ rows: [] });
});

test("days of calendars are days, of years whose offsets are known; an offset is no zone (SPEC 7.2)", async () => {
  const shifts = [{ name: "day", days: ["mon"], start: "06:00", end: "14:00" }];
  const timezone = "Europe/Berlin";
  for (const day of ["2026-00-10", "2026-02-31", "2026-13-01", "1999-12-31", "2046-01-01", "9999-12-31"]) {
    const exceptions = [{ date: day, shifts: [] }];
    const calendar = `${MILL}/calendar`;
    expect(await refusedAt("PUT", calendar, { timezone, shifts, exceptions })).toEqual([
      422,
      ["/exceptions/0/date"],
    ]);
    expect(await refusedAt("PUT", calendar, { timezone, shifts, valid_from: day })).toEqual([
      422,
      ["/valid_from"],
    ]);
  }
  expect(await refusedAt("PUT", `${MILL}/calendar`, { timezone: "+05:07", shifts })).toEqual([
    422,
    ["/timezone"],
  ]);
});

test("invariant 5: a row is a number or a word, never both, and live as in the figures", async () => {
  const columns = { signals: ["execution"], signal: [0], t0: 1_767_592_800_000_000, dt: [0] };
  const both = { ...columns, num: [1], words: ["ACTIVE"], word: [1] };
  expect(await refusedAt("POST", DATA, both)).toEqual([422, ["/word/0"]]);
});

test(
  "invariant 4: an empty value of execution ends the one before, live as in the figures (SPEC 6.1)",
  async () => {
    const observations = [
      { signal: "execution", ts: "2026-01-06T06:00:00Z", value: "ACTIVE" },
      { signal: "execution", ts: "2026-01-06T07:00:00Z", value: null },
    ];
    expect((await server.call("POST", "/internal/machines/mill-2/data", { observations })).status).toBe(202);
    await server.settled();
    const window = "from=2026-01-06T06:00:00Z&to=2026-01-06T08:00:00Z";
    const { body } = await server.call("GET", `/api/v1/machines/mill-2/states?${window}`);
    expect(body).toMatchObject({
      rows: [
        { state: "RUNNING", seconds: 3_600 },
        { state: "UNKNOWN", seconds: 3_600, cause: "no_data" },
      ],
    });
    const stream = await fetch(`${server.origin}/api/v1/stream?machine=mill-2`, {
      headers: { "x-api-key": TEST_KEY },
    });
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    let heard = "";
    while (!heard.includes("event: snapshot")) heard += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(heard).toContain('"state":"UNKNOWN"');
  },
  limit_ms(),
);

test("invariant 2: an Idempotency-Key has 1 to 200 characters, for entries as for observations (SPEC 11.6)", async () => {
  const entries: [string, string, object][] = [
    ["POST", `${MILL}/rejects`, { ts: TS, count: 1 }],
    ["POST", `${MILL}/counts`, { ts: TS, count: 1 }],
    ["POST", `${MILL}/lots`, { lot: "L1", from: TS }],
    ["POST", `${MILL}/spikes`, { signal: "part_count", ts: TS, decision: "accepted" }],
    ["POST", `${MILL}/downtime`, { from: TS, to: "2026-01-05T07:00:00Z", reason: "jam" }],
    ["POST", DATA, { observations: [{ signal: "load", ts: TS, value: 1 }] }],
  ];
  for (const [method, path, body] of entries)
    for (const key of ["", "k".repeat(201), "k".repeat(5_000)]) {
      const { status } = await server.call(method, path, body, { "idempotency-key": key });
      expect([path, key.length, status]).toEqual([path, key.length, 422]);
    }
  const key = { "idempotency-key": "k".repeat(200) };
  const first = await server.call<{ event_id: string }>("POST", `${MILL}/rejects`, { ts: TS, count: 2 }, key);
  const again = await server.call<{ event_id: string }>("POST", `${MILL}/rejects`, { ts: TS, count: 2 }, key);
  expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
});

test("a rule that would count nothing is refused (SPEC 4.8)", async () => {
  for (const is of ["part_count:x", "lot:2", "program:main", "spindle_speed:s2"]) {
    const rules = [{ signal: "di0", is }];
    expect(await refusedAt("PATCH", MILL, { rules })).toEqual([422, ["/rules/0/is"]]);
  }
});

test(
  "a policy of a third of a second is a policy, and every figure goes on (SPEC 9.6)",
  async () => {
    expect((await server.call("PUT", `${MILL}/policy`, { minor_stop_s: 0.3333333 })).status).toBe(200);
    await server.settled();
    const { status, body } = await server.call(
      "GET",
      `/api/v1/oee?by=machine&from=${TS}&to=2026-01-05T08:00:00Z`,
    );
    expect([status, body]).toMatchObject([
      200,
      { rows: [{ machine_id: "mill-1" }, { machine_id: "mill-2" }] },
    ]);
    expect((await server.call("GET", `${MILL}/oee?from=${TS}`)).body).toMatchObject({
      policy: { minor_stop_s: 0.3333333 },
    });
  },
  limit_ms(),
);

test("another site's page signs nobody in, nor out, nor chooses a language (SPEC 11.1)", async () => {
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ] as Record<string, string>[]) {
    const answers = [
      await signIn(headers),
      await fetch(`${server.origin}/sign-out`, { method: "POST", headers, redirect: "manual" }),
      await fetch(`${server.origin}/language`, {
        method: "POST",
        headers,
        body: new URLSearchParams({ language: "ru" }),
        redirect: "manual",
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(answers.map((answer) => answer.headers.get("set-cookie"))).toEqual([null, null, null]);
  }
  expect((await signIn({ "sec-fetch-site": "same-origin" })).status).toBe(303);
  expect((await signIn({ origin: server.origin })).status).toBe(303);
});

test("a password that is tried first is refused (SPEC 11.14)", async () => {
  for (const password of ["aaaaaaaaaa", "1234567890", "abababababab", "password1234", "olga.olga.olga"]) {
    const user = { name: "olga", role: "operator", password };
    expect([password, await refusedAt("POST", "/api/v1/users", user)]).toEqual([
      password,
      [422, ["/password"]],
    ]);
  }
});

test("a name is one line of characters that are seen, in one direction (SPEC 2.5)", async () => {
  for (const name of ["a\nb", "a\u0000b", "\u202eetim", "a\u200bb", "a\u2066b"]) {
    expect(await refusedAt("POST", "/api/v1/machines", { name })).toEqual([422, ["/name"]]);
    expect(await refusedAt("PATCH", MILL, { group: name })).toEqual([422, ["/group"]]);
    expect(await refusedAt("POST", "/api/v1/keys", { name, scopes: ["read"] })).toEqual([422, ["/name"]]);
    expect(await refusedAt("PUT", "/api/v1/reasons", [{ code: "jam", name }])).toEqual([422, ["/0/name"]]);
    expect(await refusedAt("POST", `${MILL}/lots`, { lot: name, from: TS })).toEqual([422, ["/lot"]]);
    const shifts = [{ name, days: ["mon"], start: "06:00", end: "14:00" }];
    expect(await refusedAt("PUT", `${MILL}/calendar`, { timezone: "UTC", shifts })).toEqual([
      422,
      ["/shifts/0/name"],
    ]);
  }
  expect((await server.call("PATCH", MILL, { name: "Fräse 1 · цех «Б» 機械" })).status).toBe(200);
});

test("no answer is taken for something else, nor kept by anybody in between (SPEC 11)", async () => {
  const key = { "x-api-key": TEST_KEY };
  for (const [path, headers] of [
    ["/api/v1/machines", key],
    ["/api/v1/machines?format=csv", key],
    ["/api/v1/machines/nothing", key],
    ["/api/v1/machines", {}],
    ["/nothing", {}],
    ["/healthz", {}],
    ["/openapi.json", {}],
    ["/sql/?query=SELECT%201", key],
    ["/hmi", key],
    ["/sign-in", {}],
  ] as [string, Record<string, string>][]) {
    const answer = await fetch(server.origin + path, { headers, redirect: "manual" });
    await answer.arrayBuffer();
    expect([path, answer.headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
    expect([path, answer.headers.get("cache-control")]).toEqual([path, "no-store"]);
  }
  // What may be kept is kept as it was.
  const page = await (await fetch(`${server.origin}/sign-in`)).text();
  const asset = /\/assets\/[^"]+\.css/.exec(page)?.[0] ?? "no asset";
  const { headers } = await fetch(server.origin + asset);
  expect(headers.get("cache-control")).toContain("immutable");
});

test("a form that did not come whole changes nothing (SPEC 11.19)", async () => {
  const reasons = [{ code: "jam", name: "Jam" }];
  await server.call("PUT", "/api/v1/reasons", reasons);
  const cycle_times = [{ valid_from: TS, ideal_cycle_s: 42 }];
  await server.call("PUT", `${MILL}/cycle-times`, cycle_times);
  await server.call("PUT", `${MILL}/policy`, { unknown: "excluded" });
  await server.call("PATCH", MILL, {
    name: "Mill 1",
    group: "hall 1",
    rules: [{ signal: "di0", is: "part_pulse" }],
  });
  const pages = [
    "/admin/reasons",
    ...["", "/cycle-times", "/policy", "/calendar"].map((page) => `/admin/machines/mill-1${page}`),
  ];
  for (const page of pages) {
    expect([page, (await post(page, {})).status]).toEqual([page, 422]);
    expect([
      page,
      (await post(page, { "/name": "Mill", "/unknown": "loss", "/timezone": "UTC" })).status,
    ]).toEqual([page, 422]);
  }
  expect((await server.call("GET", "/api/v1/reasons")).body).toMatchObject({ rows: reasons });
  expect((await server.call("GET", MILL)).body).toMatchObject({
    name: "Mill 1",
    group: "hall 1",
    calendar: null,
    cycle_times,
    policy: { unknown: "excluded" },
    rules: [{ signal: "di0", is: "part_pulse" }],
  });
  // As a browser sends it, the end of the form is there.
  for (const page of pages) {
    const shown = await (await fetch(server.origin + page, { headers: { cookie: admin } })).text();
    expect([page, shown.includes('<input type="hidden" name="end" value="1"/></form>')]).toEqual([
      page,
      true,
    ]);
  }
  expect((await post("/admin/machines/mill-1/policy", { "/unknown": "loss", end: "1" })).status).toBe(303);
});

test("Azure's metadata is no source (SPEC 5.7)", async () => {
  for (const url of ["http://168.63.129.16", "http://[::ffff:168.63.129.16]:5000/"])
    expect(await refusedAt("PATCH", MILL, { source: { kind: "mtconnect", url } })).toEqual([
      422,
      ["/source/url"],
    ]);
});

test("two Host headers are refused (SPEC 11.3)", async () => {
  expect(await raw("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")).toStartWith("HTTP/1.1 400 ");
  expect(await raw("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).toStartWith("HTTP/1.1 200 ");
});

test("a wrong method is 405, and says which is right; where nothing is it stays 404 (SPEC 11.3)", async () => {
  const allowed = async (method: string, path: string) => {
    const { status, headers } = await server.call(method, path);
    return [status, headers.get("allow")];
  };
  expect(await allowed("DELETE", "/api/v1/machines")).toEqual([405, "GET, POST, HEAD"]);
  expect(await allowed("PUT", MILL)).toEqual([405, "GET, PATCH, DELETE, HEAD"]);
  expect(await allowed("GET", DATA)).toEqual([405, "POST"]);
  expect(await allowed("POST", "/hmi")).toEqual([405, "GET, HEAD"]);
  expect(await allowed("POST", "/healthz")).toEqual([405, "GET, HEAD"]);
  expect(await allowed("OPTIONS", "/api/v1/oee")).toEqual([405, "GET, HEAD"]);
  expect(await allowed("DELETE", "/api/v1/nothing")).toEqual([404, null]);
});

test("an integer that is none, or out of its bounds, is refused by its name (SPEC 11.3)", async () => {
  for (const limit of ["0", "-3", "100001", "1.5", "abc", ""])
    expect([limit, await refusedAt("GET", `${MILL}/observations?from=${TS}&limit=${limit}`)]).toEqual([
      limit,
      [422, ["/limit"]],
    ]);
  expect(await refusedAt("GET", `${MILL}/history?signal=x&points=0`)).toEqual([422, ["/points"]]);
  expect(await refusedAt("GET", "/api/v1/dead-letters/0")).toEqual([422, ["/position"]]);
});

test("X-Forwarded-Proto is nobody's word without a proxy that is trusted (SPEC 11.15)", async () => {
  const { headers } = await signIn({ "x-forwarded-proto": "https" });
  expect(headers.get("set-cookie")).toStartWith("mtc=");
  expect(headers.get("set-cookie")).not.toContain("Secure");
});
