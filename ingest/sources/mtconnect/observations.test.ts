// What an agent tells becomes observations (SPEC 4.2 and 4.4): values, conditions, sets, series, and what could not be read.
import { expect, test } from "bun:test";
import { observations } from "../../columns.ts";
import { Conditions } from "./conditions.ts";
import { type DataItem, type Device, type DeviceStream, readStreams } from "./document.ts";
import type { Level } from "./items.ts";
import { Translator } from "./observations.ts";

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

const device = (data_items: DataItem[]): Device => ({
  id: "d",
  name: "M",
  uuid: "u",
  manufacturer: "",
  model: "",
  data_items,
});

const T0 = "2026-01-05T06:00:00Z";
const T0_US = Date.UTC(2026, 0, 5, 6) * 1_000;

/** One element of a Streams document. */
const element = (id: string, sequence: number | string, text: string, rest = "", name = "X"): string =>
  `<${name} dataItemId="${id}" sequence="${sequence}" ${rest.includes("timestamp") ? "" : `timestamp="${T0}"`} ${rest}>${text}</${name}>`;

/** The device's streams, with another device's beside it. */
function streams(groups: { Samples?: string[]; Events?: string[]; Condition?: string[] }): DeviceStream[] {
  const inner = Object.entries(groups).map(([name, elements]) => `<${name}>${elements.join("")}</${name}>`);
  const document = readStreams(
    new TextEncoder().encode(`<MTConnectStreams><Header instanceId="1"/><Streams>
      <DeviceStream name="Agent" uuid="other"><ComponentStream><Events>${element("x", 1, "nobody's")}</Events></ComponentStream></DeviceStream>
      <DeviceStream name="M" uuid="u"><ComponentStream>${inner.join("")}</ComponentStream></DeviceStream>
    </Streams></MTConnectStreams>`),
  );
  if (document.kind !== "streams") throw new Error("no streams");
  return document.devices;
}

/** Signal and value of everything that is given out. */
const told = (translator: Translator, streams: DeviceStream[]) =>
  translator
    .batches(streams, "key")
    .flatMap(({ columns }) => [...observations(columns.columns())])
    .map(({ signal, value }) => [signal, value]);

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
  const document = streams({
    Events: [element("prog", 1, "1234"), element("count", 2, "12"), element("prog", 7, "")],
    Samples: [
      element("load", 3, "1.5e2"),
      element("load", 4, "UNAVAILABLE"),
      element("load", 5, "0x10"),
      element("pos", 6, "1 2 3"),
      element("new", 8, "7"),
    ],
  });
  expect(told(translator, document)).toEqual([
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
  const elements = Array.from({ length: 90_000 }, (_, i) => element("count", i + 1, String(i)));
  const batches = translator.batches(streams({ Events: elements }), "key");
  expect(batches.map(({ columns, dedupe_key }) => [columns.rows, dedupe_key])).toEqual([
    [50_000, "key"],
    [40_000, "key/1"],
  ]);
});

test("what lies under the floor was given before, and what is not below the bound comes with another document", () => {
  const translator = new Translator("m", device([item("count", "PART_COUNT")]));
  const document = streams({ Events: [1, 2, 3, 4].map((n) => element("count", n, String(n))) });
  translator.floor = 2;
  const rows = translator
    .batches(document, "key", { below: 4 })
    .flatMap(({ columns }) => [...observations(columns.columns())]);
  expect(rows.map(({ seq }) => seq)).toEqual([2, 3]);
});

test("invariant 4: what matters and has no possible time or sequence is a torn record between its neighbours", () => {
  const translator = new Translator(
    "m",
    device([item("exec", "EXECUTION"), item("load", "LOAD", { category: "SAMPLE" })]),
  );
  const at = (s: number): string => `timestamp="2026-01-05T06:00:0${s}Z"`;
  const document = streams({
    Events: [
      element("exec", 1, "ACTIVE", at(0)),
      element("exec", 2, "READY", 'timestamp="yesterday"'),
      element("exec", 3, "ACTIVE", at(2)),
      element("exec", 4, "READY", 'timestamp="1999-12-31T23:59:59Z"'),
    ],
    Samples: [element("load", 5, "1", 'timestamp="TIME"'), element("load", 6, "1", at(3))],
  });
  expect(told(translator, document)).toEqual([
    ["execution", "ACTIVE"],
    ["execution", "ACTIVE"],
    ["load", 1],
  ]);
  expect(translator.dropped_rows).toBe(3);
  expect(translator.takeTorn()).toEqual([
    { from_us: T0_US, to_us: T0_US + 2_000_000 },
    { from_us: T0_US + 2_000_000, to_us: T0_US + 3_000_000 },
  ]);
  // One that goes on is told once, and its end when it comes, whatever was forgotten meanwhile.
  const torn = (told_by: Translator, sequence: number, timestamp: string) => {
    told(told_by, streams({ Events: [element("exec", sequence, "READY", timestamp)] }));
    return [...told_by.takeTorn(), ...told_by.takeTorn()];
  };
  const from_us = T0_US + 3_000_000;
  expect(torn(translator, 7, 'timestamp="2999-01-05T06:00:00Z"')).toEqual([{ from_us, to_us: 0 }]);
  const later = new Translator("m", translator.device, { known_us: from_us + 1, torn_us: from_us });
  expect(torn(later, 8, 'timestamp=""')).toEqual([]);
  expect(torn(later, 9, at(4))).toEqual([{ from_us, to_us: T0_US + 4_000_000 }]);
  expect(torn(translator, 9, at(4))).toEqual([{ from_us, to_us: T0_US + 4_000_000 }]);
  // A load that cannot be read leaves no figure in doubt.
  const load = [element("load", 10, "1", 'timestamp="TIME"'), element("load", 11, "1", at(4))];
  told(translator, streams({ Samples: load }));
  expect(translator.takeTorn()).toEqual([]);
});

test("conditions: codes add, replace and clear; the worst in force is told", () => {
  const conditions = new Conditions();
  const apply = (level: Level, native_code = "") =>
    conditions.apply("c", { level, native_code, native_severity: "", qualifier: "", text: "" }).worst;
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

test("the alarms in force are told as a set, with code, severity, qualifier and text, until none is left", () => {
  const translator = new Translator("m", device([item("c", "SYSTEM", { category: "CONDITION" })]));
  const document = streams({
    Condition: [
      element("c", 1, "", "", "Normal"),
      element("c", 2, "Oil low", 'nativeCode="7" nativeSeverity="2" qualifier="LOW"', "Warning"),
      element("c", 3, "E-stop &lt;1&gt;", 'nativeCode="9"', "Fault"),
      element("c", 4, "", 'nativeCode="7"', "Normal"),
      element("c", 5, "", "", "Normal"),
      element("c", 6, "", "", "Normal"),
    ],
  });
  const oil = { level: "WARNING", code: "7", severity: "2", qualifier: "LOW", text: "Oil low" };
  const stop = { level: "FAULT", code: "9", text: "E-stop <1>" };
  expect(
    told(translator, document).map(([s, v]) => [s, s === "alarms:c" ? JSON.parse(String(v)) : v]),
  ).toEqual([
    ["condition:c", "NORMAL"],
    ["condition:c", "WARNING"],
    ["alarms:c", [oil]],
    ["condition:c", "FAULT"],
    ["alarms:c", [stop, oil]],
    ["condition:c", "FAULT"],
    ["alarms:c", [stop]],
    ["condition:c", "NORMAL"],
    ["alarms:c", []],
    ["condition:c", "NORMAL"],
  ]);
});

test("a resumed stream knows what was in force: primed conditions and sets are not given out, but followed", () => {
  const model = device([
    item("c", "SYSTEM", { category: "CONDITION" }),
    item("v", "VARIABLE", { name: "vars", representation: "DATA_SET" }),
  ]);
  const translator = new Translator("m", model);
  expect(translator.follows_changes).toBe(true);
  translator.prime(
    streams({
      Condition: [
        element("c", 1, "", 'nativeCode="1"', "Fault"),
        element("c", 2, "", 'nativeCode="2"', "Fault"),
      ],
      Events: [element("v", 3, '<Entry key="a">1</Entry><Entry key="b">2</Entry>', 'count="2"')],
    }),
  );
  const after = streams({
    Condition: [element("c", 4, "", 'nativeCode="1"', "Normal")],
    Events: [element("v", 5, '<Entry key="c">3</Entry>', 'count="1" resetTriggered="NEW"')],
  });
  expect(told(translator, after)).toEqual([
    ["condition:c", "FAULT"],
    ["alarms:c", '[{"level":"FAULT","code":"2","text":""}]'],
    ["vars.a", null],
    ["vars.b", null],
    ["vars.c", 3],
  ]);
});

test("data sets: entries are signals of their own; removed, reset and unavailable ones end", () => {
  const translator = new Translator(
    "m",
    device([item("v", "VARIABLE", { name: "vars", representation: "DATA_SET" })]),
  );
  const steps = [
    element(
      "v",
      1,
      '<Entry key="a">1</Entry><Entry key="b">ON</Entry><Entry key="a.b">2.5</Entry>',
      'count="3"',
    ),
    element("v", 2, '<Entry key="a" removed="true"/><Entry key="never" removed="true"/>', 'count="2"'),
    element("v", 3, "UNAVAILABLE", 'count="0"'),
    element("v", 4, '<Entry key="b">OFF</Entry>', 'count="1"'),
    element("v", 5, "", 'count="0" resetTriggered="MANUAL"'),
  ];
  expect(told(translator, streams({ Events: steps }))).toEqual([
    ["vars.a", 1],
    ["vars.b", "ON"],
    ["vars.a.b", 2.5],
    ["vars.a", null],
    ["vars.b", null],
    ["vars.a.b", null],
    ["vars", "UNAVAILABLE"],
    ["vars", null],
    ["vars.b", "OFF"],
    ["vars.b", null],
  ]);
});

test("tables: the cells of a row change together", () => {
  const translator = new Translator(
    "m",
    device([item("w", "WORK_OFFSET", { name: "offsets", representation: "TABLE" })]),
  );
  const row = (key: string, cells: Record<string, string>): string =>
    `<Entry key="${key}">${Object.entries(cells)
      .map(([cell, value]) => `<Cell key="${cell}">${value}</Cell>`)
      .join("")}</Entry>`;
  const steps = [
    element("w", 1, row("G54", { X: "1.5", Y: "2" }) + row("G55", { X: "3" })),
    element("w", 2, row("G54", { X: "1.6" })),
    element("w", 3, '<Entry key="G55" removed="true"/>'),
  ];
  expect(told(translator, streams({ Events: steps }))).toEqual([
    ["offsets.G54.X", 1.5],
    ["offsets.G54.Y", 2],
    ["offsets.G55.X", 3],
    ["offsets.G54.X", 1.6],
    ["offsets.G54.Y", null],
    ["offsets.G55.X", null],
  ]);
});

test("time series: every value at its own time, the last at the observation's; without a rate it stays a word", () => {
  const translator = new Translator(
    "m",
    device([
      item("s", "LOAD", {
        name: "load",
        category: "SAMPLE",
        representation: "TIME_SERIES",
        sample_rate_hz: 10,
      }),
      item("t", "LOAD", { name: "bare", category: "SAMPLE", representation: "TIME_SERIES" }),
    ]),
  );
  const document = streams({
    Samples: [
      element("s", 1, "1 2 3.5", 'sampleCount="3"'),
      element("s", 2, "4 5", 'sampleCount="2" sampleRate="1000"'),
      element("s", 3, "UNAVAILABLE", 'sampleCount="0"'),
      element("t", 4, "6 7", 'sampleCount="2"'),
    ],
  });
  const rows = translator
    .batches(document, "key")
    .flatMap(({ columns }) => [...observations(columns.columns())]);
  expect(rows.map(({ signal, value, ts_us }) => [signal, value, ts_us - T0_US])).toEqual([
    ["load", 1, -200_000],
    ["load", 2, -100_000],
    ["load", 3.5, 0],
    ["load", 4, -1_000],
    ["load", 5, 0],
    ["load", "UNAVAILABLE", 0],
    ["bare", "6 7", 0],
  ]);
});

test("a discrete event counts every time, though its value stays the same", () => {
  const translator = new Translator(
    "m",
    device([item("msg", "MESSAGE", { name: "msg", representation: "DISCRETE" })]),
  );
  const document = streams({ Events: [element("msg", 1, "door"), element("msg", 2, "door")] });
  const rows = translator
    .batches(document, "key")
    .flatMap(({ columns }) => [...observations(columns.columns())]);
  expect(rows.map(({ signal, seq, value }) => [signal, seq, value])).toEqual([
    ["msg", 1, "door"],
    ["msg", 2, "door"],
  ]);
});

test("invariant 7: of too many alarms the worst are told, whole, in what the live screens show", () => {
  const conditions = new Conditions();
  const apply = (level: Level, native_code: string, text: string) =>
    conditions.apply("c", { level, native_code, native_severity: "", qualifier: "", text });
  for (let i = 0; i < 50; i++) apply("WARNING", `w${i}`, "x".repeat(1_000));
  const { alarms } = apply("FAULT", "f", "stop");
  expect(alarms?.length).toBeLessThanOrEqual(500);
  const told = JSON.parse(alarms ?? "") as { code: string; text: string }[];
  expect(told.map(({ code }) => code)).toEqual(["f", "w0", "w1"]);
  expect(told[1]?.text.length).toBe(120);
});

test("a time series is longer than a word may be: its last value is the observation's, all others before it", () => {
  const translator = new Translator("m", device([item("s", "X", { category: "SAMPLE" })]));
  const values = Array.from({ length: 3_000 }, (_, i) => i + 0.5);
  const series = element("s", 1, values.join(" "), 'sampleCount="3000" sampleRate="1000"');
  const rows = translator
    .batches(streams({ Samples: [series] }), "key")
    .flatMap(({ columns }) => [...observations(columns.columns())]);
  expect(rows.map(({ value }) => value)).toEqual(values);
  expect(rows.at(-1)?.ts_us).toBe(T0_US);
  expect(rows[0]?.ts_us).toBe(T0_US - 2_999_000);
});

test("invariant 7: of a condition the hundred codes that came last are in force, and the worst of them is told", () => {
  const conditions = new Conditions();
  const told = (native_code: string, level: Level) =>
    conditions.apply("c", { level, native_code, native_severity: "", qualifier: "", text: "" });
  told("fault", "FAULT");
  for (let i = 0; i < 99; i++) expect(told(`w${i}`, "WARNING").worst).toBe("FAULT");
  expect(told("w99", "WARNING").worst).toBe("WARNING");
  expect(told("", "NORMAL")).toEqual({ worst: "NORMAL", alarms: "[]" });
  expect(told("", "UNAVAILABLE")).toEqual({ worst: "UNAVAILABLE", alarms: undefined });
  expect(told("f", "FAULT").worst).toBe("FAULT");
});
