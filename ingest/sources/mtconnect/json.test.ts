// JSON documents of both versions say what the XML document says; hostile ones are refused.
import { describe, expect, test } from "bun:test";
import { type MTConnectDocument, readDocument, readStreams } from "./document.ts";
import { type StreamItem, streamItems } from "./items.ts";
import { isJson, readJson } from "./json.ts";
import { printJson } from "./json-printer.ts";
import { captures, haveRecordings, recording, recordings } from "./recordings.ts";
import { readXml } from "./scanner.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A document as plain data: versions differ in the order of components, and so of their items. */
function plain(document: MTConnectDocument): unknown {
  const by = (item: StreamItem): string => `${item.sequence} ${JSON.stringify(item)}`;
  if (document.kind === "streams") {
    const devices = document.devices.map(({ name, uuid, items }) => {
      const sorted = [...streamItems(items)].map(by).sort();
      return { name, uuid, sorted };
    });
    return { header: document.header, devices };
  }
  if (document.kind !== "devices") return document;
  const devices = document.devices.map((device) => ({
    ...device,
    data_items: device.data_items.map((item) => JSON.stringify(item)).sort(),
  }));
  return { ...document, devices };
}

describe.skipIf(!haveRecordings)("recordings", () => {
  test("written as JSON, version 1 or 2, every document says the same", () => {
    const texts = recordings(".xml")
      // One has a stray "=" in every attribute.
      .filter((name) => !name.endsWith("Current-Simple.xml"))
      .map((name) => recording(name))
      .filter((xml) => xml.length < 500_000);
    texts.push(
      ...captures().flatMap(({ content_type, body }) => (content_type === "text/xml" ? [body] : [])),
    );
    const kinds = new Map<string, number>();
    for (const xml of texts) {
      const expected = readDocument(xml);
      for (const version of [1, 2] as const) {
        const json = bytes(printJson(readXml(xml), version));
        expect(isJson(json)).toBe(true);
        expect(plain(readDocument(json))).toEqual(plain(expected));
      }
      kinds.set(expected.kind, (kinds.get(expected.kind) ?? 0) + 1);
    }
    expect(kinds.get("streams")).toBeGreaterThan(20);
    expect(kinds.get("devices")).toBeGreaterThan(8);
    expect(kinds.get("error")).toBeGreaterThan(10);
  });

  test("documents of another agent are read: its devices, its streams with every sequence", () => {
    const devices = readDocument(recording("trakhound/MTConnectDevicesResponseDocument.json"));
    // It lists itself as a device, too.
    const names = ["M12346", "VMC-3Axis", "OKUMA-Lathe"];
    expect(devices.kind === "devices" && devices.devices.map(({ name }) => name)).toEqual(names);
    expect(devices).toMatchObject({ listed: 4 });
    const file = recording("trakhound/MTConnectStreamsResponseDocument.json");
    const streams = readStreams(file);
    if (streams.kind !== "streams") throw new Error("no streams");
    expect(streams.header).toMatchObject({
      instance_id: "1702144894",
      first_sequence: 1,
      next_sequence: 247,
    });
    const told = new TextDecoder().decode(file).match(/"sequence": \d+/g) ?? [];
    expect(streams.devices.reduce((n, { items }) => n + items.length, 0)).toBe(told.length);
    const okuma = streams.devices.find(({ name }) => name === "OKUMA-Lathe");
    if (!okuma) throw new Error("no device");
    for (const item of streamItems(okuma.items)) expect(item.ts_us).toBeGreaterThan(1_700_000_000_000_000);
  });
});

const HEADER = { instanceId: 7, bufferSize: 16, firstSequence: 1, lastSequence: 3, nextSequence: 4 };
const AT = "2026-01-05T06:00:00Z";

test("version 1: wrapped elements, vectors, data sets with what was removed", () => {
  const streams = readStreams(
    bytes(`{"MTConnectStreams":{"jsonVersion":1,"Header":${JSON.stringify(HEADER)},"Streams":[{"DeviceStream":
    {"name":"M1","uuid":"u1","ComponentStreams":[{"ComponentStream":{"component":"Path","componentId":"p",
    "Samples":[{"PathPosition":{"dataItemId":"pp","sequence":1,"timestamp":"${AT}","value":[1,2.5,3]}},
               {"Load":{"dataItemId":"load","sequence":2,"timestamp":"${AT}","value":12.5}}],
    "Condition":[{"Fault":{"dataItemId":"c","sequence":4,"timestamp":"${AT}","nativeCode":"7","value":"hot"}}],
    "Events":[{"VariableDataSet":{"dataItemId":"vars","sequence":3,"timestamp":"${AT}","count":2,
      "value":{"a":1,"b":{"removed":true},"row":{"x":2,"__proto__":"y"}}}}]}}]}}]}}`),
  );
  if (streams.kind !== "streams") throw new Error("no streams");
  const [device] = streams.devices;
  if (!device) throw new Error("no device");
  expect([...streamItems(device.items)]).toMatchObject([
    { data_item_id: "pp", value: "1 2.5 3" },
    { data_item_id: "load", value: 12.5 },
    {
      data_item_id: "vars",
      entries: [
        { key: "a", value: "1" },
        { key: "b", value: null },
        {
          key: "row",
          value: [
            { key: "x", value: "2" },
            { key: "__proto__", value: "y" },
          ],
        },
      ],
    },
    { data_item_id: "c", condition: { level: "FAULT", native_code: "7", text: "hot" } },
  ]);
});

test("errors in all their shapes", () => {
  const shapes = [
    `{"MTConnectError":{"Header":{},"Errors":{"Error":{"errorCode":"OUT_OF_RANGE","value":"no"}}}}`,
    `{"MTConnectError":{"Header":{},"Errors":[{"Error":{"errorCode":"OUT_OF_RANGE","value":"no"}}]}}`,
    `{"MTConnectError":{"Header":{},"Errors":{"Error":[{"errorCode":"OUT_OF_RANGE","value":"no"}]}}}`,
    `{"MTConnectError":{"Header":{},"Errors":[{"OutOfRange":{"errorCode":"OUT_OF_RANGE","ErrorMessage":"no"}}]}}`,
    `{"MTConnectError":{"Header":{},"Errors":{"OutOfRange":[{"errorCode":"OUT_OF_RANGE","ErrorMessage":"no","QueryParameter":[{"name":"from"}]}]}}}`,
  ];
  for (const shape of shapes)
    expect(readDocument(bytes(shape))).toMatchObject({
      kind: "error",
      errors: [{ code: "OUT_OF_RANGE", message: "no" }],
    });
});

test("an object without elements, of no schema, or nested without end is refused, and nothing leaks into prototypes", () => {
  const deep = (n: number): string => `{"MTConnectStreams":${'{"A":'.repeat(n)}{}${"}".repeat(n)}}`;
  const refused = [
    "{",
    "{}",
    "[]",
    '{"a":1}',
    '{"MTConnectStreams":[]}',
    '{"MTConnectStreams":3}',
    deep(80),
    deep(100_000),
  ];
  for (const text of refused) expect(() => readJson(bytes(text))).toThrow();
  const nested = `{"MTConnectStreams":{"A":{"value":${'{"a":'.repeat(100)}1${"}".repeat(100)}}}}`;
  expect(() => readJson(bytes(nested))).toThrow("nested deeper");
  expect(() => readJson(bytes(`{"MTConnectStreams":${"[".repeat(200_000)}`))).toThrow();
  const root = readJson(
    bytes('{"MTConnectStreams":{"__proto__":{"polluted":"yes"},"B":{"__proto__":"x","constructor":"y"}}}'),
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.getPrototypeOf(root.children[0]?.attributes ?? {})).toBeNull();
  const attributes = root.children.find(({ name }) => name === "B")?.attributes ?? {};
  expect(Object.entries(attributes)).toContainEqual(["constructor", "y"]);
});
