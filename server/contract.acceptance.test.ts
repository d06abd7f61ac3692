// The HTTP contract (SPEC 11): shapes of ingest, errors, keys, idempotency.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { discard, signInOnce, startServer, type TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
});
afterAll(() => discard(server));

type ProblemBody = {
  type: string;
  status: number;
  title: string;
  detail: string;
  errors?: { path: string }[];
};

const post = (body: BodyInit, headers: Record<string, string> = {}, id = "mill-1"): Promise<Response> =>
  fetch(`${server.origin}/internal/machines/${id}/data`, {
    method: "POST",
    headers: { "x-api-key": "test-key-0123456789abcdef", "content-type": "application/json", ...headers },
    body,
  });

const T0 = 1_767_592_800_000_000; // 2026-01-05T06:00:00Z
const columns = {
  signals: ["spindle_speed", "execution"],
  signal: [0, 0, 1],
  t0: T0,
  dt: [0, 1000, 2000],
  seq0: 1,
  num: [1.5, 2.5, null],
  words: ["ACTIVE"],
  word: [0, 0, 1],
};
const rows = {
  observations: [
    { signal: "execution", ts: "2026-01-05T06:00:00Z", value: "ACTIVE", seq: 1 },
    { signal: "spindle_speed", ts: "2026-01-05T06:00:01.5Z", value: 995.5 },
  ],
};

describe("shapes of ingest (SPEC 11.4)", () => {
  const shapes: [string, BodyInit, Record<string, string>, number][] = [
    ["rows", JSON.stringify(rows), {}, 2],
    ["columns", JSON.stringify(columns), {}, 3],
    [
      "lines",
      rows.observations.map((row) => JSON.stringify(row)).join("\n"),
      { "content-type": "application/x-ndjson" },
      2,
    ],
    ["gzip", Bun.gzipSync(JSON.stringify(rows)), { "content-encoding": "gzip" }, 2],
  ];
  test.each(shapes)("%s are taken with 202", async (_, body, headers, accepted) => {
    const response = await post(body, headers);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ event_id: expect.stringMatching(/^[0-9A-Z]{26}$/), accepted });
  });

  test("the same observations in three shapes are the same rows (invariant 2)", async () => {
    await server.call("POST", "/api/v1/machines", { id: "mill-2", name: "Mill 2" });
    const three: [BodyInit, Record<string, string>][] = [
      [JSON.stringify(rows), {}],
      [
        rows.observations.map((row) => JSON.stringify(row)).join("\n"),
        { "content-type": "application/x-ndjson" },
      ],
      [
        JSON.stringify({
          signals: ["execution", "spindle_speed"],
          signal: [0, 1],
          t0: T0,
          dt: [0, 1_500_000],
          seq: [1, 0],
          num: [null, 995.5],
          words: ["ACTIVE"],
          word: [1, 0],
        }),
        {},
      ],
    ];
    for (const [body, headers] of three) expect((await post(body, headers, "mill-2")).status).toBe(202);
    await server.settled();
    const { body } = await server.call(
      "GET",
      "/api/v1/machines/mill-2/observations?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z",
    );
    expect(body).toMatchObject({
      rows: [
        { signal: "execution", ts: "2026-01-05T06:00:00.000000Z", seq: 1, value: "ACTIVE" },
        { signal: "spindle_speed", ts: "2026-01-05T06:00:01.500000Z", seq: 0, value: 995.5 },
      ],
    });
    expect((body as { rows: unknown[] }).rows).toHaveLength(2);
  });
});

describe("bad input (SPEC 11.5)", () => {
  const bad: [string, string, number, string][] = [
    ["not JSON", "{", 422, ""],
    ["not an object", "[]", 422, ""],
    [
      "a wrong type",
      JSON.stringify({ observations: [{ signal: 7, ts: "2026-01-05T06:00:00Z", value: 1 }] }),
      422,
      "/observations/0/signal",
    ],
    ["an unknown key", JSON.stringify({ ...columns, extra: 1 }), 422, "/extra"],
    ["columns of different lengths", JSON.stringify({ ...columns, dt: [0] }), 422, "/dt"],
    ["an index past the end", JSON.stringify({ ...columns, signal: [0, 0, 9] }), 422, "/signal/2"],
    ["a word past the end", JSON.stringify({ ...columns, word: [0, 0, 2] }), 422, "/word/2"],
    [
      "no time",
      JSON.stringify({ observations: [{ signal: "a", ts: "yesterday", value: 1 }] }),
      422,
      "/observations/0/ts",
    ],
    [
      "a time before 2000",
      JSON.stringify({ observations: [{ signal: "a", ts: "1999-12-31T23:59:59Z", value: 1 }] }),
      422,
      "/observations/0/ts",
    ],
    [
      "a time two days ahead",
      JSON.stringify({
        observations: [{ signal: "a", ts: new Date(Date.now() + 2 * 86_400_000).toISOString(), value: 1 }],
      }),
      422,
      "/observations/0/ts",
    ],
    ["nothing", JSON.stringify({ observations: [] }), 422, "/observations"],
  ];
  test.each(bad)("%s is refused, naming the path", async (_, body, status, path) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as ProblemBody;
    expect(problem.errors?.map((error) => error.path)).toContain(path);
  });

  test("nothing of a bad batch is stored", async () => {
    await server.call("POST", "/api/v1/machines", { id: "mill-3", name: "Mill 3" });
    const half = [rows.observations[0], { signal: "x", ts: "nonsense", value: 1 }];
    expect((await post(JSON.stringify({ observations: half }), {}, "mill-3")).status).toBe(422);
    await server.settled();
    const { body } = await server.call<{ rows: unknown[] }>(
      "GET",
      "/api/v1/machines/mill-3/observations?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z",
    );
    expect(body.rows).toEqual([]);
  });

  test("a body over 8 MiB is 413, packed or not (invariant 7)", async () => {
    const big = new Uint8Array(8 * 1024 * 1024 + 1).fill(0x20);
    expect((await post(big)).status).toBe(413);
    const bomb = Bun.gzipSync(new Uint8Array(64 * 1024 * 1024));
    expect((await post(bomb, { "content-encoding": "gzip" })).status).toBe(413);
    expect((await post("no gzip", { "content-encoding": "gzip" })).status).toBe(422);
  });

  test("an unknown machine is 404", async () => {
    expect((await post(JSON.stringify(rows), {}, "nobody")).status).toBe(404);
    expect((await server.call("GET", "/api/v1/machines/nobody/oee")).status).toBe(404);
  });

  test("validation errors of the API name the path too", async () => {
    const { status, body, headers } = await server.call<ProblemBody>("POST", "/api/v1/machines", { name: 5 });
    expect(status).toBe(422);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body.errors?.map(({ path }) => path)).toContain("/name");
  });

  test("the type of an error leads to a page that explains its code, in the reader's language (SPEC 11.3)", async () => {
    const { body } = await server.call<ProblemBody>("POST", "/api/v1/machines", { name: "" });
    expect(body).toMatchObject({
      type: "/problems/bad_input",
      code: "bad_input",
      errors: [{ path: "/name", code: "too_short", min: 1 }],
    });
    const page = async (path: string, language: string): Promise<[number, string]> => {
      const answer = await fetch(server.origin + path, { headers: { "accept-language": language } });
      return [answer.status, await answer.text()];
    };
    expect(await page(body.type, "en")).toEqual([200, expect.stringContaining("What to do")]);
    expect(await page(body.type, "ru")).toEqual([200, expect.stringContaining("Что делать")]);
    expect(await page("/problems", "en")).toEqual([200, expect.stringContaining("/problems/too_short")]);
    expect((await page("/problems/none_of_ours", "en"))[0]).toBe(404);
    const unknown = await server.call<ProblemBody>("GET", "/api/v1/machines/nobody/oee");
    expect(unknown.body).toMatchObject({ code: "not_found", kind: "machine", id: "nobody" });
  });
});

describe("keys (SPEC 11.1 and 11.2)", () => {
  test("no key and a wrong key are 401, a lacking scope is 403", async () => {
    const path = `${server.origin}/api/v1/machines`;
    expect((await fetch(path)).status).toBe(401);
    expect((await fetch(path, { headers: { "x-api-key": "nonsense" } })).status).toBe(401);
    expect((await post(JSON.stringify(rows), { "x-api-key": "nonsense" })).status).toBe(401);
    const { body } = await server.call<{ key: string; id: string }>("POST", "/api/v1/keys", {
      name: "viewer",
      scopes: ["read"],
    });
    expect((await fetch(path, { headers: { authorization: `Bearer ${body.key}` } })).status).toBe(200);
    expect((await post(JSON.stringify(rows), { "x-api-key": body.key })).status).toBe(403);
    expect((await server.call("DELETE", `/api/v1/keys/${body.id}`)).status).toBe(204);
    expect((await fetch(path, { headers: { authorization: `Bearer ${body.key}` } })).status).toBe(401);
  });

  test("every endpoint but health, readiness, metrics and OpenAPI asks for a key", async () => {
    for (const open of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) {
      expect((await fetch(server.origin + open)).status).toBe(200);
    }
    const { paths } = (await (await fetch(`${server.origin}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const guarded = Object.entries(paths).filter(
      ([path]) => !/^\/(healthz|readyz|metrics|openapi)/.test(path),
    );
    expect(guarded.length).toBeGreaterThan(10);
    for (const [path, methods] of guarded) {
      for (const method of Object.keys(methods)) {
        const response = await fetch(server.origin + path.replace(/\{\w+\}/g, "x"), {
          method: method.toUpperCase(),
        });
        expect({ path, method, status: response.status }).toEqual({ path, method, status: 401 });
      }
    }
    for (const page of ["/hmi", "/dashboard", "/hmi/mill-1", "/dashboard/mill-1", "/hmi/figures"]) {
      const response = await fetch(server.origin + page, { redirect: "manual" });
      expect(response.status).toBe(302);
      expect(response.headers.get("location")).toStartWith("/sign-in");
    }
  });

  test("the printed link signs in once; the cookie opens the pages and nothing across sites", async () => {
    const first = await signInOnce(server);
    expect(first.status).toBe(303);
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(first.headers.get("set-cookie")).toContain("HttpOnly");
    expect((await signInOnce(server)).status).toBe(401);
    expect((await fetch(`${server.origin}/hmi`, { headers: { cookie }, redirect: "manual" })).status).toBe(
      200,
    );
    const change = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${server.origin}/api/v1/machines/mill-1`, {
        method: "PATCH",
        headers: { cookie, "content-type": "application/json", ...headers },
        body: JSON.stringify({ name: "Mill 1" }),
      });
    expect((await change({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await change({})).status).toBe(403);
    expect((await change({ "sec-fetch-site": "same-origin" })).status).toBe(200);
  });
});

describe("idempotency (SPEC 11.6, invariant 2)", () => {
  test("the same key again is the first event; with another body 409", async () => {
    const key = { "idempotency-key": "shift-42" };
    const first = (await (await post(JSON.stringify(rows), key)).json()) as { event_id: string };
    const again = await post(JSON.stringify(rows), key);
    expect(again.status).toBe(202);
    expect(await again.json()).toMatchObject({ event_id: first.event_id });
    expect((await post(JSON.stringify(columns), key)).status).toBe(409);
  });

  test("an operator's entry repeated with its key counts once", async () => {
    const entry = { ts: "2026-01-05T07:00:00Z", count: 3 };
    const key = { "idempotency-key": "reject-1" };
    const first = await server.call<{ event_id: string }>(
      "POST",
      "/api/v1/machines/mill-1/rejects",
      entry,
      key,
    );
    const again = await server.call<{ event_id: string }>(
      "POST",
      "/api/v1/machines/mill-1/rejects",
      entry,
      key,
    );
    expect(first.status).toBe(201);
    expect(again.body.event_id).toBe(first.body.event_id);
    const other = await server.call("POST", "/api/v1/machines/mill-1/rejects", { ...entry, count: 4 }, key);
    expect(other.status).toBe(409);
  });
});

test("an event's dataschema is served (SPEC 3.4): the JSON Schema of what columns may be", async () => {
  const { status, body } = await server.call<{ $id: string; required: string[] }>(
    "GET",
    "/schemas/mtc.observations.v1.json",
  );
  expect(status).toBe(200);
  expect(body.$id).toBe(`${server.origin}/schemas/mtc.observations.v1.json`);
  expect(body.required).toEqual(["signals", "signal", "t0", "dt"]);
  expect((await server.call("GET", "/schemas/mtc.nothing.v1.json")).status).toBe(404);
});

test("any list comes as CSV too (SPEC 11.7), its formulas made harmless", async () => {
  await server.call("POST", "/api/v1/machines", { id: "mill-csv", name: "=1+1" });
  const { body, headers } = await server.call<string>("GET", "/api/v1/machines?format=csv");
  expect(headers.get("content-type")).toStartWith("text/csv");
  const [header = "", ...lines] = body.trim().split("\n");
  expect(header).toStartWith("id,name,");
  expect(lines.find((line) => line.startsWith("mill-csv,"))).toStartWith("mill-csv,'=1+1,");
  expect((await server.call("GET", "/api/v1/keys?format=csv")).headers.get("content-type")).toStartWith(
    "text/csv",
  );
  expect((await server.call("GET", "/api/v1/machines?format=xml")).status).toBe(422);
});
