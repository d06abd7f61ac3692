// Each way in which a line fails, as the client at its end sees it, and what the line's listener knows was lost.
import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { limit_ms, until } from "../../../../.ci/limits.ts";
import { type AgentOptions, type SimulatedAgent, startAgent } from "../agent.ts";
import type { DeviceModel } from "../model.ts";
import { partsOf, text } from "../testing.ts";
import { Line } from "./line.ts";
import { type Lost, Reader } from "./reader.ts";

const MILL: DeviceModel = {
  element: "Device",
  id: "mill",
  name: "Mill",
  uuid: "mill-uuid",
  items: [{ id: "feed", category: "SAMPLE", type: "PATH_FEEDRATE" }],
  components: [],
};
/** The agent's clock stands still, but for what a test says. */
let now_ms = 0;
let agent: SimulatedAgent;
let line: Line;
let lost: Lost[];
let heard: number[];
let reader: Reader;

async function start(options: Partial<AgentOptions> = {}): Promise<string> {
  now_ms = Date.parse("2026-01-12T07:00:00Z");
  agent = startAgent({ devices: [MILL], clock: () => now_ms, instance_id: 1, ...options });
  lost = [];
  heard = [];
  reader = new Reader({ lost: (one) => lost.push(one), heard: (at_us) => heard.push(at_us) });
  line = await Line.open({ to: { host: "127.0.0.1", port: agent.port }, tap: () => reader.tap() });
  return `http://${line.host}:${line.port}`;
}
afterEach(async () => {
  await line.close();
  await agent.stop();
});
const feed = (value: number): void => agent.add("mill-uuid", "feed", now_ms * 1000, value);
const stream = async (url: string) =>
  partsOf(await fetch(`${url}/sample?from=1&interval=0&heartbeat=60000`, { keepalive: false }));

describe("a line", () => {
  test("that is whole passes everything on", async () => {
    const url = await start();
    for (let i = 0; i < 5_000; i++) feed(i);
    expect(await text(`${url}/sample?count=10000`)).toBe(await text(`${agent.url}/sample?count=10000`));
  });

  test("ends by FIN or by RST", async () => {
    const url = await start();
    const parts = await stream(url);
    await parts.next();
    line.cut("fin");
    expect(await parts.ended()).toBe(true);
    const ended = Promise.withResolvers<string>();
    const socket = connect(line.port, line.host);
    socket.on("error", (error: Error & { code?: string }) => ended.resolve(error.code ?? ""));
    socket.on("end", () => ended.resolve("FIN"));
    socket.write("GET /sample?interval=10 HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.once("data", () => line.cut("rst"));
    expect(await ended.promise).toBe("ECONNRESET");
    expect(await text(`${url}/probe`)).toContain("<MTConnectDevices");
  });

  test("falls silent and goes on; nothing is missing", async () => {
    const url = await start();
    const parts = await stream(url);
    await parts.next();
    const began_ms = performance.now();
    line.silence(300);
    feed(1);
    expect((await parts.next()).document).toContain(">1</PathFeedrate>");
    expect(performance.now() - began_ms).toBeGreaterThan(290);
  });

  test("holds a question back, and the simulator answers with what is so then", async () => {
    const url = await start();
    await text(`${url}/probe`);
    const { promise, resolve } = Promise.withResolvers<void>();
    line.hold(promise);
    const answer = text(`${url}/sample`);
    await until(() => heard.length > 0);
    feed(7);
    resolve();
    expect(await answer).toContain(">7</PathFeedrate>");
  });

  test("dribbles, and all arrives in the end", async () => {
    const url = await start();
    line.dribble(400, 2_000);
    expect(await text(`${url}/probe`)).toEndWith("</MTConnectDevices>\n");
  });

  test("tears a part, or lies about its length", async () => {
    const url = await start();
    const torn = await stream(url);
    await torn.next();
    line.tear(limit_ms());
    feed(1);
    expect(await torn.ended()).toBe(true);
    expect(torn.rest()).not.toContain("</MTConnectStreams>");
    const lied = await fetch(`${url}/sample?from=1&interval=0&heartbeat=60000`, { keepalive: false });
    const body = (lied.body as ReadableStream<Uint8Array>).getReader();
    line.lie(limit_ms());
    feed(2);
    let seen = "";
    while (!seen.includes(">2</PathFeedrate>")) seen += new TextDecoder().decode((await body.read()).value);
    const parts = [...seen.matchAll(/Content-length: (\d+)\r\n\r\n(<\?xml[\s\S]*?<\/MTConnectStreams>\n)/g)];
    expect(parts.some(([, length, document = ""]) => Number(length) !== document.length + 2)).toBe(true);
    await body.cancel();
  });

  test("is dead for a while: refused, then back on the same port", async () => {
    const url = await start();
    const back = line.dead(1_000);
    await until(() =>
      fetch(`${url}/probe`).then(
        () => false,
        () => true,
      ),
    );
    await back;
    expect(await text(`${url}/probe`)).toContain("<MTConnectDevices");
  });
});

describe("a reader", () => {
  const from = 3;
  const resume = (url: string, sequence: number) => text(`${url}/sample?from=${sequence}&count=10`);

  test("that goes on by sequence has lost nothing", async () => {
    const url = await start();
    feed(1);
    await text(`${url}/sample`);
    line.cut("rst");
    now_ms += 60_000;
    feed(2);
    await resume(url, from + 2);
    expect(lost).toEqual([]);
  });

  test("loses what left the ring before it came back, once it goes on from there", async () => {
    const url = await start({ buffer_size: 16 });
    await text(`${url}/sample`);
    const known_us = now_ms * 1000;
    now_ms += 60_000;
    for (let i = 0; i < 40; i++) {
      feed(i);
      now_ms += 1_000;
    }
    // An error tells nothing.
    expect(await resume(url, 4)).toContain("OUT_OF_RANGE");
    await text(`${url}/sample?count=16`);
    expect(lost).toEqual([]);
    await resume(url, agent.next_sequence);
    await until(() => lost.length > 0);
    const to_us = known_us + 60_000_000 + (40 - 16) * 1_000_000;
    expect(lost).toEqual([{ from_us: known_us, from_at_most_us: known_us + 1_000_000, to_us, short: false }]);
  });

  test("that comes when the ring has moved on has lost all before, once it goes on from its first page", async () => {
    const url = await start({ buffer_size: 16 });
    for (let i = 0; i < 40; i++) {
      feed(i);
      now_ms += 1_000;
    }
    await text(`${url}/sample?count=16`);
    expect(lost).toEqual([]);
    await resume(url, agent.next_sequence);
    await until(() => lost.length > 0);
    expect(lost).toEqual([
      { from_us: 0, from_at_most_us: 0, to_us: (now_ms - 16_000) * 1_000, short: false },
    ]);
  });

  test("that could not learn what was in force at a page's start knows that only later", async () => {
    const url = await start({ buffer_size: 16 });
    for (let i = 0; i < 40; i++) {
      feed(i);
      now_ms += 1_000;
    }
    const oldest_us = (now_ms - 16_000) * 1_000;
    await text(`${url}/sample?count=16`);
    const next = agent.next_sequence;
    for (let i = 0; i < 8; i++) feed(i);
    // From further on as well; then it goes on from the first page.
    await text(`${url}/sample?from=${next - 4}&count=16`);
    await text(`${url}/current`);
    await resume(url, next);
    await until(() => lost.length > 1);
    const now_us = now_ms * 1_000 + 1_000_000;
    expect(lost).toEqual([
      { from_us: 0, from_at_most_us: 0, to_us: oldest_us, short: false },
      { from_us: oldest_us, from_at_most_us: now_us, to_us: now_us, short: true },
    ]);
  });

  test("is known to have heard the agent when it asks for a page behind its probe", async () => {
    const url = await start();
    await text(`${url}/probe`);
    const probed_us = now_ms * 1_000;
    now_ms += 60_000;
    expect(heard).toEqual([]);
    for (let i = 0; i < 2; i++) await text(`${url}/sample`);
    expect(heard).toEqual([probed_us]);
  });

  test("loses all it had not read when the agent restarts, and what it could not read: a false length, half a part", async () => {
    const url = await start();
    await text(`${url}/sample`);
    const known_us = now_ms * 1000;
    now_ms += 5_000;
    /** Waits for the end of the document, not of the answer: of a false length that never comes. */
    const impatient = async (): Promise<void> => {
      const stop = new AbortController();
      try {
        const { body } = await fetch(`${url}/sample?from=1`, { signal: stop.signal });
        let seen = "";
        for await (const chunk of body as ReadableStream<Uint8Array>) {
          seen += new TextDecoder().decode(chunk);
          if (seen.includes("</MTConnectStreams>")) stop.abort();
        }
      } catch {
        // It is torn, or was given up.
      }
    };
    line.lie(limit_ms());
    await impatient();
    line.tear(limit_ms());
    await impatient();
    reader.forgotten(known_us + 30_000_000);
    await until(() => lost.length > 0);
    // Whether the client made anything of those two answers nobody can say.
    const from_at_most_us = known_us + 6_000_000;
    expect(lost).toEqual([
      { from_us: known_us, from_at_most_us, to_us: known_us + 30_000_000, short: false },
    ]);
  });
});
