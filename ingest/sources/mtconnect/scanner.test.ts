// The scanner against its oracle: fast-xml-parser's tree of the same bytes gives the same observations.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTimestamp_us } from "../../time.ts";
import { numberAt, timestampAt_us } from "./bytes.ts";
import {
  documentOf,
  type ErrorDocument,
  type MTConnectDocument,
  readStreams,
  type StreamsDocument,
} from "./document.ts";
import { Interner } from "./interner.ts";
import { StreamItems, streamItems, toNumber } from "./items.ts";
import { boundaryOf, MultipartCutter } from "./multipart.ts";
import { captures, haveRecordings, recording, recordings } from "./recordings.ts";
import { oracleXml } from "./xml-oracle.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A document with its observations as objects, so that two can be compared. */
const plain = (document: MTConnectDocument) =>
  document.kind === "streams"
    ? { ...document, devices: document.devices.map((d) => ({ ...d, items: [...streamItems(d.items)] })) }
    : document;

type Outcome = ReturnType<typeof plain> | "refused";

function attempt(read: (bytes: Uint8Array) => MTConnectDocument, document: Uint8Array): Outcome {
  try {
    return plain(read(document));
  } catch {
    return "refused";
  }
}

const scanned = (document: Uint8Array): Outcome => attempt(readStreams, document);
/** What the oracle says of it; another document than Streams or Error is refused by readStreams too. */
const parsed = (document: Uint8Array): Outcome => {
  const outcome = attempt((bytes) => documentOf(oracleXml(bytes)), document);
  return outcome === "refused" || outcome.kind === "streams" || outcome.kind === "error"
    ? outcome
    : "refused";
};

function partsOf(content_type: string, body: Uint8Array): Uint8Array[] {
  const boundary = boundaryOf(content_type);
  return boundary === undefined ? [body] : new MultipartCutter(boundary, 1e7).push(body);
}

/** Every document of the recordings, those within captured answers too. */
const documents = (): Uint8Array[] => [
  ...recordings(".xml").map(recording),
  ...captures().flatMap(({ content_type, body }) => partsOf(content_type, body)),
];

describe.skipIf(!haveRecordings)("recordings", () => {
  test("every recorded document gives what the oracle reads in it", () => {
    let observations = 0;
    for (const document of documents()) {
      const outcome = scanned(document);
      expect(outcome).toEqual(parsed(document));
      if (outcome !== "refused" && outcome.kind === "streams")
        observations += outcome.devices.reduce((sum, { items }) => sum + items.length, 0);
    }
    expect(observations).toBeGreaterThan(50_000);
  });

  test("a document that breaks off anywhere is refused", () => {
    const document = recording("cppagent/SimpleStream.xml");
    const end = new TextDecoder().decode(document).trimEnd().length;
    for (let at = 0; at < end; at++) expect([at, scanned(document.subarray(0, at))]).toEqual([at, "refused"]);
  });

  test("mutated documents: never a crash, and what is accepted is what the oracle reads", () => {
    const seeds = documents().filter(({ length }) => length > 200 && length < 6_000);
    const mutated = fc.tuple(fc.nat(seeds.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(mutated, ([seed, mutations]) =>
        agree(mutations.reduce(mutate, withoutDeclaration(seeds[seed] as Uint8Array))),
      ),
      { numRuns: 15_000 },
    );
  });
});

const withoutDeclaration = (document: Uint8Array): Uint8Array =>
  bytes(new TextDecoder().decode(document).replaceAll(/<\?.*?\?>/gs, ""));

/** A piece of markup put in, or some bytes taken out, changed or told twice; `at` is a place between 0 and 1. */
type Mutation = { at: number; length: number; kind: "insert" | "delete" | "flip" | "repeat"; what: string };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(40),
  kind: fc.constantFrom("insert", "delete", "flip", "repeat"),
  what: fc.constantFrom(
    ...[
      "<",
      ">",
      "&",
      '"',
      "'",
      "/",
      "=",
      "<!-- x -->",
      "<![CDATA[a & <b>]]>",
      "<?pi x?>",
      "</Events>",
      "<x>",
      "</x>",
    ],
    ...["<Events>", "&lt;", "&#65;", "\r\n", "é", " ", "0", "-", "<x y='1'/>", "<!DOCTYPE a>", "]]>", "\0"],
  ),
});

function mutate(document: Uint8Array, { at, length, kind, what }: Mutation): Uint8Array {
  const place = Math.min(document.length, Math.floor(at * document.length));
  const [before, after] = [document.subarray(0, place), document.subarray(place)];
  const cut = after.subarray(0, length);
  if (kind === "insert") return Buffer.concat([before, bytes(what), after]);
  if (kind === "delete") return Buffer.concat([before, after.subarray(length)]);
  if (kind === "repeat") return Buffer.concat([before, cut, after]);
  return Buffer.concat([before, cut.map((byte) => byte ^ (1 << (length % 7))), after.subarray(length)]);
}

/**
 * Whatever the scanner accepts the oracle accepts, and reads the same in it. It need not where nothing hangs on it:
 * the oracle refuses a bare ampersand, a declaration that white space precedes, and `<!` within a comment. (It also knows
 * which characters beyond ASCII may stand in a name; to the scanner all may.)
 */
function agree(document: Uint8Array): void {
  const outcome = scanned(document);
  const harmless = /&(?!#?\w+;)|<\?|<!(?!--|\[CDATA\[)/.test(new TextDecoder().decode(document));
  if (outcome !== "refused" && !harmless) expect<unknown>(outcome).toEqual(parsed(document));
}

/** Text that needs no care, and text that does, as it may stand in a document. */
const text = fc.oneof(
  fc.constantFrom(
    "ACTIVE",
    "12.5",
    "-0.001",
    "+3",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "0x10",
    "",
    " ",
    "NaN",
    "1 2 3",
    "007",
  ),
  fc.constantFrom(
    "&lt;&amp;&#xe9;&#1234567;&nope;",
    "a\r\nb\rc",
    "\u00a0x\u00a0",
    "<![CDATA[ <&amp;> ]]>",
    "a<!-- - -->b",
  ),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.string({ unit: "grapheme" }).map((s) => s.replace(/[<&\p{C}]/gu, "")),
);

const attribute = fc.oneof(
  fc.constantFrom("x1", "Ünïcode", "a b", "&quot;q&quot;", " padded "),
  fc.string().map((s) => s.replace(/[<&"\p{C}]/gu, "")),
);
const sequence: fc.Arbitrary<string> = fc.oneof(
  fc.nat(300).map(String),
  fc.constantFrom("", "-1", "12345678901234567890", "1.5"),
);
const timestamp = fc.oneof(
  fc
    .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((d) => d.toISOString()),
  fc.constantFrom(
    "2026-01-05T06:00:00",
    "2026-01-05T06:00:00.1234567Z",
    "2026-02-29T00:00:00Z",
    "2024-02-29T23:59:60Z",
  ),
  fc.constantFrom("2026-01-05T06:00:00+01:30", "2026-01-05 06:00:00z", "2026-13-01T00:00:00Z", "TIME", ""),
);

const observation = fc
  .record({
    name: fc.constantFrom(
      "Execution",
      "x:Load",
      "Fault",
      "Warning",
      "Normal",
      "Unavailable",
      "LoadTimeSeries",
    ),
    attributes: fc.record(
      {
        dataItemId: attribute,
        sequence,
        timestamp,
        name: attribute,
        nativeCode: attribute,
        nativeSeverity: attribute,
        qualifier: fc.constantFrom("LOW", "HIGH"),
        "x:extension": attribute,
        "x:name": attribute,
        "xmlns:y": attribute,
        resetTriggered: fc.constantFrom("DAY", ""),
        sampleCount: fc.constant("3"),
        sampleRate: fc.constantFrom("100", "0.5", "x"),
      },
      { requiredKeys: [] },
    ),
    quote: fc.constantFrom('"', "'"),
    content: fc.oneof(
      { weight: 4, arbitrary: text },
      fc
        .array(fc.tuple(attribute, text, fc.boolean()), { maxLength: 3 })
        .map((list) =>
          list
            .map(
              ([key, value, removed]) =>
                `<Entry key="${key}"${removed ? ' removed="true"' : ""}>${value}</Entry>`,
            )
            .join("\n"),
        ),
      fc
        .tuple(attribute, text)
        .map(([key, value]) => `<Entry key="r"><Cell key="${key}">${value}</Cell></Entry>`),
    ),
  })
  .map(({ name, attributes, quote, content }) => {
    const written = Object.entries(attributes).map(
      ([key, value]) => ` ${key}=${quote}${value.replaceAll("'", "’")}${quote}`,
    );
    return content === ""
      ? `<${name}${written.join("")}/>`
      : `<${name}${written.join("\n")}>${content}</${name} >`;
  });

const generated = fc
  .array(
    fc.tuple(
      fc.constantFrom("Samples", "Events", "Condition", "m:Samples", "Unheard"),
      fc.array(observation, { maxLength: 12 }),
    ),
    {
      maxLength: 6,
    },
  )
  .map(
    (
      groups,
    ) => `<?xml version="1.0"?><!-- c --><m:MTConnectStreams xmlns:m="urn:mtconnect.org:MTConnectStreams:9.9">
      <m:Header instanceId="7" nextSequence="301" firstSequence="1" lastSequence="300" bufferSize='131072'/>
      <Streams><DeviceStream name="a&amp;b" uuid="u"><ComponentStream>${groups
        .map(([name, list]) => (list.length === 0 ? `<${name}/>` : `<${name}>\n${list.join("  ")}</${name}>`))
        .join(
          "",
        )}</ComponentStream></DeviceStream></Streams><Extra><Deep a="1">x</Deep></Extra></m:MTConnectStreams>\n`,
  );

test("generated documents give what the oracle reads in them", () => {
  let read = 0;
  fc.assert(
    fc.property(generated, (document) => {
      const outcome = scanned(bytes(document));
      expect(outcome).toEqual(parsed(bytes(document)));
      if (outcome !== "refused") read += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(read).toBeGreaterThan(900);
});

test("mutated generated documents: what is accepted is what the oracle reads", () => {
  fc.assert(
    fc.property(generated, fc.array(mutation, { minLength: 1, maxLength: 3 }), (document, mutations) =>
      agree(mutations.reduce(mutate, withoutDeclaration(bytes(document)))),
    ),
    { numRuns: 5_000 },
  );
});

test("any bytes at all: refused or read, never a crash", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      scanned(noise);
      scanned(Buffer.concat([bytes("<MTConnectStreams><Streams>"), noise]));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["an end tag of another element", "<MTConnectStreams><Header></MTConnectStreams>"],
  ["a second root", "<MTConnectStreams/><MTConnectStreams/>"],
  ["text behind the root", "<MTConnectStreams/>x"],
  ["text before the root", "x<MTConnectStreams/>"],
  ["an attribute twice", '<MTConnectStreams a="1" a="2"/>'],
  ["an attribute without a value", "<MTConnectStreams a/>"],
  ["an attribute without quotes", "<MTConnectStreams a=1/>"],
  ["attributes without white space between", '<MTConnectStreams a="1"b="2"/>'],
  ["a < in an attribute", '<MTConnectStreams a="<"/>'],
  ["a DOCTYPE", "<!DOCTYPE x><MTConnectStreams/>"],
  ["no name", "<MTConnectStreams>< a/></MTConnectStreams>"],
  ["an open comment", "<MTConnectStreams><!-- </MTConnectStreams>"],
  ["nesting without end", `<MTConnectStreams>${"<a>".repeat(100)}${"</a>".repeat(100)}</MTConnectStreams>`],
  ["UTF-16", "\ufeff<\0M\0T\0C\0"],
  ["nothing", ""],
])("not well-formed: %s", (_, document) => {
  expect(scanned(bytes(document))).toBe("refused");
});

test("an error document is told by its errors, another document refused", () => {
  const error = `<MTConnectError><Header/><Errors><Error errorCode="OUT_OF_RANGE">x</Error></Errors></MTConnectError>`;
  expect((readStreams(bytes(error)) as ErrorDocument).errors).toEqual([
    { code: "OUT_OF_RANGE", message: "x" },
  ]);
  expect(() => readStreams(bytes("<MTConnectDevices/>"))).toThrow("expected MTConnectStreams");
});

test("numbers and times by their bytes are those by their text", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.double().map(String),
        fc.float().map((n) => n.toFixed(3)),
        timestamp,
      ),
      (value) => {
        const b = bytes(value);
        expect(numberAt(b, 0, b.length)).toBe(toNumber(value));
        expect(timestampAt_us(b, 0, b.length)).toBe(parseTimestamp_us(value) ?? Number.NaN);
      },
    ),
    { numRuns: 5_000 },
  );
});

test("rows come in sequence order, equal ones as they came, those without a sequence last", () => {
  const sequences = fc.array(fc.oneof(fc.nat(50), fc.nat(1_000_000), fc.constant(Number.NaN)));
  fc.assert(
    fc.property(sequences, (list) => {
      const items = new StreamItems();
      for (const sequence of list) items.push(0, 0, sequence, 0, 0, 0);
      const key = (i: number): number =>
        Number.isNaN(list[i]) ? Number.POSITIVE_INFINITY : (list[i] as number);
      const expected = list.map((_, i) => i).sort((a, b) => (key(a) === key(b) ? a - b : key(a) - key(b)));
      expect([...items.order()]).toEqual(expected);
    }),
  );
});

test("interned strings: the same bytes are one entry, in every dictionary anew, however many there are", () => {
  const interner = new Interner((s) => s);
  for (let round = 0; round < 3; round++) {
    const dictionary: string[] = [];
    interner.begin(dictionary);
    const index = (s: string): number => interner.index(bytes(s), 0, bytes(s).length);
    for (let i = 0; i < 40_000; i++) expect(index(`${i % 20_000}`)).toBe(i % 20_000);
    expect(dictionary.length).toBe(20_000);
    expect(dictionary[19_999]).toBe("19999");
  }
});

test("a hostile document is read or refused in time that grows with its size only", () => {
  const many = (what: string, n: number): Uint8Array =>
    bytes(
      `<MTConnectStreams><Streams><DeviceStream><C><Events>${what.repeat(n)}</Events></C></DeviceStream></Streams></MTConnectStreams>`,
    );
  const document = scanned(
    many('<X dataItemId="a" sequence="1">v<!-- --></X>', 50_000),
  ) as unknown as StreamsDocument;
  expect(document.devices[0]?.items.length).toBe(50_000);
  expect(scanned(many("<X><!--", 50_000))).toBe("refused");
  expect(scanned(many(`<X${Array.from({ length: 70 }, (_, i) => ` a${i}="1"`).join("")}/>`, 1))).toBe(
    "refused",
  );
  expect(scanned(many(`<X>${" ".repeat(1_000)}</X>`, 1_000))).not.toBe("refused");
});
