// Every recorded log of a real machine, through an agent into the program: nothing lost, and figures as the oracle's. A log
// is moved by whole weeks to the last days.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms, until } from "../.ci/limits.ts";
import {
  type Counted,
  counted,
  figures,
  marked,
  type Piece,
  pieces,
  type Span,
} from "../analytics-sql/testing/oracle.ts";
import type { Plant, Seen } from "../analytics-sql/testing/plant.ts";
import {
  haveRecordings,
  type Moved,
  movedToNow,
  recordingText,
} from "../ingest/sources/mtconnect/recordings.ts";
import { type SimulatedAgent, startAgent } from "../ingest/sources/simulator/agent.ts";
import { deviceModelFromXml } from "../ingest/sources/simulator/model.ts";
import { replay } from "../ingest/sources/simulator/shdr.ts";
import { parseTimestamp_us } from "../ingest/time.ts";
import { type RecordedAgent, serveRecorded } from "./testing/recorded-agent.ts";
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

type ObservationRow = { signal: string; ts: string; seq: number; value: number | string | null };
type StateRow = { state: string; from: string; to: string; reason: string; cause: string };

let server: TestServer;
const agents: SimulatedAgent[] = [];
const recorded: RecordedAgent[] = [];
beforeAll(async () => {
  if (haveRecordings) server = await startServer();
});
afterAll(async () => {
  for (const agent of [...agents, ...recorded]) await agent.stop();
  if (haveRecordings) await discard(server);
});

const micros = (ts: string): number => parseTimestamp_us(ts) ?? Number.NaN;

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
      const rows = await everything(id, agent.next_sequence - 1);
      // Each sequence that the agent gave once; a condition's native codes come beside it under the same one.
      const sequences = new Set(rows.map(({ seq }) => seq));
      expect(sequences.size).toBe(agent.next_sequence - 1);

      const plant = plantOf(id, rows);
      const span = { from_us: micros(log.from), to_us: micros(log.to), as_of_us: Date.now() * 1_000 };
      await expectStates(id, plant, span, log);
      await expectFigures(id, plant, span, log);
    });
  }
});

describe.skipIf(!haveRecordings)("recorded answers of an agent", () => {
  const page = (number: number): string => `nist/sample-${number}.streams.xml`;

  test("invariants 2, 3 and 4: page after page, a buffer that ran over, and the agent's restart", async () => {
    const moved = movedToNow("2016-09-28T17:46:54.329752Z");
    const agent = serveRecorded([140, 141, 369, 370].map((number) => moved.document(page(number))));
    recorded.push(agent);
    for (const [id, device] of Object.entries({ agie: "GFAgie01", mazak: "Mazak03" })) {
      const source = { kind: "mtconnect", url: agent.url, device };
      expect((await server.call("POST", "/api/v1/machines", { id, name: id, source })).status).toBe(201);
    }
    let agie = await everything("agie", 1_371_286);
    expect(runsOf(agie)).toEqual([[1_363_237, 1_371_286]]);
    for (const last of [1_371_312, 3_546_631]) {
      agent.next();
      agie = await everything("agie", last);
    }
    agent.next();
    const mazak = await everything("mazak", 10_120);
    expect(runsOf(agie)).toEqual([
      [1_363_237, 1_371_312],
      [3_543_468, 3_546_631],
    ]);
    expect(runsOf(mazak)).toEqual([[1, 10_120]]);
    for (const [id, rows] of [
      ["agie", agie],
      ["mazak", mazak],
    ] as const) {
      const gaps = await gapsOf(id);
      expect(gaps.map(({ cause }) => cause)).toEqual(["sequence_gap", "agent_restart"]);
      const plant = { ...plantOf(id, rows), gaps };
      for (const day of ["2016-05-02", "2016-05-06", "2016-05-23", "2016-09-28"]) {
        const [from, to] = [moved.at(`${day}T00:00:00Z`), moved.at(`${day}T23:59:59.999999Z`)];
        const span = { from_us: micros(from), to_us: micros(to), as_of_us: Date.now() * 1_000 };
        await expectStates(id, plant, span, { from, to });
        await expectFigures(id, plant, span, { from, to });
      }
    }
  });
});

async function gapsOf(id: string): Promise<{ from_us: number; to_us: number; cause: string }[]> {
  type Row = { from: string; to: string; cause: string };
  const { body } = await server.call<{ rows: Row[] }>(
    "GET",
    `/api/v1/machines/${id}/gaps?from=2016-01-01T00:00:00Z`,
  );
  return body.rows.map(({ from, to, cause }) => ({ from_us: micros(from), to_us: micros(to), cause }));
}

/** Stretches of sequences without a hole. */
function runsOf(rows: ObservationRow[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const seq of [...new Set(rows.map((row) => row.seq))].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}

/** Signals that figures are made of; all others only make the oracle slow. */
const MEANING =
  /^(availability|execution|controller_mode|functional_mode|emergency_stop|program|part_number|lot|part_\w+|condition|alarms)(:|$)/;

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

/** All observations, as soon as the last sequence is among them. */
async function everything(id: string, last: number): Promise<ObservationRow[]> {
  return until(async () => {
    await server.settled();
    const rows: ObservationRow[] = [];
    let cursor = "";
    do {
      const query = `from=2010-01-01T00:00:00Z&limit=20000${cursor}`;
      const { body } = await server.call<{ rows: ObservationRow[]; next_cursor: string | null }>(
        "GET",
        `/api/v1/machines/${id}/observations?${query}`,
      );
      rows.push(...body.rows);
      cursor = body.next_cursor === null ? "" : `&cursor=${encodeURIComponent(body.next_cursor)}`;
    } while (cursor !== "");
    return rows.some(({ seq }) => seq === last) ? rows : undefined;
  });
}

const plantOf = (machine: string, rows: ObservationRow[]): Plant => ({
  machine,
  seen: rows.map(seenOf).filter(({ signal }) => MEANING.test(signal)),
});

const seenOf = ({ signal, ts, seq, value }: ObservationRow): Seen => ({
  signal,
  ts_us: micros(ts),
  seq,
  value,
});

async function expectStates(
  id: string,
  plant: Plant,
  span: Span,
  { from, to }: Pick<Log, "from" | "to">,
): Promise<void> {
  const { body } = await server.call<{ rows: StateRow[] }>(
    "GET",
    `/api/v1/machines/${id}/states?from=${from}&to=${to}`,
  );
  const told = body.rows.map((row) => [micros(row.from), micros(row.to), row.state, row.reason, row.cause]);
  const merged: Piece[] = [];
  for (const piece of pieces(plant, span)) {
    const last = merged.at(-1);
    if (last && last.state === piece.state && last.reason === piece.reason && last.cause === piece.cause)
      last.to_us = piece.to_us;
    else merged.push({ ...piece });
  }
  expect(told).toEqual(
    merged.map((piece) => [piece.from_us, piece.to_us, piece.state, piece.reason, piece.cause]),
  );
}

async function expectFigures(
  id: string,
  plant: Plant,
  span: Span,
  { from, to, known = {} }: Pick<Log, "from" | "to" | "known">,
): Promise<void> {
  const { body } = await server.call<{ rows: Record<string, unknown>[] }>(
    "GET",
    `/api/v1/machines/${id}/oee?from=${from}&to=${to}`,
  );
  const parts: Counted[] = counted(plant, span);
  const { mtbf_s: _, mttr_s: __, ...expected } = figures(marked(plant, span), parts, false);
  expect(body.rows).toHaveLength(1);
  for (const [name, value] of Object.entries(expected)) {
    const told = body.rows[0]?.[name];
    if (typeof value === "number")
      expect([name, Math.abs((told as number) - value) < 1e-6]).toEqual([name, true]);
    else expect([name, told]).toEqual([name, value]);
  }
  expect(body.rows[0]).toMatchObject(known);
}
