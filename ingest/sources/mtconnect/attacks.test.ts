// A hostile agent: whatever it sends, the event loop goes on turning, what is over a bound is refused, and texts are cut (SPEC 16.1).
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms, pace, until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import { MAX_ANSWERS_BYTES, MAX_INLINE_BYTES } from "./bounds.ts";
import { AgentClient, AgentError } from "./client.ts";
import { startAgentCollector } from "./collector.ts";
import { type Device, readXmlStreams, type StreamsDocument } from "./document.ts";
import { type Asked, AT, HEADER, HOSTILE, many, observation, probe, streams } from "./hostile-documents.ts";
import { Interner } from "./interner.ts";
import { Translator } from "./observations.ts";
import { readAnswer } from "./reader.ts";
import { answers } from "./room.ts";
import { ScriptedAgent } from "./scripted-agent.ts";

setDefaultTimeout(limit_ms(120));

let answer: string | Uint8Array = "";
let server: ReturnType<typeof Bun.serve>;
let client: AgentClient;
/** What may be done at once: the longest document that is read on the event loop takes this long, ms. */
let unit_ms = 0;

beforeAll(() => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => new Response(answer as string, { headers: { "content-type": "text/xml" } }),
  });
  client = new AgentClient(`http://127.0.0.1:${server.port}`, new AbortController().signal);
  const inner = many(MAX_INLINE_BYTES / 85, (i) => observation(i, String(i)));
  const document = new TextEncoder().encode(streams(inner)).subarray(0, MAX_INLINE_BYTES);
  const times = Array.from({ length: 5 }, () => {
    const begin_ms = performance.now();
    try {
      readXmlStreams(document);
    } catch {
      // It may break off at the bound.
    }
    return performance.now() - begin_ms;
  });
  unit_ms = Math.max(5, times.sort((a, b) => a - b)[2] ?? 0);
});
afterAll(() => server.stop(true));
/** Whatever becomes of an answer, others have its room. */
afterEach(() => expect(answers.free_bytes).toBe(MAX_ANSWERS_BYTES));

/** How long the event loop stood still at the longest while something was done, in units of what may be done at once. */
async function pauseOf<T>(work: () => Promise<T>): Promise<{ units: number; outcome: T | Error }> {
  let [longest_ms, last_ms] = [0, performance.now()];
  const look = (): void => {
    const now_ms = performance.now();
    longest_ms = Math.max(longest_ms, now_ms - last_ms);
    last_ms = now_ms;
  };
  const timer = setInterval(look, 1);
  const outcome = await work().catch((error: Error) => error);
  look();
  clearInterval(timer);
  return { units: longest_ms / unit_ms, outcome };
}

/** What the whole way of an answer may cost at once, the copies of a body of 64 MB and other people's work on this machine included. */
const MAX_UNITS = 40;

const DEVICE: Device = { id: "d", name: "D", uuid: "u", manufacturer: "", model: "", data_items: [] };
const translated = (document: StreamsDocument): number =>
  new Translator("m", DEVICE)
    .batches(document.devices, "key")
    .reduce((n, { columns }) => n + columns.rows, 0);

type Ask = () => Promise<unknown>;
const asks: Record<Asked, Ask> = {
  probe: () => client.probe(),
  current: async () => translated(await client.current()),
  assets: () => client.allAssets(),
};

const MB = 1_000_000;
test.each(HOSTILE)("invariant 7: %s", async (_, asked, document, expected) => {
  answer = new TextEncoder().encode(document());
  const { units, outcome } = await pauseOf(asks[asked]);
  expect(units).toBeLessThan(MAX_UNITS);
  expect(outcome).toBeInstanceOf(Error);
  expect((outcome as Error).message).toMatch(expected);
  expect((outcome as Error).message.length).toBeLessThanOrEqual(500);
});

const borne: [what: string, document: () => string, rows: number][] = [
  ["one observation with 50 MB of text", () => streams(observation(1, "x".repeat(50 * MB))), 1],
  ["a number that is none after 200,000 digits", () => streams(observation(1, `${"1".repeat(200_000)}x`)), 1],
  ["the same as an event that counts", () => streams(observation(1, `${"1".repeat(200_000)}x`), "Events"), 1],
  ["a text in 100,000 pieces", () => streams(observation(1, "<!---->x".repeat(100_000))), 1],
  [
    "9,000 native codes of one condition",
    () =>
      streams(
        many(9_000, (i) => `<Fault dataItemId="c" ${AT} sequence="${i}" nativeCode="${i}"/>`),
        "Condition",
      ),
    18_000,
  ],
  [
    "9,000 conditions",
    () =>
      streams(
        many(9_000, (i) => `<Fault dataItemId="c${i}" ${AT} sequence="${i}" nativeCode="1"/>`),
        "Condition",
      ),
    18_000,
  ],
];
test.each(borne)("invariant 7: %s is read, and holds nobody up", async (_, document, rows) => {
  answer = new TextEncoder().encode(document());
  const { units, outcome } = await pauseOf(async () => translated(await client.current()));
  expect(units).toBeLessThan(MAX_UNITS);
  expect(outcome).toBe(rows);
});

test("invariant 7: a long document changes hands, and is in memory once", async () => {
  const bytes = Uint8Array.from(new TextEncoder().encode(streams("<X/>".repeat(1 + MAX_INLINE_BYTES / 4))));
  const { outcome } = await pauseOf(() => readAnswer(bytes, "streams", new AbortController().signal));
  expect((outcome as Error).message).toMatch("elements");
  expect(bytes.buffer.detached).toBe(true);
});

test("a large shop's probe is read: 20,000 data items, with sources, limits and filters", async () => {
  const item = (i: number): string =>
    `<DataItem id="item-${i}" name="axis-${i}" category="SAMPLE" type="POSITION" subType="ACTUAL" units="MILLIMETER"
      nativeUnits="MILLIMETER" coordinateSystem="MACHINE"><Source componentId="c${i}">P${i}</Source><Constraints>
      <Minimum>0</Minimum><Maximum>100</Maximum></Constraints><Filters><Filter type="MINIMUM_DELTA">0.1</Filter></Filters></DataItem>`;
  answer = new TextEncoder().encode(probe(many(20_000, item)));
  const { units, outcome } = await pauseOf(() => client.probe());
  expect(units).toBeLessThan(MAX_UNITS);
  expect((outcome as Awaited<ReturnType<typeof client.probe>>).devices[0]?.data_items).toHaveLength(20_000);
});

test("invariant 7: words that were made to have one hash cost no more than others", () => {
  // Thue and Morse's sequence and its opposite: for any odd multiplier their polynomial hashes are equal modulo 2 ** 32.
  let [one, other] = ["a", "b"];
  for (let k = 0; k < 9; k++) [one, other] = [one + other, other + one];
  const made = (n: number): string =>
    Array.from({ length: 8 }, (_, bit) => ((n >> (7 - bit)) & 1 ? one : other)).join("");
  const chance = (n: number): string => String(n).padStart(8, "0") + made(n).slice(8);
  const time_ms = (word: (n: number) => string): number => {
    const texts = Array.from({ length: 256 }, (_, n) => new TextEncoder().encode(word(n)));
    const times = Array.from({ length: 9 }, () => {
      const interner = new Interner((text) => text);
      const dictionary: string[] = [];
      interner.begin(dictionary);
      const begin_ms = performance.now();
      for (let again = 0; again < 4; again++) for (const text of texts) interner.index(text, 0, text.length);
      const took_ms = performance.now() - begin_ms;
      expect(new Set(dictionary).size).toBe(
        new Set(texts.map((text) => new TextDecoder().decode(text))).size,
      );
      return took_ms;
    });
    return times.sort((a, b) => a - b)[4] ?? 0;
  };
  expect(time_ms(made) / time_ms(chance)).toBeLessThan(6);
});

test("names of any length are cut where they come in", async () => {
  const long = "n".repeat(100_000);
  answer = `<MTConnectDevices><Header instanceId="${long}"/><Devices><Device id="${long}" name="${long}" uuid="${long}">
    <Description manufacturer="${long}" model="${long}"/><DataItems><DataItem id="${long}" name="${long}" type="${long}"
    category="${long}" subType="${long}" representation="${long}"/></DataItems></Device></Devices></MTConnectDevices>`;
  const { header, devices } = await client.probe();
  expect(JSON.stringify({ header, devices }).length).toBeLessThan(15 * 200);
});

test("an error's text is cut, its code is known", async () => {
  answer = `<MTConnectError>${HEADER}<Errors>${`<Error errorCode="OUT_OF_RANGE">${"x".repeat(1_000)}</Error>`.repeat(1_000)}</Errors></MTConnectError>`;
  const error = await client.current().catch((error) => error);
  expect(error).toBeInstanceOf(AgentError);
  expect(error).toMatchObject({ out_of_range: true });
  expect(error.codes).toHaveLength(10);
  expect(error.message).toHaveLength(500);
});

test("a part's header without an end, and line ends without a document, are given up", async () => {
  for (const drip of ["--b\r\nX: y\r\n", "\r\n", "--b\r"]) {
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(drip.repeat(1_000)) });
    const endless = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response(stream, { headers: { "content-type": "multipart/x-mixed-replace;boundary=b" } }),
    });
    const agent = new AgentClient(`http://127.0.0.1:${endless.port}`, new AbortController().signal);
    const asked = { from: 1, count: 1, interval_ms: 0, heartbeat_ms: 1_000 };
    const { units, outcome } = await pauseOf(() => agent.stream(asked).next());
    await endless.stop(true);
    expect(units).toBeLessThan(MAX_UNITS);
    expect((outcome as Error).message).toMatch(/header is too long|expected a boundary/);
  }
});

test("line ends that drip for longer than a document may take are no sign of life", async () => {
  const dripping = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await pace(20);
            controller.enqueue("\r\n");
          },
        }),
        { headers: { "content-type": "multipart/x-mixed-replace;boundary=b" } },
      ),
  });
  const patience = { silence_ms: 10_000, document_ms: 500 };
  const agent = new AgentClient(`http://127.0.0.1:${dripping.port}`, new AbortController().signal, patience);
  const asked = { from: 1, count: 1, interval_ms: 0, heartbeat_ms: 10_000 };
  const { outcome } = await pauseOf(() => agent.stream(asked).next());
  await dripping.stop(true);
  expect((outcome as Error).message).toBe("a document not whole after 500 ms");
});

test("what an agent says of itself stands in its status cut, while its own error is as long as it likes", async () => {
  const agent = new ScriptedAgent();
  agent.instead = () =>
    new Response(`<MTConnectError>${HEADER}<Error errorCode="E">${"x".repeat(MB)}</Error></MTConnectError>`);
  const sink = new MemorySink();
  const collector = startAgentCollector({ url: agent.url, machines: [{ machine_id: "m" }], sink });
  const { error } = await until(() => (collector.status().error ? collector.status() : undefined));
  expect(error).toHaveLength(500);
  await collector.stop();
  await agent.stop();
});
