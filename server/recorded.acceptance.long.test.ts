// Recorded days of a real machine into the real program: every way in, any order, twice, and through restarts. The days are
// moved by whole weeks to the last ones. `recordings.acceptance.test.ts` has each recording once.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms, until } from "../.ci/limits.ts";
import { arrival, shuffled } from "../analytics-sql/testing/arrival.ts";
import { ColumnsBuilder } from "../ingest/columns.ts";
import { haveRecordings, movedToNow, recordingText } from "../ingest/sources/mtconnect/recordings.ts";
import { type SimulatedAgent, startAgent } from "../ingest/sources/simulator/agent.ts";
import { type DeviceModel, deviceModelFromXml } from "../ingest/sources/simulator/model.ts";
import { replay } from "../ingest/sources/simulator/shdr.ts";
import { parseTimestamp_us } from "../ingest/time.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(300));

/** A working day of a Hurco VMX24: from its first observation to its last. */
const MOVED = movedToNow("2017-02-01T20:11:13.453125Z");
const FIRST_TS = MOVED.at("2017-02-01T12:18:02.234375Z");
const LAST_TS = MOVED.at("2017-02-01T20:11:13.453125Z");
const DAY = `from=${FIRST_TS}&to=${LAST_TS}`;
const DAY_START_US = Date.UTC(2017, 1, 1, 12) * 1_000 + MOVED.by_us;
/** Facts of the recording, exact to the microsecond: ACTIVE; READY and PROGRAM_COMPLETED; every kind of stop. */
const SECONDS = { RUNNING: 10_472.875, IDLE: 12_463.6875, STOPPED: 5_454.65625 };
const OEE = {
  run_time_s: SECONDS.RUNNING,
  idle_time_s: SECONDS.IDLE,
  stopped_time_s: SECONDS.STOPPED,
  down_time_s: 0,
  setup_time_s: 0,
  unknown_time_s: 0,
  calendar_time_s: 28_391.21875,
  total_count: 10,
  coverage: 1,
};

const hurco = (): DeviceModel => deviceModelFromXml(recordingText("nist/tdp-devices.xml"), "Hurco04");

type StateRow = { state: string; from: string; to: string; seconds: number; cause: string };
type ObservationRow = { signal: string; ts: string; seq: number; value: number | string | null };
type Page = { rows: ObservationRow[]; next_cursor: string | null };

let server: TestServer | undefined;
const running: { stop(): unknown }[] = [];
afterEach(async () => {
  await discard(server);
  server = undefined;
  for (const one of running.splice(0)) await one.stop();
});

function agentOf(device: DeviceModel): SimulatedAgent {
  const agent = startAgent({ devices: [device], started_us: DAY_START_US });
  running.push(agent);
  return agent;
}

async function addMachine(at: TestServer, id: string, url?: string): Promise<void> {
  const source = url === undefined ? { kind: "http" } : { kind: "mtconnect", url, device: "Hurco04" };
  const { status } = await at.call("POST", "/api/v1/machines", { id, name: id, source });
  expect(status).toBe(201);
}

async function rowsOf<T>(at: TestServer, path: string): Promise<T[]> {
  const { status, body } = await at.call<{ rows: T[] }>("GET", `/api/v1/machines/${path}`);
  expect(status).toBe(200);
  return body.rows;
}

/** Waits until the last that the agent told can be queried: the sequence after it is the agent's next. */
async function arrived(at: TestServer, id: string, agent: SimulatedAgent): Promise<void> {
  await until(async () => {
    const rows = await rowsOf<ObservationRow>(
      at,
      `${id}/observations?from=${LAST_TS}&to=${MOVED.at("2017-02-01T20:11:14.453125Z")}`,
    );
    return rows.some(({ seq }) => seq === agent.next_sequence - 1) || undefined;
  });
}

/** What the recording says of the day, over HTTP. @returns the rows, to compare machines by */
async function expectTheDay(at: TestServer, id: string): Promise<{ states: StateRow[]; oee: object[] }> {
  const states = await rowsOf<StateRow>(at, `${id}/states?${DAY}`);
  const seconds: Record<string, number> = {};
  for (const row of states) seconds[row.state] = (seconds[row.state] ?? 0) + row.seconds;
  expect([id, seconds]).toEqual([id, SECONDS]);
  const oee = await rowsOf<object>(at, `${id}/oee?${DAY}&by=total`);
  expect([id, oee]).toEqual([id, [expect.objectContaining(OEE)]]);
  return { states, oee };
}

/** What the recording's names mean, told apart from the collector's own table. */
const SIGNALS: Record<string, string> = {
  avail: "availability",
  EStop_State: "emergency_stop",
  Program_Status: "execution",
  Program_Name_Running: "program",
  Part_Count: "part_count",
  Spindle_Speed: "spindle_speed",
  Feed_Rate: "feedrate",
  Feed_Override: "feedrate_override",
};
const WORDS = new Set(["availability", "emergency_stop", "execution", "program", "Program_Name_Editing"]);

type Recorded = { signal: string; ts_us: number; seq: number; value: number | string };

/** The recording line by line; torn lines carry nothing. */
function recorded(path: string): Recorded[] {
  const rows: Recorded[] = [];
  for (const line of MOVED.lines(path)) {
    const [ts = "", ...fields] = line.trimEnd().split("|");
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = fields[i] ?? "";
      const signal = SIGNALS[name] ?? name;
      const text = fields[i + 1] ?? "";
      const value = WORDS.has(signal) ? text : Number(text);
      rows.push({ signal, ts_us: parseTimestamp_us(ts) ?? Number.NaN, seq: rows.length + 1, value });
    }
  }
  return rows;
}

/** The rows as bodies of `size` rows, their sequences moved on by `seq_offset`. */
function bodies(rows: Recorded[], size: number, seq_offset = 0): string[] {
  const made: string[] = [];
  for (let i = 0; i < rows.length; i += size) {
    const columns = new ColumnsBuilder();
    for (const { signal, ts_us, seq, value } of rows.slice(i, i + size))
      columns.add(signal, ts_us, seq + seq_offset, value);
    made.push(JSON.stringify(columns.columns()));
  }
  return made;
}

/** Posts all bodies, eight at a time. */
async function post(at: TestServer, id: string, all: string[]): Promise<void> {
  const left = [...all];
  const client = async (): Promise<void> => {
    for (let body = left.pop(); body !== undefined; body = left.pop()) {
      const response = await fetch(`${at.origin}/internal/machines/${id}/data`, {
        method: "POST",
        headers: { "x-api-key": TEST_KEY, "content-type": "application/json" },
        body,
      });
      expect([response.status, response.status === 202 ? "" : await response.text()]).toEqual([202, ""]);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

describe.skipIf(!haveRecordings)("a recorded day of a Hurco VMX24", () => {
  const path = "nist/hurco04-2017-02-01.shdr";

  test("invariants 2 and 3: from an agent, and over HTTP in batches of any size, shuffled and repeated, it is the same to the microsecond", async () => {
    const device = hurco();
    const agent = agentOf(device);
    expect(await replay(MOVED.lines(path), agent, device)).toEqual({
      observations: 66_160,
      torn: 9,
      unknown: 0,
    });
    server = await startServer();
    await addMachine(server, "from-agent", agent.url);
    const rows = recorded(path);
    expect(rows).toHaveLength(66_160);
    const sizes = [50_000, 1_000, 77];
    const random = arrival();
    for (const size of sizes) {
      const id = `by-${size}`;
      await addMachine(server, id);
      // Once, once again just so, and once under other sequence numbers, as after a restart of what counts them.
      const batches = bodies(rows, size);
      await post(server, id, shuffled([...batches, ...batches, ...bodies(rows, size, 1_000_000)], random));
    }
    await arrived(server, "from-agent", agent);
    await server.settled();

    const told = await expectTheDay(server, "from-agent");
    expect(told.states[0]).toMatchObject({ state: "IDLE", from: FIRST_TS });
    expect(told.states.at(-1)).toMatchObject({ to: LAST_TS });
    for (const size of sizes) expect(await expectTheDay(server, `by-${size}`)).toEqual(told);
  });

  test("invariants 1, 2 and 4: stopped, killed and cut off on the way, it resumes by checkpoint, and no gap is left", async () => {
    const device = hurco();
    const agent = agentOf(device);
    const lines = MOVED.lines(path);
    server = await startServer();
    const { data_dir } = server;
    await addMachine(server, "hurco", agent.url);
    // Told in three parts, each while the server goes and comes back.
    const third = Math.ceil(lines.length / 3);
    const tell = (part: number) =>
      replay(lines.slice(part * third, (part + 1) * third), agent, device, { speed: 3_500 });
    for (const [part, sequence, end] of [
      [0, 10_000, "stop"],
      [1, 30_000, "kill"],
    ] as const) {
      const told = tell(part);
      await until(() => agent.next_sequence > sequence || undefined);
      await hasStored(server, "hurco", sequence / 2);
      if (end === "stop") expect(await server.stop()).toBe(0);
      else await server.kill();
      await told;
      server = await startServer({}, data_dir);
    }
    const told = tell(2);
    // Out of reach meanwhile: unknown until the agent is back, and then whole again.
    const gaps = "hurco/gaps?from=2017-01-01T00:00:00Z";
    await agent.down();
    const lost = await until(async () => {
      const rows = await rowsOf<object>(server as TestServer, gaps);
      return rows.length > 0 ? rows : undefined;
    });
    expect(lost).toEqual([expect.objectContaining({ to: null, cause: "unreachable" })]);
    agent.up();
    await told;
    await arrived(server, "hurco", agent);
    await server.settled();

    await expectTheDay(server, "hurco");
    expect(await rowsOf(server, gaps)).toEqual([]);
    const whole = `from=${MOVED.at("2017-02-01T00:00:00Z")}&to=${MOVED.at("2017-02-02T00:00:00Z")}`;
    const sequences = (await everyObservation(server, "hurco", whole))
      .map(({ seq }) => seq)
      .sort((a, b) => a - b);
    expect(sequences).toEqual(Array.from({ length: agent.next_sequence - 1 }, (_, i) => i + 1));
  });
});

describe.skipIf(!haveRecordings)("11,928 recorded observations in two forms", () => {
  const path = "nist/cover-hurco04-01of20";
  const span = "from=2017-02-07T16:02:27.75Z&to=2017-02-11T00:00:00Z";

  test("invariant 2: an adapter's lines and a real agent's document are the same rows, page by page", async () => {
    const device = hurco();
    const agent = agentOf(device);
    expect(await replay(recordingText(`${path}.shdr`).split("\n"), agent, device)).toMatchObject({
      observations: 11_928,
    });
    server = await startServer();
    await addMachine(server, "lines", agent.url);
    await addMachine(server, "document", serveDocument(`${path}.streams.xml`, agent.url));
    const last_ts = "2017-02-10T18:34:21.294375Z";
    for (const id of ["lines", "document"]) {
      const at = server;
      await until(async () => {
        const last = `${id}/observations?from=${last_ts}&to=2017-02-11T00:00:00Z`;
        return (await rowsOf(at, last)).length > 0 || undefined;
      });
    }
    await server.settled();

    const lines = await everyObservation(server, "lines", span, 1_777);
    const document = await everyObservation(server, "document", span, 5_000);
    expect([lines.length, document.length]).toEqual([11_928, 11_928]);
    const told = comparable(lines);
    const different = comparable(document).flatMap((row, i) => (row === told[i] ? [] : [[row, told[i]]]));
    expect(different.slice(0, 10)).toEqual([]);
    // The agent's own sequences went through as they are.
    const sequences = document.map(({ seq }) => seq);
    expect([Math.min(...sequences), new Set(sequences).size]).toEqual([819_002, 11_928]);
  });
});

/**
 * Everything but the sequences, which each agent counts for itself; within one signal and instant they still order.
 * The recorded agent tells what has native units with seven figures, as `%.7g` does; the adapter told more.
 */
const comparable = (rows: ObservationRow[]): string[] =>
  rows
    .map(({ signal, ts, value }) => {
      const rounded = signal === "feedrate" && typeof value === "number";
      return { key: `${ts} ${signal}`, value: rounded ? Number(value.toPrecision(7)) : value };
    })
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ key, value }) => `${key} ${JSON.stringify(value)}`);

/** All pages of a machine's observations; each but the last is full. */
async function everyObservation(
  at: TestServer,
  id: string,
  span: string,
  limit = 20_000,
): Promise<ObservationRow[]> {
  const rows: ObservationRow[] = [];
  for (let cursor = ""; ; ) {
    const query = `${span}&limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { status, body } = await at.call<Page>("GET", `/api/v1/machines/${id}/observations?${query}`);
    expect(status).toBe(200);
    rows.push(...body.rows);
    if (body.next_cursor === null) return rows;
    expect(body.rows).toHaveLength(limit);
    cursor = body.next_cursor;
  }
}

/** Waits until observations of a machine up to that many can be queried. */
async function hasStored(at: TestServer, id: string, rows: number): Promise<void> {
  await until(async () => {
    const found = await rowsOf(at, `${id}/observations?${DAY}&limit=${rows}`);
    return found.length === rows || undefined;
  });
}

/**
 * An agent that answers with a recorded document, and with nothing newer after it.
 * @param model_url an agent that knows the device: its probe is answered under the document's instance
 * @returns its address
 */
function serveDocument(path: string, model_url: string): string {
  const document = recordingText(path);
  const header = /<Header [^>]*>/.exec(document)?.[0] ?? "";
  const instance = /instanceId="\d+"/.exec(header)?.[0] ?? "";
  const nothing = document.replace(/<Streams>.*<\/Streams>/s, "<Streams/>");
  const agent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const xml = (body: string): Response => new Response(body, { headers: { "content-type": "text/xml" } });
      if (pathname.endsWith("/probe"))
        return xml((await (await fetch(`${model_url}/probe`)).text()).replace(/instanceId="\d+"/, instance));
      const whole = pathname.endsWith("/sample") && !searchParams.has("from");
      return xml(whole ? document : nothing);
    },
  });
  running.push({ stop: () => agent.stop(true) });
  return agent.url.origin;
}
