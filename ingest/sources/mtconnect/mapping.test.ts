// Which signals real machines' data items become.
import { describe, expect, test } from "bun:test";
import { ColumnsBuilder, observations } from "../../columns.ts";
import { CANONICAL_SIGNALS } from "../../signals.ts";
import { Conditions } from "./conditions.ts";
import {
  type DataItem,
  type Device,
  type DeviceStream,
  type Level,
  readDocument,
  type StreamItem,
} from "./document.ts";
import { mapDataItems } from "./mapping.ts";
import { Translator } from "./observations.ts";
import { captures, haveRecordings, recording, recordings } from "./recordings.ts";

const item = (id: string, type: string, rest: Partial<DataItem> = {}): DataItem => ({
  id,
  type,
  name: "",
  category: "EVENT",
  sub_type: "",
  representation: "VALUE",
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
    expect(by_id.get("Hurco04-path_11")).toEqual({ signal: "Rapid_Override", numeric: true });
    expect(by_id.get("Hurco04-path_6")).toEqual({ signal: "Current_Tool", numeric: false });
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

test("parts by subtype; a data set is never canonical", () => {
  const items = [
    item("set", "PART_COUNT", { representation: "DATA_SET" }),
    item("target", "PART_COUNT", { sub_type: "TARGET" }),
    item("all", "PART_COUNT", { sub_type: "ALL" }),
    item("good", "PART_COUNT", { sub_type: "GOOD" }),
    item("bad", "PART_COUNT", { sub_type: "BAD" }),
  ];
  expect(signals(items)).toEqual({
    set: "set",
    target: "target",
    all: "part_count",
    good: "part_count_good",
    bad: "part_count_bad",
  });
});

const observed = (data_item_id: string, sequence: number, rest: Partial<StreamItem> = {}): StreamItem => ({
  data_item_id,
  name: "",
  sequence,
  ts_us: 1_767_592_800_000_000,
  category: "EVENT",
  text: "",
  level: undefined,
  native_code: "",
  ...rest,
});

const stream = (items: StreamItem[]): DeviceStream[] => [
  { name: "Agent", uuid: "other", items: [observed("x", 1, { text: "nobody's" })] },
  { name: "M", uuid: "u", items },
];

const device = (data_items: DataItem[]): Device => ({ id: "d", name: "M", uuid: "u", data_items });

test("numbers by the data item, not by looks: a program 1234 is a word, UNAVAILABLE a value", () => {
  const translator = new Translator(
    "m",
    device([
      item("prog", "PROGRAM"),
      item("count", "PART_COUNT"),
      item("load", "LOAD", { category: "SAMPLE", name: "load" }),
      item("pos", "PATH_POSITION", { category: "SAMPLE" }),
    ]),
  );
  const items = [
    observed("prog", 1, { text: "1234" }),
    observed("count", 2, { text: "12" }),
    observed("load", 3, { text: "1.5e2", category: "SAMPLE" }),
    observed("load", 4, { text: "UNAVAILABLE", category: "SAMPLE" }),
    observed("load", 5, { text: "0x10", category: "SAMPLE" }),
    observed("pos", 6, { text: "1 2 3", category: "SAMPLE" }),
    observed("prog", 7, { text: "" }),
    observed("new", 8, { text: "7", category: "SAMPLE" }),
  ];
  const [batch] = translator.batches(stream(items), "key");
  expect(
    [...observations((batch?.columns ?? new ColumnsBuilder()).columns())].map((o) => [o.signal, o.value]),
  ).toEqual([
    ["program", "1234"],
    ["part_count", 12],
    ["load", 150],
    ["load", "UNAVAILABLE"],
    ["load", "0x10"],
    ["pos", "1 2 3"],
    ["program", ""],
    ["new", 7],
  ]);
});

test("invariant 7: a document over a batch's bound is split, each part under a name of its own", () => {
  const translator = new Translator("m", device([item("count", "PART_COUNT")]));
  const items = Array.from({ length: 120_000 }, (_, i) => observed("count", i + 1, { text: String(i) }));
  const batches = translator.batches(stream(items), "key");
  expect(batches.map(({ columns, dedupe_key }) => [columns.rows, dedupe_key])).toEqual([
    [50_000, "key"],
    [50_000, "key/1"],
    [20_000, "key/2"],
  ]);
});

test("what has no possible time is left out and counted, not passed on", () => {
  const translator = new Translator("m", device([item("count", "PART_COUNT")]));
  const items = [Number.NaN, 0, Date.now() * 2_000].map((ts_us, i) =>
    observed("count", i, { text: "1", ts_us }),
  );
  expect(translator.batches(stream(items), "key")).toEqual([]);
  expect(translator.dropped_rows).toBe(3);
});

test("conditions: codes add, replace and clear; the worst in force is told", () => {
  const conditions = new Conditions();
  const apply = (level: Level, native_code = "") =>
    conditions.apply(observed("c", 1, { category: "CONDITION", level, native_code }));
  const steps: [Level, string, Level][] = [
    ["UNAVAILABLE", "", "UNAVAILABLE"],
    ["WARNING", "1", "WARNING"],
    ["FAULT", "2", "FAULT"],
    ["WARNING", "2", "WARNING"],
    ["FAULT", "", "FAULT"],
    ["NORMAL", "2", "FAULT"],
    ["NORMAL", "", "NORMAL"],
    ["FAULT", "3", "FAULT"],
    ["FAULT", "4", "FAULT"],
    ["NORMAL", "3", "FAULT"],
    ["UNAVAILABLE", "", "UNAVAILABLE"],
    ["NORMAL", "9", "NORMAL"],
  ];
  for (const [level, code, worst] of steps)
    expect([level, code, apply(level, code)]).toEqual([level, code, worst]);
});
