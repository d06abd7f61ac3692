// Answers of a real agent, byte for byte as recorded and cut at every byte: whole or not at all, nothing doubled.
import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import { AgentClient, AgentError } from "./client.ts";
import { startAgentCollector } from "./collector.ts";
import { readDocument, readStreams, type StreamsDocument } from "./document.ts";
import { ContactError } from "./exchange.ts";
import { boundaryOf, MultipartCutter } from "./multipart.ts";
import { type Capture, captures, haveRecordings } from "./recordings.ts";
import { Replay } from "./replay.ts";

const running: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

const all = captures();
const capture = (name: string): Capture => {
  const found = all.find((one) => one.name.includes(`/${name}-`));
  if (!found) throw new Error(`no capture ${name}`);
  return found;
};
const isStream = ({ content_type }: Capture): boolean => boundaryOf(content_type) !== undefined;
const streams = all.filter(isStream);
const singles = all.filter((one) => !isStream(one));

/** Where each part begins and ends, read off the text alone. */
function partsIn(body: Uint8Array): { start: number; end: number }[] {
  const text = Buffer.from(body).toString("latin1");
  const parts: { start: number; end: number }[] = [];
  for (const match of text.matchAll(
    /--[0-9a-f]{32}\r\nContent-type: text\/xml\r\nContent-length: (\d+)\r\n\r\n/g,
  )) {
    const start = match.index + match[0].length;
    if (start + Number(match[1]) <= body.length) parts.push({ start, end: start + Number(match[1]) });
  }
  return parts;
}

const kindOf = (read: () => { kind: string }): string => {
  try {
    return read().kind;
  } catch {
    return "refused";
  }
};

/** The sequences of a document, in the order of the text. */
const sequencesIn = (bytes: Uint8Array): number[] =>
  [...new TextDecoder().decode(bytes).matchAll(/ sequence="(\d+)"/g)].map(([, digits]) => Number(digits));
const sequencesOf = ({ devices }: StreamsDocument): number[] =>
  devices.flatMap(({ items }) => [...items.sequence.subarray(0, items.length)]);

/** Another client has read so many bytes of it: one that began before has, too. */
async function readBeside(url: string, bytes: number): Promise<void> {
  let read_bytes = 0;
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
    socket.write("GET / HTTP/1.1\r\n\r\n"),
  );
  socket.on("data", (chunk) => (read_bytes += chunk.length));
  // Where the recording ends with an error, all of this is over sooner.
  socket.on("error", () => undefined);
  await until(() => read_bytes >= bytes || socket.destroyed);
  socket.destroy();
}

/**
 * Everything a client makes of a recorded stream: documents, then how it ended. Without `enough` the connection closes
 * after the recording; with it the connection stays open, and the client is stopped after so many documents, when there is no more to read.
 */
async function streamOf(
  raw: Uint8Array,
  enough?: number,
): Promise<{ documents: StreamsDocument[]; end: unknown }> {
  const replay = await Replay.start(() => raw);
  replay.holds = enough !== undefined;
  const stop = new AbortController();
  const client = new AgentClient(replay.url, stop.signal);
  const documents: StreamsDocument[] = [];
  const settle = (): void => {
    if (documents.length === enough) void readBeside(replay.url, raw.length).then(() => stop.abort());
  };
  try {
    settle();
    for await (const document of client.stream({
      from: 1,
      count: 100,
      interval_ms: 100,
      heartbeat_ms: 5_000,
    })) {
      documents.push(document);
      settle();
    }
    return { documents, end: undefined };
  } catch (end) {
    return { documents, end };
  } finally {
    await replay.stop();
  }
}

/** Where to cut: spread over the whole, and dense round the head and the first parts. */
const cutsOf = ({ length }: Uint8Array): number[] =>
  Array.from({ length: 40 }, (_, i) => (i < 20 ? Math.floor((length * (i + 1)) / 20) : 1 + 61 * (i - 20)));

describe.skipIf(!haveRecordings)("recorded streams", () => {
  test("cut at every byte: what was whole before the cut is given out, and nothing else", () => {
    let positions = 0;
    for (const { name, content_type, body } of streams) {
      const expected = partsIn(body);
      expect(expected.length).toBeGreaterThan(0);
      const cutter = new MultipartCutter(boundaryOf(content_type) ?? "", 1e7);
      let given = 0;
      for (let at = 0; at < body.length; at++) {
        for (const part of cutter.push(body.subarray(at, at + 1))) {
          const { start, end } = expected[given++] ?? { start: 0, end: 0 };
          if (end !== at + 1 || !Buffer.from(part).equals(body.subarray(start, end)))
            throw new Error(`${name}: at ${at} part ${given} is not the one from ${start} to ${end}`);
        }
        positions += 1;
      }
      expect({ name, given }).toEqual({ name, given: expected.length });
    }
    expect(positions).toBeGreaterThan(4_000_000);
  });

  test("every part holds what its text holds; across parts no sequence is missing or doubled", () => {
    for (const { name, body } of streams) {
      const told: number[] = [];
      for (const { start, end } of partsIn(body)) {
        const part = body.subarray(start, end);
        const document = readStreams(part);
        if (document.kind === "streams") expect(sequencesOf(document)).toEqual(sequencesIn(part));
        if (document.kind === "streams") told.push(...sequencesOf(document));
        else expect(document.errors).toMatchObject([{ code: "OUT_OF_RANGE" }]);
      }
      // Streams of /current repeat what is in force; a filtered one tells but two items.
      if (/A42|A43|E04/.test(name)) continue;
      const sorted = told.toSorted((a, b) => a - b);
      const first = sorted[0] ?? 0;
      expect({ name, sorted }).toEqual({ name, sorted: sorted.map((_, i) => first + i) });
    }
  });

  test("over a socket that goes silent after any byte: just the documents that were whole", async () => {
    for (const { name, raw, body, bodyBefore } of streams) {
      const whole = partsIn(body).map(({ start, end }) => body.subarray(start, end));
      const cut = async (at: number): Promise<void> => {
        const parts = whole.slice(0, partsIn(body.subarray(0, bodyBefore(at))).length);
        const error = parts.find((part) => readStreams(part).kind === "error");
        const expected = parts.filter((part) => part !== error).map(sequencesIn);
        // An error ends it by itself.
        const enough = error ? Number.POSITIVE_INFINITY : expected.length;
        const { documents, end } = await streamOf(raw.subarray(0, at), enough);
        expect({ name, at, told: documents.map(sequencesOf) }).toEqual({ name, at, told: expected });
        expect(end).toBeInstanceOf(error ? AgentError : ContactError);
      };
      await Promise.all(cutsOf(raw).map(cut));
    }
  });

  test("over a socket that closes after any byte: the same, however late they are taken", async () => {
    for (const { name, raw, body, bodyBefore } of streams) {
      const whole = partsIn(body).map(({ start, end }) => body.subarray(start, end));
      const cut = async (at: number): Promise<void> => {
        const parts = whole.slice(0, partsIn(body.subarray(0, bodyBefore(at))).length);
        const expected = parts.filter((part) => readStreams(part).kind === "streams").map(sequencesIn);
        const { documents, end } = await streamOf(raw.subarray(0, at));
        expect({ name, at, told: documents.map(sequencesOf) }).toEqual({ name, at, told: expected });
        if (parts.length > expected.length) expect(end).toBeInstanceOf(AgentError);
        else if (end !== undefined) expect(end).toBeInstanceOf(ContactError);
      };
      await Promise.all(cutsOf(raw).map(cut));
    }
  });
});

describe.skipIf(!haveRecordings)("recorded single answers", () => {
  test("cut at every byte, a document that is not whole is refused", () => {
    for (const { name, body } of singles) {
      const end = Buffer.from(body).lastIndexOf(">") + 1;
      const read = readDocument(body).kind === "streams" ? readStreams : readDocument;
      // Large ones at a sample of positions: each is read from its start.
      const step = body.length > 5_000 ? body.length >> 7 : 1;
      for (let at = 0; at < end; at += step) {
        const kind = kindOf(() => read(body.subarray(0, at)));
        if (kind !== "refused") throw new Error(`${name} cut at ${at} is taken for ${kind}`);
      }
      expect(readDocument(body.subarray(0, end)).kind).toBe(readDocument(body).kind);
    }
  });

  test("over a socket, whole or cut: the document, the agent's error, or no contact", async () => {
    for (const recorded of singles) {
      const { kind } = readDocument(recorded.body);
      let cut_at = Number.POSITIVE_INFINITY;
      const replay = await Replay.start(() => recorded.raw.subarray(0, cut_at));
      running.push(replay);
      const client = new AgentClient(replay.url, new AbortController().signal);
      const ask = async (): Promise<unknown> => {
        try {
          if (kind === "devices") return (await client.probe()).kind;
          if (kind === "other") return await client.allAssets();
          return (await client.current()).kind;
        } catch (error) {
          return error;
        }
      };
      if (kind === "error") expect(await ask()).toBeInstanceOf(AgentError);
      else expect(await ask()).toEqual(kind === "other" ? [] : kind);
      const { length } = recorded.raw;
      for (const at of [0, 1, 20, 60, 100, length >> 1, length - 30, length - 1]) {
        cut_at = at;
        expect(await ask()).toBeInstanceOf(ContactError);
      }
    }
  });
});

/** The recorded chunks of a stream, each with the sequence it goes on from and the one it leads to. */
function chunksOf(
  { raw, body }: Capture,
  from: number,
): { from: number; bytes: Uint8Array; document: Uint8Array }[] {
  const text = Buffer.from(raw);
  let next = from;
  let at = text.indexOf("\r\n\r\n") + 4;
  return partsIn(body).map(({ start, end }) => {
    const line_end = text.indexOf("\r\n", at);
    const chunk_end = line_end + 2 + Number.parseInt(text.toString("latin1", at, line_end), 16) + 2;
    const chunk = { from: next, bytes: raw.subarray(at, chunk_end), document: body.subarray(start, end) };
    const read = readStreams(chunk.document);
    if (read.kind === "streams") next = read.header.next_sequence;
    at = chunk_end;
    return chunk;
  });
}

const headOf = ({ raw }: Capture): Uint8Array => raw.subarray(0, Buffer.from(raw).indexOf("\r\n\r\n") + 4);
const single = (document: Uint8Array): Uint8Array =>
  Buffer.concat([
    Buffer.from(`HTTP/1.0 200 OK\r\nContent-Length: ${document.length}\r\nContent-Type: text/xml\r\n\r\n`),
    document,
  ]);
/** The recorded probe, as an instance of that number gives it: its digits are as many. */
const probeOf = (instance: string): Uint8Array =>
  Buffer.from(
    Buffer.from(capture("A03").raw)
      .toString("latin1")
      .replace(/instanceId="\d+"/, `instanceId="${instance}"`),
    "latin1",
  );
const numberIn = (path: string, name: string): number =>
  Number(new RegExp(`[?&]${name}=(\\d+)`).exec(path)?.[1] ?? Number.NaN);

const OPTIONS = { heartbeat_ms: 400, interval_ms: 100, poll_ms: 5, backoff: { first_ms: 5, max_ms: 10 } };

/** A machine that stood at `next_sequence` of that instance. */
function standing(url: string, instance_id: string, next_sequence: number): MemorySink {
  const sink = new MemorySink();
  sink.checkpoints.set(url, { agent: url, instance_id, next_sequence, known_us: 1_795_459_000_000_000 });
  sink.checkpoints.set(`${url}#hurco`, { agent: `${url}#hurco`, instance_id, next_sequence: 0 });
  return sink;
}
const sequencesTaken = (sink: MemorySink): number[] =>
  sink.rows.map(({ seq }) => seq).toSorted((a, b) => a - b);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe.skipIf(!haveRecordings)("the collector on recorded answers", () => {
  test("invariant 2: however a recorded stream is cut, every observation arrives once, and there is no gap", async () => {
    const [recorded, instance, first, end] = [capture("A45"), "1795459703", 1_872, 3_660];
    const chunks = chunksOf(recorded, first);
    // The head and one part must fit, or nothing would ever arrive.
    for (const cut_at of [20_011, 65_537, 1_000_000]) {
      let n = 0;
      const replay = await Replay.start((path) => {
        if (path.includes("probe")) return probeOf(instance);
        if (path.includes("current")) return capture("A46").raw;
        if (path.includes("asset")) return capture("A09").raw;
        const at = chunks.findIndex(({ from }) => from === numberIn(path, "from"));
        const rest = chunks.slice(at < 0 ? chunks.length : at);
        if (!path.includes("interval")) return rest[0] && single(rest[0].document);
        const bytes = Buffer.concat([headOf(recorded), ...rest.map((chunk) => chunk.bytes)]);
        return bytes.subarray(0, cut_at + 997 * (n++ % 7));
      });
      running.push(replay);
      replay.holds = true;
      const sink = standing(replay.url, instance, first);
      const collector = startAgentCollector({
        url: replay.url,
        machines: [{ machine_id: "hurco" }],
        sink,
        ...OPTIONS,
        heartbeat_ms: 40,
      });
      running.push(collector);
      await until(() => sequencesTaken(sink).length >= end - first);
      expect(sequencesTaken(sink)).toEqual(range(first, end));
      await collector.stop();
      await until(() => sink.lost().every(({ to_us }) => to_us === 0));
    }
  });

  test("invariant 4: a recorded restart: the old instance's rows, the new one's from its first, and one gap between", async () => {
    const before = chunksOf(capture("C02"), 181);
    const after = chunksOf(capture("C07"), 1);
    let is_new = false;
    let is_early = true;
    const replay = await Replay.start((path) => {
      const instance = is_new ? "1795460306" : "1795460297";
      const from = numberIn(path, "from");
      if (path.includes("probe")) return probeOf(instance);
      if (path.includes("current")) return capture(is_new ? "C04" : "C01").raw;
      if (path.includes("asset")) return capture("A09").raw;
      if (!is_new) {
        is_new = true;
        return capture("C02").raw;
      }
      // Just after its start the new instance refuses the old sequence, later it would answer it.
      if (path.includes("interval") && from === 1_183) return capture(is_early ? "C06" : "C08").raw;
      is_early = false;
      const chunk = Number.isNaN(from) ? 0 : after.findIndex((one) => one.from === from);
      if (!path.includes("interval")) return after[chunk] && single(after[chunk].document);
      if (chunk < 0) return undefined;
      return Buffer.concat([headOf(capture("C07")), ...after.slice(chunk).map(({ bytes }) => bytes)]);
    });
    running.push(replay);
    replay.holds = true;
    const sink = standing(replay.url, "1795460297", 181);
    running.push(
      startAgentCollector({ url: replay.url, machines: [{ machine_id: "hurco" }], sink, ...OPTIONS }),
    );
    const [old_end, new_end] = [before, after].map(
      (chunks) => readStreams(chunks.at(-1)?.document ?? new Uint8Array()).header.next_sequence,
    ) as [number, number];
    await until(() => sink.rows.length >= old_end - 181 + new_end - 1);
    expect(sequencesTaken(sink)).toEqual(
      [...range(181, old_end), ...range(1, new_end)].toSorted((a, b) => a - b),
    );
    const lost = sink.lost().filter(({ to_us }) => to_us > 0);
    expect(lost).toMatchObject([{ machine_id: "hurco", cause: "agent_restart" }]);
    // From the last that was heard of the old instance to the first of the new one.
    expect(new Date((lost[0]?.from_us ?? 0) / 1_000).toISOString()).toStartWith("2026-11-23T18:58:2");
    expect(new Date((lost[0]?.to_us ?? 0) / 1_000).toISOString()).toStartWith("2026-11-23T18:58:2");
  });

  test("invariant 4: OUT_OF_RANGE as recorded, up front and in mid-stream, ends the stream after what was whole", async () => {
    for (const [name, documents] of [
      ["B03", 0],
      ["B06", 1],
      ["C06", 0],
    ] as const) {
      const { documents: told, end } = await streamOf(capture(name).raw, Number.NaN);
      expect({ name, told: told.length, out_of_range: (end as AgentError).out_of_range }).toEqual({
        name,
        told: documents,
        out_of_range: true,
      });
    }
  });
});
