// Every recorded log of a real machine, through an agent into the program: nothing lost, and figures as the oracle's. A log
// is moved by whole weeks to the last days.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import {
  haveRecordings,
  type Moved,
  movedToNow,
  recordingText,
} from "../ingest/sources/mtconnect/recordings.ts";
import { type SimulatedAgent, startAgent } from "../ingest/sources/simulator/agent.ts";
import { deviceModelFromXml } from "../ingest/sources/simulator/model.ts";
import { replay } from "../ingest/sources/simulator/shdr.ts";
import { everything, expectFigures, expectStates, micros, plantOf } from "./testing/recorded-machines.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(120));

type Log = {
  file: string;
  /** The device whose model knows the log's keys, and where it is described. */
  device: string;
  model: string;
  /** What the log holds, of its own counting. */
  count: { observations: number; torn: number; unknown: number };
  from: string;
  to: string;
  /** How often a time is before the one above it. */
  backwards?: number;
  /** Seconds by state and parts made, where somebody published them or they can be told by eye. */
  known?: Record<string, number>;
};

const HURCO = { device: "Hurco04", model: "nist/tdp-devices.xml" };
/** Of the same make and adapter; a few keys of the other machine's are not in its model. */
const MAZAK = { device: "Mazak01", model: "nist/testbed-devices.xml" };
const LOGS: Log[] = [
  {
    ...HURCO,
    file: "nist/hurco04-2017-02-01.shdr",
    count: { observations: 66_160, torn: 9, unknown: 0 },
    from: "2017-02-01T12:18:02.234375Z",
    to: "2017-02-01T20:11:13.453125Z",
    known: { run_time_s: 10_472.875, idle_time_s: 12_463.6875, stopped_time_s: 5_454.65625, total_count: 10 },
  },
  {
    ...HURCO,
    file: "nist/hurco04-2017-02-17.shdr",
    count: { observations: 328, torn: 0, unknown: 0 },
    from: "2017-02-17T09:00:00Z",
    to: "2017-02-17T12:00:00Z",
  },
  {
    ...HURCO,
    file: "nist/cover-hurco04-01of20.shdr",
    count: { observations: 11_928, torn: 0, unknown: 0 },
    from: "2017-02-07T16:00:00Z",
    to: "2017-02-11T00:00:00Z",
  },
  {
    // Carried-over values come first; the counter leaps from 0 to 3763 and goes on from there.
    file: "nist/hurco01-2017-08-09.shdr",
    device: "Hurco01",
    model: "nist/tdp-devices.xml",
    count: { observations: 913, torn: 0, unknown: 2 },
    from: "2017-08-07T00:00:00Z",
    to: "2017-08-10T00:00:00Z",
    known: { total_count: 3_767 },
  },
  {
    // Its timestamps go backwards several times.
    file: "nist/mazak03-2019-06-19.shdr",
    ...MAZAK,
    count: { observations: 24_959, torn: 0, unknown: 286 },
    backwards: 9,
    from: "2019-06-19T00:00:00Z",
    to: "2019-06-20T00:00:00Z",
  },
  {
    // A weekend on which nothing was to be had.
    file: "nist/mazak03-2019-06-21.shdr",
    ...MAZAK,
    count: { observations: 55, torn: 0, unknown: 22 },
    from: "2019-06-21T00:00:00Z",
    to: "2019-06-24T00:00:00Z",
    known: { unknown_time_s: 259_200, coverage: 0, total_count: 0 },
  },
];

let server: TestServer;
const agents: SimulatedAgent[] = [];
beforeAll(async () => {
  if (haveRecordings) server = await startServer();
});
afterAll(async () => {
  for (const agent of agents) await agent.stop();
  if (haveRecordings) await discard(server);
});

describe.skipIf(!haveRecordings)("recorded logs", () => {
  for (const recorded_log of LOGS) {
    test(`invariants 2, 3 and 4: ${recorded_log.file}`, async () => {
      const moved = movedToNow(recorded_log.to);
      const { from, to } = recorded_log;
      const log = { ...recorded_log, from: moved.at(from), to: moved.at(to), moved };
      const id = log.file.replaceAll(/\W+/g, "-");
      const agent = await tell(log);
      const source = { kind: "mtconnect", url: agent.url, device: log.device };
      expect((await server.call("POST", "/api/v1/machines", { id, name: id, source })).status).toBe(201);
      const rows = await everything(server, id, agent.next_sequence - 1);
      // Each sequence that the agent gave once; a condition's native codes come beside it under the same one.
      const sequences = new Set(rows.map(({ seq }) => seq));
      expect(sequences.size).toBe(agent.next_sequence - 1);

      const plant = plantOf(id, rows);
      const span = { from_us: micros(log.from), to_us: micros(log.to), as_of_us: Date.now() * 1_000 };
      await expectStates(server, { plant, span, ...log });
      await expectFigures(server, { plant, span, ...log });
    });
  }
});

/** An agent that tells the log at once, from before its first time on. */
async function tell({
  file,
  device,
  model,
  count,
  backwards = 0,
  moved,
}: Log & { moved: Moved }): Promise<SimulatedAgent> {
  const lines = moved.lines(file);
  const times = lines.map((line) => micros(line.split("|")[0] ?? "")).filter(Number.isFinite);
  expect(times.filter((time, i) => time < (times[i - 1] ?? 0))).toHaveLength(backwards);
  const modelled = deviceModelFromXml(recordingText(model), device);
  const agent = startAgent({ devices: [modelled], started_us: Math.min(...times) - 1_000_000 });
  agents.push(agent);
  expect(await replay(lines, agent, modelled)).toEqual(count);
  return agent;
}
