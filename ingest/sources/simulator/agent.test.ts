// The simulated agent against captures of a real one, and its streams, errors and faults over real HTTP.
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { until } from "../../../.ci/limits.ts";
import { type AgentOptions, type SimulatedAgent, startAgent } from "./agent.ts";
import { type DeviceModel, deviceModelFromXml } from "./model.ts";
import { partsOf, text } from "./testing.ts";

const DATA = `${import.meta.dir}/../../../../shared/data`;
const have = existsSync(`${DATA}/captures`);
if (!have) console.warn(`skipping comparisons with real agents: ${DATA}/captures is absent`);

let agent: SimulatedAgent | undefined;
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
});
const start = (options: Partial<AgentOptions> = {}) =>
  (agent = startAgent({ devices: [MILL], instance_id: 1795459569, ...options }));

/** A mill with one sample, two events and one condition; its agent adds two asset events: sequences 1 to 6. */
const MILL: DeviceModel = {
  element: "Device",
  id: "mill",
  name: "Mill",
  uuid: "mill-uuid",
  items: [{ id: "avail", name: "avail", category: "EVENT", type: "AVAILABILITY" }],
  components: [
    {
      element: "Controller",
      id: "ctl",
      name: "controller",
      items: [{ id: "sys", name: "system_cond", category: "CONDITION", type: "SYSTEM" }],
      components: [
        {
          element: "Path",
          id: "path",
          name: "path",
          items: [
            { id: "exec", name: "execution", category: "EVENT", type: "EXECUTION" },
            { id: "feed", name: "Fact", category: "SAMPLE", type: "PATH_FEEDRATE", subType: "ACTUAL" },
          ],
          components: [],
        },
      ],
    },
  ],
};
const FIRST_OWN = 7;

const capture = (name: string): string => {
  const raw = readFileSync(`${DATA}/captures/${name}`, "utf8");
  return raw.slice(raw.indexOf("<?xml"));
};
/** What differs between two agents that say the same: their clock, their host. */
const comparable = (document: string) =>
  document.replace(/creationTime="[^"]*"/, "").replace(/sender="[^"]*"/, "");
const get = async (path: string, init?: RequestInit) =>
  (await fetch(`${(agent as SimulatedAgent).url}${path}`, init)).text();
const hurco = () => deviceModelFromXml(readFileSync(`${DATA}/nist/tdp-devices.xml`, "utf8"), "Hurco04");
const sequences = (document: string) => [...document.matchAll(/ sequence="(\d+)"/g)].map((m) => Number(m[1]));

/** Every observation of a captured document, in order of sequence. */
const observed = (document: string) =>
  [...document.matchAll(/dataItemId="([^"]+)" timestamp="([^"]+)".* sequence="(\d+)"[^>]*>([^<]*)</g)]
    .map(([, id = "", timestamp = "", sequence, value = ""]) => ({
      id,
      timestamp,
      sequence: Number(sequence),
      value,
    }))
    .sort((a, b) => a.sequence - b.sequence);

test.skipIf(!have)(
  "probe, the first current and the errors are byte for byte what cppagent 1.4 answered",
  async () => {
    const before = capture("A01-current-before-adapter.http");
    const stamp = Date.parse("2026-11-23T18:46:09Z") * 1000 + 12_154;
    start({ devices: [hurco()], schema: "1.3", started_us: stamp });
    for (const [path, file] of [
      ["/probe", "A03-probe.http"],
      ["/Hurco04/probe", "A04-probe-device.http"],
      ["/current", "A01-current-before-adapter.http"],
      ["/sample", "A02-sample-before-adapter.http"],
      ["/assets", "A09-assets.http"],
    ] as const)
      expect(comparable(await get(path))).toBe(comparable(capture(file)));
    expect(sequences(before).length).toBe(17);
  },
);

test.skipIf(!have)("a page of the Hurco is grouped, ordered and written as cppagent did", async () => {
  const page = capture("A10-sample-page1.http");
  const observations = observed(page);
  expect(observations.length).toBe(100);
  const stamp = Date.parse("2026-11-23T18:46:09Z") * 1000 + 12_154;
  const hurco_agent = start({ devices: [hurco()], schema: "1.3", started_us: stamp });
  for (const { id, timestamp, value } of observations.slice(17))
    hurco_agent.add("mtc_adapter008", id, timestamp, value);
  for (let i = 101; i <= 641; i++)
    hurco_agent.add("mtc_adapter008", "Hurco04-path_1", "2026-11-23T18:46:13.0Z", i);
  expect(comparable(await get("/sample?from=1&count=100"))).toBe(comparable(page));
  for (const [path, file] of [
    ["/sample?from=642&count=100", "A13-sample-empty-from-next.http"],
    ["/sample?from=1642&count=10", "A20-err-out-of-range-from-too-high.http"],
    ["/sample?from=0", "A21-err-out-of-range-from-0.http"],
    ["/NoSuchDevice/probe", "A22-err-no-device-probe.http"],
    ["/NoSuchDevice/current", "A23-err-no-device-current.http"],
    ["/NoSuchDevice", "A24-err-unsupported-path.http"],
    ['/current?path=//DataItem[@type="PATH_FEEDRATE"', "A25-err-invalid-xpath-syntax.http"],
    ['/current?path=//DataItem[@type="NO_SUCH_TYPE"]', "A26-err-xpath-no-match.http"],
    ["/sample?from=642&count=0", "A27-err-count-zero.http"],
    ["/sample?from=abc", "A28-err-from-not-a-number.http"],
    ["/sample?from=", "A29-err-query-empty.http"],
    ["/current?at=99999999", "A30-err-at-out-of-range.http"],
    ["/current?at=592&interval=1000", "A33-err-at-and-interval.http"],
  ] as const)
    expect(comparable(await get(path)), file).toBe(comparable(capture(file)));
  const posted = await get("/probe", { method: "POST" });
  expect(comparable(posted)).toBe(comparable(capture("A32-err-post-unsupported.http")));
});

test.skipIf(!have)("all ten NIST devices: every item, in the captured order", async () => {
  const xml = readFileSync(`${DATA}/nist/tdp-devices.xml`, "utf8");
  const names = [...xml.matchAll(/<Device [^>]*?\bname=['"]([^'"]+)/g)].map((m) => m[1] ?? "");
  start({ devices: names.map((name) => deviceModelFromXml(xml, name)), schema: "1.3" });
  const order = (document: string) => [...document.matchAll(/dataItemId="([^"]+)"/g)].map((m) => m[1]);
  const captured = capture("E02-all-nist-devices-current.http");
  expect(order(await get("/current"))).toEqual(order(captured));
  expect(comparable(await get("/probe")).replace(/instanceId="\d+"/, "")).toBe(
    comparable(capture("E01-all-nist-devices-probe.http")).replace(/instanceId="\d+"/, ""),
  );
});

test("the ring forgets the oldest; current at a sequence tells the state as of then", async () => {
  const { add, url } = bound(start({ buffer_size: 10 }));
  for (let i = 0; i < 20; i++) add("exec", i % 2 ? "READY" : "ACTIVE");
  const page = await text(`${url}/sample?count=10`);
  expect(page).toContain('bufferSize="10" nextSequence="27" firstSequence="17" lastSequence="26"');
  expect(sequences(page)).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  expect(await text(`${url}/sample?from=16`)).toContain("'from' must be greater than or equal to 17.");
  expect(await text(`${url}/sample?count=11`)).toContain("'count' must be less than or equal to 10.");
  expect(sequences(await text(`${url}/current?at=20&path=//Path`))).toEqual([3, 20]);
  expect(await text(`${url}/current?at=16`)).toContain("OUT_OF_RANGE");
});

test("conditions: current lists every active one, a code clears itself, Normal without a code clears all", async () => {
  const { agent, add, url } = bound(start());
  const active = async () =>
    [
      ...(await text(`${url}/current`)).matchAll(
        /<(Fault|Warning|Normal|Unavailable) .*?(?:nativeCode="(\w+)")?[^>]*?type="SYSTEM"/g,
      ),
    ].map((m) => `${m[1]} ${/nativeCode="(\w+)"/.exec(m[0])?.[1] ?? ""}`.trim());
  expect(await active()).toEqual(["Unavailable"]);
  add("sys", { level: "Fault", native_code: "401", native_severity: "90", qualifier: "HIGH", text: "a < b" });
  expect(await text(`${url}/current`)).toContain(
    'name="system_cond" sequence="7" nativeCode="401" nativeSeverity="90" qualifier="HIGH" type="SYSTEM">a &lt; b</Fault>',
  );
  add("sys", { level: "Warning", native_code: "7" });
  add("sys", { level: "Fault", native_code: "401" });
  expect(await active()).toEqual(["Warning 7", "Fault 401"]);
  add("sys", { level: "Normal", native_code: "401" });
  expect(await active()).toEqual(["Warning 7"]);
  add("sys", { level: "Fault", native_code: "9" });
  add("sys", "NORMAL");
  expect(await active()).toEqual(["Normal"]);
  agent.setUnavailable("mill-uuid");
  expect(await active()).toEqual(["Unavailable"]);
});

test("1.4 stream: pages back to back, then changes, then heartbeats; Content-length counts the CRLF", async () => {
  const { add, url } = bound(start());
  for (let i = 0; i < 250; i++) add("feed", i);
  const response = await fetch(`${url}/sample?from=1&count=100&interval=10&heartbeat=100`);
  expect(response.headers.get("content-type")).toMatch(/^multipart\/x-mixed-replace;boundary=\w+$/);
  const parts = partsOf(response);
  const seen: number[] = [];
  for (let page = 0; page < 3; page++) {
    const { document, content_length, raw } = await parts.next();
    expect(content_length).toBe(document.length + 2);
    expect(raw).toContain("Content-type: text/xml\r\nContent-length: ");
    seen.push(...sequences(document));
  }
  add("feed", 999);
  // Where the machine is busy a heartbeat may have come first.
  while (seen.length < 257) seen.push(...sequences((await parts.next()).document));
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 257 }, (_, i) => i + 1));
  const begun = performance.now();
  const heartbeat = (await parts.next()).document;
  expect(performance.now() - begun).toBeGreaterThan(70);
  expect(heartbeat).toContain("<Streams/>");
  expect(heartbeat).toContain('nextSequence="258"');
  await parts.stop();
});

test("2.x stream: multipart/mixed, Content-length without the CRLF, HTTP 404 and 400, the agent's own device", async () => {
  const { add, url } = bound(start({ dialect: "2.x", schema: "2.6" }));
  const response = await fetch(`${url}/sample?interval=10&from=1`);
  expect(response.headers.get("content-type")).toStartWith("multipart/mixed;boundary=");
  const parts = partsOf(response);
  const { document, content_length } = await parts.next();
  expect(content_length).toBe(document.length);
  expect(document).toContain('xmlns="urn:mtconnect.org:MTConnectStreams:2.6"');
  expect(document).toContain('<DeviceStream name="Agent"');
  await parts.stop();
  const beyond = await fetch(`${url}/sample?from=99`);
  expect(beyond.status).toBe(404);
  expect(await beyond.text()).toContain('<OutOfRange errorCode="OUT_OF_RANGE">');
  expect((await fetch(`${url}/current?path=nonsense`)).status).toBe(400);
  expect((await fetch(`${url}/nobody/current`)).status).toBe(404);
  add("exec", "READY");
});

test("a filtered stream's heartbeats advance nextSequence past what was filtered", async () => {
  const { add, url } = bound(start());
  const from = FIRST_OWN;
  const path = encodeURIComponent("//DataItem[@type='EXECUTION' or @type=\"PROGRAM\"]");
  const parts = partsOf(await fetch(`${url}/Mill/sample?path=${path}&from=${from}&interval=10&heartbeat=80`));
  expect((await parts.next()).document).toContain(`nextSequence="${from}"`);
  for (let i = 0; i < 5; i++) add("feed", i);
  const heartbeat = (await parts.next()).document;
  expect(heartbeat).toContain("<Streams/>");
  expect(heartbeat).toContain(`nextSequence="${from + 5}"`);
  add("exec", "ACTIVE");
  expect(sequences((await parts.next()).document)).toEqual([from + 5]);
  await parts.stop();
});

test("a stream that falls out of the ring: an error part that counts no CRLF, then the end", async () => {
  const { add, url } = bound(start({ buffer_size: 20 }));
  const parts = partsOf(await fetch(`${url}/sample?from=${FIRST_OWN}&interval=200&heartbeat=1000`));
  await parts.next();
  for (let i = 0; i < 50; i++) add("feed", i);
  const { document, content_length } = await parts.next();
  expect(document).toContain(
    `<Error errorCode="OUT_OF_RANGE">Client can't keep up with event stream, disconnecting</Error>`,
  );
  expect(content_length).toBe(document.length);
  expect(await parts.ended()).toBe(true);
});

test("restart: streams break, the old sequence is out of range, then belongs to the new instance", async () => {
  const { agent, add, url } = bound(start({ instance_id: 100 }));
  for (let i = 0; i < 10; i++) add("feed", i);
  const parts = partsOf(await fetch(`${url}/sample?from=1&interval=10`));
  await parts.next();
  const next = agent.next_sequence;
  await agent.restart({ instance_id: 200 });
  expect(await parts.ended()).toBe(true);
  expect(await text(`${url}/sample?from=${next}`)).toContain("OUT_OF_RANGE");
  for (let i = 0; i < 20; i++) add("feed", i);
  const page = await text(`${url}/sample?from=${next}`);
  expect(page).toContain('instanceId="200"');
  expect(sequences(page)[0]).toBe(next);
});

test("down refuses and up serves the same port and ring; tear cuts a part in half; delay delays", async () => {
  const { agent, add, url } = bound(start());
  const torn = partsOf(await fetch(`${url}/sample?from=${FIRST_OWN}&interval=0&heartbeat=5000`));
  await torn.next();
  const tearing = agent.tear();
  expect(await torn.ended()).toBe(true);
  expect(torn.rest()).toMatch(/^--\w+\r\n/);
  await tearing;
  add("feed", 5);
  await agent.down();
  await expect(fetch(`${url}/current`)).rejects.toThrow();
  agent.up();
  expect(await text(`${url}/current`)).toContain(">5</PathFeedrate>");
  agent.delay(120);
  const begun = performance.now();
  await text(`${url}/current`);
  expect(performance.now() - begun).toBeGreaterThan(100);
});

test("a client that goes away leaves no observer behind", async () => {
  const { add, url } = bound(start());
  const aborts = Array.from({ length: 20 }, () => new AbortController());
  const streams = await Promise.all(
    aborts.map(async ({ signal }) =>
      partsOf(await fetch(`${url}/sample?from=1&interval=10&heartbeat=60000`, { signal })),
    ),
  );
  for (const parts of streams) await parts.next();
  await until(() => (agent as SimulatedAgent).waiting === 20);
  for (const abort of aborts) abort.abort();
  await until(() => (agent as SimulatedAgent).waiting === 0);
  add("feed", 1);
});

test("a catch-up of 300,000 observations by pages of 10,000 is whole", async () => {
  const { add, url } = bound(start({ buffer_size: 400_000 }));
  for (let i = 0; i < 300_000; i++) add("feed", i);
  let from = 1;
  let count = 0;
  for (;;) {
    const page = await text(`${url}/sample?from=${from}&count=10000`);
    const next = Number(/nextSequence="(\d+)"/.exec(page)?.[1]);
    if (next === from) break;
    count += sequences(page).length;
    from = next;
  }
  expect(count).toBe(300_006);
});

/** The agent with `add` for the mill, stamped now. */
function bound(agent: SimulatedAgent) {
  const add = (id: string, value: Parameters<SimulatedAgent["add"]>[3]) =>
    agent.add("mill-uuid", id, Date.now() * 1000, value);
  return { agent, add, url: agent.url };
}
