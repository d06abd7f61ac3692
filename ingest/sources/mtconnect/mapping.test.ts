// Which signals real machines' data items become (SPEC 4.3).
import { describe, expect, test } from "bun:test";
import { CANONICAL_SIGNALS } from "../../signals.ts";
import { type DataItem, type Device, readDocument } from "./document.ts";
import { mapDataItems } from "./mapping.ts";
import { captures, haveRecordings, recording, recordings } from "./recordings.ts";

const item = (id: string, type: string, rest: Partial<DataItem> = {}): DataItem => ({
  id,
  type,
  name: "",
  category: "EVENT",
  sub_type: "",
  representation: "VALUE",
  sample_rate_hz: Number.NaN,
  of_device: false,
  ...rest,
});

const signals = (items: DataItem[]): Record<string, string> =>
  Object.fromEntries([...mapDataItems(items)].map(([id, { signal }]) => [id, signal]));

/** The canonical signals of a device and the data item each came from. */
function canonical(device: Device | undefined): Record<string, string> {
  const by_id = signals(device?.data_items ?? []);
  const found = Object.entries(by_id).filter(([, signal]) =>
    CANONICAL_SIGNALS.some((name) => name === signal),
  );
  return Object.fromEntries(found.map(([id, signal]) => [signal, id]));
}

function devicesOf(bytes: Uint8Array): Device[] {
  const document = readDocument(bytes);
  return document.kind === "devices" ? document.devices : [];
}

describe.skipIf(!haveRecordings)("recordings", () => {
  test("the Hurco: program status is the execution, the rapid override nobody's canonical signal", () => {
    const probe = captures().find(({ name }) => name.includes("A03-probe"));
    const [device] = devicesOf(probe?.body ?? new Uint8Array());
    expect(canonical(device)).toEqual({
      availability: "Hurco04-dtop_1",
      emergency_stop: "Hurco04-controller_1",
      execution: "Hurco04-path_5",
      program: "Hurco04-path_2",
      part_count: "Hurco04-path_4",
      spindle_speed: "Hurco04-C_1",
      feedrate: "Hurco04-path_9",
      feedrate_override: "Hurco04-path_10",
    });
    const by_id = mapDataItems(device?.data_items ?? []);
    expect(by_id.get("Hurco04-path_11")).toMatchObject({ signal: "Rapid_Override", numeric: true });
    expect(by_id.get("Hurco04-path_6")).toMatchObject({ signal: "Current_Tool", numeric: false });
  });

  test("Fanuc, Haas, Mazak and Okuma models give the signals OEE needs", () => {
    const expected: Record<string, string[]> = {
      "cppagent/fanuc.xml": [
        "availability",
        "execution",
        "controller_mode",
        "emergency_stop",
        "program",
        "spindle_speed",
      ],
      "cppagent/haas.xml": [
        "availability",
        "execution",
        "controller_mode",
        "emergency_stop",
        "program",
        "part_count",
      ],
      "cppagent/mazak.xml": [
        "availability",
        "execution",
        "controller_mode",
        "functional_mode",
        "emergency_stop",
        "program",
      ],
      "ladder99/mazak-probe.xml": [
        "availability",
        "execution",
        "controller_mode",
        "emergency_stop",
        "program",
        "part_count",
      ],
      "trakhound/devices-okuma-lathe.xml": [
        "availability",
        "execution",
        "controller_mode",
        "emergency_stop",
        "program",
      ],
    };
    for (const [name, wanted] of Object.entries(expected)) {
      const [device] = devicesOf(recording(name));
      expect({ name, signals: Object.keys(canonical(device)) }).toEqual({
        name,
        signals: expect.arrayContaining(wanted),
      });
    }
  });

  test("no two data items of a real device share a signal", () => {
    const probes = [
      ...recordings(".xml").map(recording),
      ...captures()
        .filter((c) => /probe/.test(c.name))
        .map((c) => c.body),
    ];
    let devices = 0;
    for (const device of probes.flatMap(devicesOf)) {
      devices += 1;
      const ids = new Set(device.data_items.map(({ id }) => id));
      const names = Object.values(signals(device.data_items));
      expect({ device: device.name, names: new Set(names).size }).toEqual({
        device: device.name,
        names: ids.size,
      });
    }
    expect(devices).toBeGreaterThan(20);
  });
});

test("of two paths the first is canonical, the second keeps the meaning in its name", () => {
  const items = [
    item("e1", "EXECUTION"),
    item("m1", "CONTROLLER_MODE"),
    item("e2", "EXECUTION", { name: "execution" }),
  ];
  expect(signals(items)).toEqual({ e1: "execution", m1: "controller_mode", e2: "execution:e2" });
});

test("a further spindle keeps its own name, and its id where that name is taken", () => {
  const speed = { category: "SAMPLE", sub_type: "ACTUAL" };
  const items = [
    item("s1", "ROTARY_VELOCITY", { ...speed, name: "Srpm" }),
    item("s2", "SPINDLE_SPEED", { ...speed, name: "S2rpm" }),
    item("s3", "SPINDLE_SPEED", { ...speed, name: "S2rpm" }),
    item("s4", "SPINDLE_SPEED", { ...speed, name: "spindle_speed" }),
    item("s5", "SPINDLE_SPEED", { ...speed, name: "S2rpm" }),
  ];
  // SPINDLE_SPEED says it better than ROTARY_VELOCITY.
  expect(signals(items)).toEqual({ s1: "Srpm", s2: "spindle_speed", s3: "S2rpm", s4: "s4", s5: "s5" });
});

test("only the device's own availability is the machine's", () => {
  const items = [
    item("feeder", "AVAILABILITY", { name: "avail" }),
    item("dev", "AVAILABILITY", { of_device: true }),
  ];
  expect(signals(items)).toEqual({ dev: "availability", feeder: "avail" });
});

test("parts by subtype; a data set is never canonical, a count that says one more with every 1 is its own", () => {
  const items = [
    item("pulse", "PART_COUNT", { representation: "DISCRETE" }),
    item("set", "PART_COUNT", { representation: "DATA_SET" }),
    item("target", "PART_COUNT", { sub_type: "TARGET" }),
    item("all", "PART_COUNT", { sub_type: "ALL" }),
    item("good", "PART_COUNT", { sub_type: "GOOD" }),
    item("bad", "PART_COUNT", { sub_type: "BAD" }),
  ];
  expect(signals(items)).toEqual({
    pulse: "part_event",
    set: "set",
    target: "target",
    all: "part_count",
    good: "part_count_good",
    bad: "part_count_bad",
  });
});
