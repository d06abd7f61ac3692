// SHDR lines against device models, and a recorded working day replayed through the agent.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type SimulatedAgent, startAgent } from "./agent.ts";
import { type DeviceModel, deviceModelFromXml } from "./model.ts";
import { replay, shdrParser } from "./shdr.ts";
import { text } from "./testing.ts";

const NIST = `${import.meta.dir}/../../../../shared/data/nist`;
const have = existsSync(NIST);
if (!have) console.warn(`skipping replays of NIST's recordings: ${NIST} is absent`);

const LATHE: DeviceModel = {
  element: "Device",
  id: "lathe",
  name: "Lathe",
  uuid: "lathe-uuid",
  items: [
    { id: "l1", name: "avail", category: "EVENT", type: "AVAILABILITY" },
    { id: "l2", name: "load_cond", source: "sload", category: "CONDITION", type: "LOAD" },
    { id: "l3", name: "msg", category: "EVENT", type: "MESSAGE" },
  ],
  components: [],
};

describe("one line", () => {
  const parse = shdrParser(LATHE);
  const ts = "2017-02-01T12:18:02.2343750Z";
  test("keys are names, sources, ids, with or without the device", () => {
    for (const key of ["avail", "l1", "Lathe:avail"])
      expect(parse(`${ts}|${key}|AVAILABLE`)).toEqual({
        kind: "observations",
        observations: [{ data_item_id: "l1", timestamp: ts, value: "AVAILABLE" }],
        unknown: [],
        torn: false,
      });
  });
  test("a condition takes five fields, a message two, and what follows is read on", () => {
    const line = parse(`${ts}|sload|FAULT|401|90|HIGH|OVER|msg|7|DOOR OPEN|avail|AVAILABLE|nobody|1`);
    expect(line).toEqual({
      kind: "observations",
      observations: [
        {
          data_item_id: "l2",
          timestamp: ts,
          value: {
            level: "Fault",
            native_code: "401",
            native_severity: "90",
            qualifier: "HIGH",
            text: "OVER",
          },
        },
        { data_item_id: "l3", timestamp: ts, value: { native_code: "7", text: "DOOR OPEN" } },
        { data_item_id: "l1", timestamp: ts, value: "AVAILABLE" },
      ],
      unknown: ["nobody"],
      torn: false,
    });
  });
  test("torn lines, commands and empty lines", () => {
    for (const line of ["2017", "2017.919363", "2017-02-01T12:18|avail|AVAILABLE", `${ts}|avail`])
      expect(parse(line).kind).toBe("torn");
    expect(parse(`${ts}|avail|AVAILABLE|sload|FAULT`)).toMatchObject({ torn: true, observations: [{}] });
    expect(parse("* PING").kind).toBe("command");
    expect(parse("").kind).toBe("empty");
  });
});

describe.skipIf(!have)("the Hurco's day", () => {
  const device = have
    ? deviceModelFromXml(readFileSync(`${NIST}/tdp-devices.xml`, "utf8"), "Hurco04")
    : LATHE;
  const lines = have ? readFileSync(`${NIST}/hurco04-2017-02-01.shdr`, "utf8").split("\n") : [];
  let agent: SimulatedAgent | undefined;
  afterAll(() => agent?.stop());

  test("every one of 66,160 observations comes out of /sample as recorded, 9 torn lines are counted", async () => {
    agent = startAgent({ devices: [device], buffer_size: 131_072 });
    const from = agent.next_sequence;
    const count = await replay(lines, agent, device);
    expect(count).toEqual({ observations: 66_160, torn: 9, unknown: 0 });

    const names = new Map(
      [...(await text(`${agent.url}/probe`)).matchAll(/ id="(\S+)" name="(\S+)"/g)].map((m) => [m[1], m[2]]),
    );
    const seen = new Map<number, string>();
    for (let next = from; next < agent.next_sequence; ) {
      const page = await text(`${agent.url}/sample?from=${next}&count=10000`);
      for (const [, id, ts, sequence, value] of page.matchAll(
        /dataItemId="([^"]+)" timestamp="([^"]+)".*? sequence="(\d+)"[^>]*?(?:\/>|>([^<]*)<)/g,
      ))
        seen.set(Number(sequence), `${ts}|${names.get(id)}|${value ?? ""}`);
      next = Number(/nextSequence="(\d+)"/.exec(page)?.[1]);
    }
    expect(seen.size).toBe(66_160);
    // The file's own fields, paired without the parser under test.
    const recorded = lines.flatMap((line) => {
      const [ts, ...fields] = line.replace("\r", "").split("|");
      return fields.flatMap((key, i) => (i % 2 === 0 ? [`${ts}|${key}|${fields[i + 1]}`] : []));
    });
    const delivered = [...seen].sort(([a], [b]) => a - b).map(([, observation]) => observation);
    expect(delivered).toEqual(recorded);
  });

  test("a speed factor spreads the recording over time", async () => {
    const slow = startAgent({ devices: [device] });
    const begun = performance.now();
    // 4 min 41 s pass between the first two lines.
    await replay(lines.slice(0, 2), slow, device, { speed: 2_000 });
    expect(performance.now() - begun).toBeGreaterThan(130);
    await slow.stop();
  });
});

test.skipIf(!have)(
  "the Mazak's day with conditions: only keys its model lacks are unknown, codes reach /current",
  async () => {
    const device = deviceModelFromXml(readFileSync(`${NIST}/tdp-devices.xml`, "utf8"), "Mazak03");
    const agent = startAgent({ devices: [device] });
    const lines = readFileSync(`${NIST}/mazak03-2019-06-19.shdr`, "utf8").split("\n");
    const fault = lines.findIndex((line) => line.includes("SPINDLE START MISOPERATION"));
    expect(fault).toBeGreaterThan(0);
    const { observations, torn } = await replay(lines.slice(0, fault + 1), agent, device);
    expect(observations).toBeGreaterThan(1_000);
    expect(torn).toBe(0);
    expect(await text(`${agent.url}/current`)).toMatch(
      /<Fault [^>]*nativeCode="250" nativeSeverity="90" type="\w+">SPINDLE START MISOPERATION<\/Fault>/,
    );
    await agent.stop();
  },
);
