// The k6 scripts against the real server, with stand-ins for k6's own modules: each runs once, and is answered as it wants.
import { afterAll, beforeAll, expect, mock, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "../../server/testing/server.ts";

type Params = { headers?: Record<string, string>; tags?: { name: string } };
type Script = {
  options: { scenarios: object; thresholds: Record<string, string[]> };
  setup(): void;
  default(): void;
};

const curl = Bun.which("curl");
const answered: { name: string; status: number }[] = [];
const counted: number[] = [];

/** k6 waits for each answer; of what is here only curl does. */
function request(method: string, url: string, body: string | undefined, params: Params): { status: number } {
  const headers = Object.entries(params.headers ?? {}).flatMap(([name, value]) => [
    "-H",
    `${name}: ${value}`,
  ]);
  const { stdout } = Bun.spawnSync(
    [
      curl as string,
      "-sS",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "-X",
      method,
      ...headers,
      ...(body ? ["--data-binary", "@-"] : []),
      url,
    ],
    { stdin: Buffer.from(body ?? "") },
  );
  const status = Number(stdout.toString());
  answered.push({ name: params.tags?.name ?? "", status });
  return { status };
}

mock.module("k6/http", () => ({
  default: {
    get: (url: string, params: Params) => request("GET", url, undefined, params),
    post: (url: string, body: string, params: Params) => request("POST", url, body, params),
    expectedStatuses: () => undefined,
  },
}));
mock.module("k6/execution", () => ({ default: { scenario: { iterationInTest: 3 } } }));
class Metric {
  add(value: number): void {
    counted.push(value);
  }
}
mock.module("k6/metrics", () => ({ Counter: Metric, Trend: Metric }));
mock.module("k6/timers", () => ({ setTimeout }));
mock.module("k6/websockets", () => ({
  WebSocket: class extends WebSocket {
    constructor(url: string, _protocols: string[], params: { headers: Record<string, string> }) {
      // Bun's takes headers where the DOM's types know protocols alone.
      super(url, params as unknown as string[]);
    }
  },
}));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const env = { MTC_URL: server.origin, MTC_KEY: TEST_KEY, MACHINES: "4", WATCH_S: "1" };
  Object.assign(globalThis, { __ENV: env });
});
afterAll(() => discard(server));

const load = async (name: string): Promise<Script> => await import(`${import.meta.dir}/${name}.js`);
const run = (script: Script): void => {
  answered.length = counted.length = 0;
  script.default();
};

test.skipIf(curl === null).each([
  ["columns", 500],
  ["rows", 500],
  ["single", 1],
] as const)("%s: a batch is acknowledged and counted", async (name, rows) => {
  const script = await load(name);
  script.setup();
  run(script);
  expect(answered).toEqual([{ name: "ingest", status: 202 }]);
  expect(counted).toEqual([rows]);
  expect(script.options.thresholds.observations).toHaveLength(1);
});

test.skipIf(curl === null)("pages: every page and the report of a month", async () => {
  const script = await load("pages");
  script.setup();
  run(script);
  expect(answered.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  for (const { name } of answered)
    expect(script.options.thresholds).toHaveProperty(`http_req_duration{name:${name}}`);
});

test("stream: a change that comes while it watches has its delay", async () => {
  const script = await load("stream");
  await server.call("POST", "/api/v1/machines", { id: "told", name: "told", source: { kind: "http" } });
  run(script);
  await until(async () => {
    const observations = [{ signal: "spindle_speed", ts: new Date().toISOString(), value: Math.random() }];
    await server.call("POST", "/internal/machines/told/data", { observations });
    return counted.length > 0 || undefined;
  });
  for (const delay_ms of counted) expect(delay_ms).toBeGreaterThanOrEqual(0);
  expect(script.options.thresholds).toHaveProperty("delay");
});
