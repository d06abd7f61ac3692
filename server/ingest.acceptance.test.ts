// Observations over HTTP at the whole program (SPEC 16.1): what is stored are the sender's bytes, every bound refuses with its path, memory stays flat.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { limit_ms, pace } from "../.ci/limits.ts";
import { residentOf } from "./testing/engine-process.ts";
import { keptBy } from "./testing/kept.ts";
import { discard, onCluster, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => discard(server));

const T0 = 1_767_592_800_000_000; // 2026-01-05T06:00:00Z
const DAY = "from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z";

const machine = (id: string) => server.call("POST", "/api/v1/machines", { id, name: id });
const post = (id: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.origin}/internal/machines/${id}/data`, {
    method: "POST",
    headers: { "x-api-key": TEST_KEY, "content-type": "application/json", ...headers },
    body,
  });

/** What the log holds of a machine: the events' bytes. */
async function stored(id: string): Promise<string[]> {
  const events = await keptBy(server.data_dir);
  return events
    .filter(({ machine_id, type }) => machine_id === id && type === "mtc.observations.v1")
    .map(({ bytes }) => new TextDecoder().decode(bytes));
}

test("invariant 8: the stored bytes are the request's bytes inside the envelope, however they were packed", async () => {
  await machine("untouched");
  // Keys in an order of its own, spaces, line breaks, tabs, a number with a trailing zero, an escape.
  const body = `\n{ "word":[0, 1,0],\t"words" : ["AC\\"TIVE \u00e4"],
    "num": [995.50,null , -0.0],"dt":[0,1000,\r\n2000], "t0":${T0}, "seq0" :7,
    "signal":[0,1,0], "signals":["spindle_speed","execution"]}  \n`;
  const packed: [BodyInit, Record<string, string>][] = [
    [body, {}],
    [gzipSync(body), { "content-encoding": "gzip" }],
    [zstdCompressSync(body), { "content-encoding": "zstd" }],
  ];
  const ids: string[] = [];
  for (const [bytes, headers] of packed) {
    const response = await post("untouched", bytes, headers);
    expect(response.status).toBe(202);
    ids.push(((await response.json()) as { event_id: string }).event_id);
  }
  const events = await stored("untouched");
  expect(events).toHaveLength(3);
  for (const [i, event] of events.entries()) {
    const [head, rest] = event.split('"data":', 2);
    expect(head).toContain(`"id":"${ids[i]}"`);
    expect(rest).toBe(`${body}}`);
  }
  await server.settled();
  const { body: page } = await server.call("GET", `/api/v1/machines/untouched/observations?${DAY}`);
  expect(page).toMatchObject({
    rows: [
      { signal: "spindle_speed", seq: 7, value: 995.5 },
      { signal: "execution", seq: 8, value: 'AC"TIVE \u00e4' },
      { signal: "spindle_speed", seq: 9, value: 0 },
    ],
  });
});

test("SPEC 10.14: figures and rows asked for right after a 202 have what it acknowledged", async () => {
  await machine("read-back");
  const ts = (minute: number) => new Date(T0 / 1_000 + 60_000 * minute).toISOString();
  for (let run = 1; run <= 4; run++) {
    for (const [minute, value] of [
      [10 * run, "ACTIVE"],
      [10 * run + 4, "UNAVAILABLE"],
    ] as const) {
      const body = JSON.stringify({ observations: [{ signal: "execution", ts: ts(minute), value }] });
      expect((await post("read-back", body)).status).toBe(202);
    }
    const ask = (what: string) =>
      server.call<{ rows: { run_time_s: number }[] }>("GET", `/api/v1/machines/read-back/${what}?${DAY}`);
    const [oee, rows] = [await ask("oee"), await ask("observations")];
    expect([oee.status, oee.body.rows[0]?.run_time_s]).toEqual([200, 240 * run]);
    expect([rows.status, rows.body.rows.length]).toEqual([200, 2 * run]);
  }
});

describe("invariant 7: the bounds of a body, each at its path, and nothing half stored", () => {
  const row = (more: object) => ({ signal: "a", ts: T0, value: 1, ...more });
  const rows = (n: number, last: object = row({})) =>
    JSON.stringify({ observations: [...new Array(n - 1).fill(row({})), last] });
  const columns = (n: number, more: object = {}) =>
    JSON.stringify({
      signals: ["a"],
      signal: new Array(n).fill(0),
      t0: T0,
      dt: Array.from({ length: n }, (_, i) => i),
      num: new Array(n).fill(1),
      ...more,
    });
  const ndjson = { "content-type": "Application/X-NDJSON; charset=utf-8" };
  const lines = (n: number) => `${JSON.stringify(row({}))}\n`.repeat(n);
  const cut = zstdCompressSync(lines(40_000));
  const bad: [string, BodyInit, Record<string, string>, string][] = [
    ["50,001 rows", rows(50_001), {}, "/observations"],
    ["50,001 columns", columns(50_001), {}, "/signal"],
    ["50,001 lines", lines(50_001), ndjson, "/50001"],
    [
      "a name of 201 characters in a row",
      rows(3, row({ signal: "x".repeat(201) })),
      {},
      "/observations/2/signal",
    ],
    ["an empty name", columns(1, { signals: [""] }), {}, "/signals/0"],
    [
      "a word of 4,001 characters in a row",
      rows(2, row({ value: "x".repeat(4_001) })),
      {},
      "/observations/1/value",
    ],
    ["a word of 4,001 characters in a column", columns(1, { words: ["x".repeat(4_001)] }), {}, "/words/0"],
    ["65,536 signals", columns(1, { signals: new Array(65_536).fill("s") }), {}, "/signals"],
    ["a bad line after good ones", `${lines(3)}{"signal":"a"}`, ndjson, "/4/ts"],
    ["gzip cut off", gzipSync(lines(100)).subarray(0, 50), { ...ndjson, "content-encoding": "gzip" }, ""],
    [
      "zstd cut off between two lines",
      cut.subarray(0, cut.length - 3),
      { ...ndjson, "content-encoding": "zstd" },
      "",
    ],
  ];
  beforeAll(() => machine("bounds"));
  test.each(bad)("%s", async (_, body, headers, path) => {
    const response = await post("bounds", body, headers);
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as { errors: { path: string }[] };
    expect(errors.map((error) => error.path)).toContain(path);
    expect(await stored("bounds")).toEqual([]);
  });

  test.each([
    ["gzip", gzipSync(new Uint8Array(1 << 30))],
    ["zstd", zstdCompressSync(new Uint8Array(1 << 30))],
  ])("a bomb of a GiB in %s is 413", async (encoding, bomb) => {
    expect((await post("bounds", bomb, { "content-encoding": encoding })).status).toBe(413);
  });

  test("another packing is 415 and told what would be taken", async () => {
    for (const encoding of ["br", "gzip, gzip"]) {
      const response = await post("bounds", "{}", { "content-encoding": encoding });
      expect(response.status).toBe(415);
      expect(response.headers.get("accept-encoding")).toBe("gzip, zstd");
    }
  });

  test("what is just within the bounds is taken", async () => {
    await machine("within");
    for (const [body, headers] of [
      [rows(50_000), {}],
      [columns(50_000), {}],
      [lines(50_000), ndjson],
      [rows(1, row({ signal: "x".repeat(200), value: "y".repeat(4_000) })), {}],
    ] as [string, Record<string, string>][]) {
      expect((await post("within", body, headers)).status).toBe(202);
    }
  });
});

/** Of the process that clients speak to: what they send waits there, and nowhere else. */
const resident_bytes = (): number => residentOf(server.pid);

test.skipIf(process.platform !== "linux")(
  "invariants 1 and 7: clients with 5 MiB each at once: memory is bounded, and all that was acknowledged is there",
  async () => {
    // FerretDB, which a cluster's tests may have in MongoDB's place, takes seconds for each.
    const CLIENTS = onCluster ? 16 : 40;
    const ROWS = 1_000;
    await machine("crowd");
    const before = resident_bytes();
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, resident_bytes())), 20);
    let refusals = 0;
    const client = async (n: number): Promise<void> => {
      const data = {
        signals: ["load"],
        signal: new Array(ROWS).fill(0),
        t0: T0 + n * ROWS,
        dt: Array.from({ length: ROWS }, (_, i) => i),
        num: Array.from({ length: ROWS }, (_, i) => n + i),
      };
      // Spaces are JSON too: the log keeps them, the engine skips them.
      const body = JSON.stringify(data) + " ".repeat(5 * 1024 * 1024);
      for (;;) {
        const response = await post("crowd", body);
        if (response.status === 202) return;
        expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
        await response.text();
        refusals += 1;
        await pace(100 + Math.random() * 400);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)));
    await server.settled();
    clearInterval(watch);
    console.log(`${refusals} refusals; ${before >> 20} MiB resident before, ${most >> 20} MiB at most`);
    const { body } = await server.call<{ rows: unknown[] }>(
      "GET",
      `/api/v1/machines/crowd/observations?${DAY}&limit=100000`,
    );
    expect(body.rows).toHaveLength(CLIENTS * ROWS);
    // The engine's share is most of it; the bodies alone would be 200 MiB, several times over.
    expect(most).toBeLessThan(1_200 * 1024 * 1024);
  },
  limit_ms(120),
);
