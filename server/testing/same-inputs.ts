// For tests: the same inputs by every way in, for any server, and what must then be the same of it.
import { expect } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { until } from "../../.ci/limits.ts";
import { haveRecordings, recordingText } from "../../ingest/sources/mtconnect/recordings.ts";
import type { Kept } from "./kept.ts";
import { type RecordedAgent, serveRecorded } from "./recorded-agent.ts";
import { TEST_KEY, type TestServer } from "./server.ts";

const DAY = "2026-01-05";
const T0 = Date.parse(`${DAY}T06:00:00Z`) * 1_000;
const at = (minute: number): string => new Date(T0 / 1_000 + minute * 60_000).toISOString();

/** A page of what a real agent once said, and where it ends. */
const PAGE = { path: "nist/sample-140.streams.xml", device: "GFAgie01", last: 1_371_286 };
const SPANS: Record<string, string> = {
  "by-http": `from=${at(0)}&to=${at(480)}`,
  ...(haveRecordings ? { "by-agent": "from=2016-05-02T00:00:00Z&to=2016-05-08T00:00:00Z" } : {}),
};
const MACHINES = Object.keys(SPANS);

/** Keys in an order of its own, white space, an escape, a number with a trailing zero: as no serialiser writes it. */
const COLUMNS = `\n{ "word":[0, 1,0],\t"words" : ["AC\\u0054IVE"],
  "num": [995.50,null , -0.0],"dt":[0,1000,\r\n2000], "t0":${T0}, "seq0" :7,
  "signal":[0,1,0], "signals":["spindle_speed","execution"]}  \n`;
const ROWS = [
  { signal: "execution", ts: at(1), value: "ACTIVE", seq: 20 },
  { signal: "part_count", ts: at(1), value: 0, seq: 21 },
  { signal: "condition:süd", ts: at(2), value: "NORMAL", seq: 22 },
];
const LATER = [
  { signal: "execution", ts: at(200), value: "INTERRUPTED", seq: 23 },
  { signal: "part_count", ts: at(230), value: 180, seq: 24 },
  { signal: "execution", ts: at(230), value: "ACTIVE", seq: 25 },
];
const lines = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

type Sent = [body: BodyInit, headers: Record<string, string>];
const BODIES: Sent[] = [
  [COLUMNS, {}],
  [gzipSync(COLUMNS), { "content-encoding": "gzip" }],
  [JSON.stringify({ observations: ROWS }), { "idempotency-key": "rows" }],
  [JSON.stringify({ observations: ROWS }), { "idempotency-key": "rows" }],
  [lines(LATER), { "content-type": "application/x-ndjson" }],
  [zstdCompressSync(lines(LATER)), { "content-type": "application/x-ndjson", "content-encoding": "zstd" }],
];

const SAID: [method: string, path: string, body: unknown][] = [
  [
    "PUT",
    "calendar",
    {
      timezone: "Europe/Berlin",
      shifts: [
        {
          name: "Früh",
          days: ["mon"],
          start: "07:00",
          end: "15:00",
          breaks: [{ start: "09:00", end: "09:15" }],
        },
      ],
    },
  ],
  ["PUT", "cycle-times", [{ part: "A", valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 0.1 }]],
  ["PUT", "policy", { unknown: "excluded", reasons: { "tool.broken $x": "excluded" }, minor_stop_s: 300 }],
  ["POST", "lots", { lot: "L1", part: "A", from: at(0) }],
  ["POST", "downtime", { from: at(205), to: at(215), reason: "tool.broken $x" }],
  ["POST", "rejects", { ts: at(210), count: 3, reason: "scratch" }],
];

/** An agent that keeps saying that page; undefined where there are no recordings. */
export const agentOfInputs = () => (haveRecordings ? serveRecorded([recordingText(PAGE.path)]) : undefined);

/** Makes the machines and sends everything, in the same order; resolves when all of it can be queried. */
export async function sendInputs(server: TestServer, agent?: RecordedAgent): Promise<void> {
  await server.call("POST", "/api/v1/machines", { id: "by-http", name: 'Mill "1" – Süd' });
  for (const [method, path, body] of SAID) {
    const { status } = await server.call(method, `/api/v1/machines/by-http/${path}`, body);
    expect([path, status < 300]).toEqual([path, true]);
  }
  for (const [body, headers] of BODIES) {
    const { status } = await fetch(`${server.origin}/internal/machines/by-http/data`, {
      method: "POST",
      headers: { "x-api-key": TEST_KEY, "content-type": "application/json", ...headers },
      body,
    });
    expect(status).toBe(202);
  }
  if (agent) await readAgent(server, agent.url);
  await server.settled();
}

async function readAgent(server: TestServer, url: string): Promise<void> {
  const source = { kind: "mtconnect", url, device: PAGE.device };
  await server.call("POST", "/api/v1/machines", { id: "by-agent", name: "Agie", source });
  await until(async () => {
    const path = "/api/v1/machines/by-agent/observations?from=2016-01-01T00:00:00Z&limit=100000";
    const { body } = await server.call<{ rows: { seq: number }[] }>("GET", path);
    return body.rows.some(({ seq }) => seq === PAGE.last) || undefined;
  });
}

/** What the server tells of the machines: rows, states, gaps, and figures by every cut. */
export async function told(server: TestServer): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  const cuts = ["total", "hour", "shift", "day", "part", "lot"].map((by) => `oee?by=${by}&`);
  for (const [machine, span] of Object.entries(SPANS))
    for (const what of [...cuts, "states?", "losses?", "gaps?", "observations?limit=100000&"]) {
      const path = `/api/v1/machines/${machine}/${what}${span}`;
      const { status, body } = await server.call("GET", path);
      answers[path] = [status, body];
    }
  return answers;
}

/** The machines' events as text, without what no two servers have in common: ids, the time they were taken, who said it. */
export const comparable = (events: Kept[]): string[] =>
  events
    .filter(({ machine_id }) => MACHINES.includes(machine_id))
    .sort((a, b) => a.machine_id.localeCompare(b.machine_id))
    .map(({ bytes }) => {
      const [head = "", ...data] = new TextDecoder().decode(bytes).split(',"data":');
      return [
        head.replace(/"id":"[^"]*"/, '"id":""').replace(/"time":"[^"]*"/, '"time":""'),
        data.join(',"data":').replace(/"by":"[^"]*"/, '"by":""'),
      ].join("\n");
    });
