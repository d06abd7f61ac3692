// Documents of real agents are read whole; hostile ones are refused.
import { describe, expect, test } from "bun:test";
import { readDocument, readStreams, type StreamsDocument } from "./document.ts";
import { type StreamItem, streamItems } from "./items.ts";
import { boundaryOf, MultipartCutter } from "./multipart.ts";
import { captures, haveRecordings, recording, recordings } from "./recordings.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Elements that carry a sequence, counted in the text itself. */
const countSequences = (document: Uint8Array): number =>
  new TextDecoder().decode(document).match(/\bsequence=["']\d+["']/g)?.length ?? 0;

const itemsOf = ({ devices }: StreamsDocument): StreamItem[] =>
  devices.flatMap(({ items }) => [...streamItems(items)]);

const countItems = ({ devices }: StreamsDocument): number => devices.reduce((n, d) => n + d.items.length, 0);

describe.skipIf(!haveRecordings)("recordings", () => {
  test("every XML document is read, every observation of it with its time and sequence", () => {
    const kinds = new Map<string, number>();
    for (const name of recordings(".xml")) {
      const document = readDocument(recording(name));
      kinds.set(document.kind, (kinds.get(document.kind) ?? 0) + 1);
      // One file of the trakhound folder has a stray "=" in every attribute.
      if (document.kind !== "streams" || name.endsWith("Current-Simple.xml")) continue;
      expect({ name, items: countItems(document) }).toEqual({ name, items: countSequences(recording(name)) });
      for (const item of itemsOf(document)) {
        expect(item.sequence).toBeGreaterThan(0);
        // Two documents of cppagent's own tests have "TIME" for every time.
        if (!/test_(current|sample)/.test(name)) expect(item.ts_us).toBeGreaterThan(0);
        expect(item.data_item_id).not.toBe("");
      }
    }
    expect(Object.fromEntries(kinds)).toMatchObject({
      streams: expect.any(Number),
      devices: expect.any(Number),
    });
    expect(kinds.get("error")).toBe(3);
  });

  test("every captured answer is read, and cutting its stream gives all its parts", () => {
    for (const { name, content_type, body } of captures()) {
      const parts = partsOf(content_type, body, body.length);
      expect({ name, parts: parts.length }).not.toEqual({ name, parts: 0 });
      for (const part of parts)
        expect(["streams", "devices", "error", "other"]).toContain(readDocument(part).kind);
    }
  });

  test("streams hold every sequence once, whatever part it came in", () => {
    for (const name of ["A40", "A44", "B07", "C02", "C07", "D02"]) {
      const capture = captures().find((c) => c.name.includes(`/${name}-`));
      if (!capture) throw new Error(`no capture ${name}`);
      const sequences = partsOf(capture.content_type, capture.body, 65_536)
        .map(readStreams)
        .flatMap((d) => (d.kind === "streams" ? itemsOf(d) : []))
        .map(({ sequence }) => sequence);
      expect(sequences.length).toBeGreaterThan(100);
      expect(sequences.slice(1).filter((s, i) => s !== (sequences[i] ?? 0) + 1)).toEqual([]);
    }
  });

  test("a stream cut in two at any byte, or into single bytes, gives the same parts", () => {
    for (const name of ["B06", "A42"]) {
      const capture = captures().find((c) => c.name.includes(`/${name}-`));
      if (!capture) throw new Error(`no capture ${name}`);
      const { content_type, body } = capture;
      const whole = partsOf(content_type, body, body.length);
      expect(partsOf(content_type, body, 1)).toEqual(whole);
      const boundary = boundaryOf(content_type) ?? "";
      for (let at = 1; at < body.length; at++) {
        const cutter = new MultipartCutter(boundary, 1e6);
        const parts = [...cutter.push(body.subarray(0, at)), ...cutter.push(body.subarray(at))];
        if (parts.length !== whole.length || !parts.every((p, i) => Bun.deepEquals(p, whole[i]))) {
          throw new Error(`${name} cut at ${at} gave other parts`);
        }
      }
    }
  });
});

function partsOf(content_type: string, body: Uint8Array, chunk_bytes: number): Uint8Array[] {
  const boundary = boundaryOf(content_type);
  if (boundary === undefined) return [body];
  const cutter = new MultipartCutter(boundary, 1e7);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += chunk_bytes)
    parts.push(...cutter.push(body.subarray(at, at + chunk_bytes)));
  return parts;
}

test("parts of 2.x: mixed, the trailing CRLF not counted, header names in any case, a closing boundary", () => {
  expect(boundaryOf('Multipart/Mixed; charset=utf-8; boundary="a b"')).toBe("a b");
  expect(boundaryOf("text/xml")).toBeUndefined();
  const cutter = new MultipartCutter("x", 100);
  const stream =
    "\r\n--x\r\nCONTENT-TYPE: text/xml\r\nContent-Length: 3\r\n\r\n<a>\r\n\r\n--x\r\ncontent-length:2\r\n\r\n<b\r\n--x--\r\n";
  expect(cutter.push(bytes(stream)).map((p) => new TextDecoder().decode(p))).toEqual(["<a>", "<b"]);
});

test("invariant 7: a part over the bound, or with an endless header is refused", () => {
  const push = (text: string) => () => new MultipartCutter("x", 100).push(bytes(text));
  expect(push("--x\r\nContent-length: 101\r\n\r\n")).toThrow("over the bound");
  expect(push("<html>\r\n\r\n")).toThrow("expected a boundary");
  expect(push(`--x\r\n${"a".repeat(10_000)}`)).toThrow("too long");
});

const one = (inner: string, attributes = ""): StreamsDocument =>
  readStreams(
    bytes(`<MTConnectStreams><Header instanceId="1" nextSequence="2" firstSequence="1" lastSequence="1"/><Streams>
    <DeviceStream name="a&amp;b" uuid="u"><ComponentStream><Events><Program dataItemId="p" sequence="1"
    timestamp="2026-01-05T06:00:00.2343759" ${attributes}>${inner}</Program></Events></ComponentStream></DeviceStream>
    </Streams></MTConnectStreams>`),
  ) as StreamsDocument;
const text = (inner: string) => itemsOf(one(inner))[0]?.value;

test("the five standard entities, numbers and CDATA are decoded; anything else stays as it is written", () => {
  expect(text("&lt;&gt;&amp;&quot;&apos;")).toBe(`<>&"'`);
  expect(text("&#65;&#x42;&#x1F600;")).toBe("AB😀");
  expect(text("&amp;lt; &nbsp; &#x110000; &#0;")).toBe("&lt; &nbsp; &#x110000; &#0;");
  expect(text("<![CDATA[a &amp; <b>]]>")).toBe("a &amp; <b>");
  expect(text("")).toBe("");
  expect(one("x").devices[0]?.name).toBe("a&b");
});

test("times without Z and with seven digits are cut to the microsecond", () => {
  expect(itemsOf(one("x"))[0]?.ts_us).toBe(Date.UTC(2026, 0, 5, 6) * 1_000 + 234_375);
});

test("a DOCTYPE is refused, and with it every entity of one's own", () => {
  const bomb = `<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><MTConnectStreams>&c;</MTConnectStreams>`;
  expect(() => readDocument(bytes(bomb))).toThrow("refused");
  expect(() => readDocument(bytes("<!doctype html><html></html>"))).toThrow("refused");
  expect(() => readDocument(bytes("not XML"))).toThrow();
  expect(() => readDocument(bytes("<a>".repeat(100) + "</a>".repeat(100)))).toThrow("nested deeper");
});

test("data sets and tables give their entries, a removed one null, a hostile key plain data", () => {
  const [item] = itemsOf(
    one(`<Entry key="a">1</Entry><Entry key="b" removed="true"/><Entry key="c"><Cell key="x">2</Cell></Entry>
      <Entry key="__proto__">3</Entry>`),
  );
  expect(item).toMatchObject({
    value: undefined,
    entries: [
      { key: "a", value: "1" },
      { key: "b", value: null },
      { key: "c", value: [{ key: "x", value: "2" }] },
      { key: "__proto__", value: "3" },
    ],
  });
});

test("errors of all three shapes", () => {
  const errors = (body: string) => {
    const document = readDocument(bytes(`<MTConnectError><Header instanceId="7"/>${body}</MTConnectError>`));
    return document.kind === "error" ? document.errors : [];
  };
  const out = [{ code: "OUT_OF_RANGE", message: "too low" }];
  expect(errors(`<Error errorCode="OUT_OF_RANGE">too low</Error>`)).toEqual(out);
  expect(errors(`<Errors><Error errorCode="OUT_OF_RANGE">too low</Error></Errors>`)).toEqual(out);
  expect(
    errors(`<Errors><OutOfRange errorCode="OUT_OF_RANGE" URI="x"><ErrorMessage>too low</ErrorMessage>
      <QueryParameter name="from"><Value>1</Value></QueryParameter></OutOfRange></Errors>`),
  ).toEqual(out);
});
