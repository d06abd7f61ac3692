// Requests drawn at random from /openapi.json: what it allows, and the same with something wrong in it.
import type { TSchema } from "@sinclair/typebox";
import fc from "fast-check";
import { arbitraryOf } from "./arbitrary.ts";

type Parameter = { name: string; in: "path" | "query"; required?: boolean; schema: TSchema };
type Operation = {
  parameters?: Parameter[];
  responses?: Record<string, unknown>;
  requestBody?: { content: Record<string, { schema?: TSchema }> };
};
export type Document = { paths: Record<string, Record<string, Operation>> };

export type Drawn = { path: string; body?: string | Uint8Array; headers: Record<string, string> };

/** What is there to be named in a path. */
export type Known = Record<string, string[]>;

/** What no schema expects: other types, other sizes, names with a meaning of their own. */
const STRANGE = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0, 1e308, 2 ** 53, 0.1, "", " ", "\u0000", "\ud800", [], {}),
  fc.constantFrom<unknown>(
    "9".repeat(400),
    "x".repeat(5_000),
    "../..",
    "%00",
    "{{x}}",
    "2026-02-31T00:00:00Z",
  ),
  fc.constantFrom<unknown>({ constructor: 1 }, JSON.parse('{"__proto__":{"a":1}}'), [[[[[[[[1]]]]]]]]),
  fc.jsonValue({ maxDepth: 3 }),
);
const STRANGE_TEXT = fc.oneof(
  STRANGE.map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
  fc.string({ unit: "binary", maxLength: 30 }),
);
/** No JSON, or no end to it. */
const TORN = fc.constantFrom<string | Uint8Array>(
  "",
  "{",
  '{"a":',
  "nonsense",
  `${"[".repeat(5_000)}`,
  new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
);
/** Days long past would be rolled up from there to now, for each request anew. */
const NOW_MS = Math.floor(Date.now() / 3_600_000) * 3_600_000;
const TIME = fc
  .integer({ min: -72 * 60, max: 12 * 60 })
  .map((minute) => new Date(NOW_MS + minute * 60_000).toISOString());

const NAME = fc.constantFrom("A", "B", "цех", "🛠", "a,b", "'", "{x:String}", "__proto__", "%");

/** What is more than its type, so that something is taken. */
const own = (schema: TSchema): fc.Arbitrary<unknown> | undefined => {
  const { format = "", pattern = "", description = "", properties = {} } = schema;
  if (format === "date-time" || description.startsWith("RFC 3339")) return TIME;
  if (format === "date" || pattern.startsWith("^\\d{4}-")) return TIME.map((time) => time.slice(0, 10));
  if (format === "integer" || format === "numeric") return fc.integer({ min: 1, max: 100 }).map(String);
  if (format === "uri") return fc.constantFrom("http://127.0.0.1:9", "http://a:b@127.0.0.1:9/x?y");
  if (description === "IANA zone") return fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata");
  if (description.startsWith("Ids of machines")) return fc.constantFrom("mill-1", "mill-1,press-1");
  if (description.startsWith("The group of")) return fc.constant("hall");
  if ("t0" in properties) return COLUMNS;
  if (pattern.startsWith("^[^")) return NAME;
  return pattern === ""
    ? undefined
    : fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, 100));
};
const COLUMNS = fc
  .array(
    fc.tuple(fc.nat(1), fc.nat({ max: 1e11 }), fc.oneof(fc.double({ noNaN: true }), fc.constant(null))),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map((rows) => ({
    signals: ["load", "execution"],
    signal: rows.map(([signal]) => signal),
    t0: NOW_MS * 1_000,
    dt: rows.map(([, dt]) => -dt),
    num: rows.map(([, , num]) => num),
    words: ["ACTIVE"],
    word: rows.map(([, , num]) => (num === null ? 1 : 0)),
  }));

/** A value with one of its parts, or all of it, in another's place, gone, or one more than there may be. */
const spoilt = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(value, STRANGE, fc.nat(), fc.nat(3)).map(([whole, strange, at, how]) => {
    const copy = structuredClone(whole);
    const objects = partsOf(copy);
    const target = objects[at % objects.length];
    if (target === undefined) return strange;
    const keys = Object.keys(target);
    const key = keys[at % keys.length] ?? "extra";
    if (how === 0) delete target[key];
    else if (how === 1) target.unknown = strange;
    else target[key] = strange;
    return copy;
  });

function partsOf(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(partsOf)];
}

/** Nothing that is drawn is one of these. */
const RARE = new Set(["cursor", "key"]);

/** @param known ids for the parameters of paths, by name; others are drawn */
export function requestsOf(path: string, { parameters = [], requestBody }: Operation, known: Known) {
  const paths = parameters.filter((one) => one.in === "path");
  const queries = parameters.filter((one) => one.in === "query");
  const ids = fc.record(Object.fromEntries(paths.map(({ name }) => [name, idOf(known[name] ?? [])])));
  const query = fc.record(
    Object.fromEntries(
      queries.map(({ name, schema }) => [
        name,
        fc.oneof(
          { weight: 8, arbitrary: RARE.has(name) ? fc.constant([]) : arbitraryOf(schema, own).map(textsOf) },
          { weight: 1, arbitrary: fc.array(STRANGE_TEXT, { minLength: 1, maxLength: 2 }) },
        ),
      ]),
    ),
    { requiredKeys: [] },
  );
  return fc.tuple(ids, query, bodyOf(requestBody)).map(([id, asked, { body, headers }]): Drawn => {
    const at = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(String(id[name])));
    const pairs = Object.entries(asked).flatMap(([name, texts]) =>
      (texts as string[]).map((text) => `${name}=${encoded(text)}`),
    );
    return {
      path: pairs.length > 0 ? `${at}?${pairs.join("&")}` : at,
      headers,
      ...(body === undefined ? {} : { body }),
    };
  });
}

const textsOf = (value: unknown): string[] => [value].flat().map(String);
/** Half of a surrogate pair has no encoding. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
/** An empty id is another path, and a dot is none. */
const idOf = (known: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    ...(known.length > 0 ? [{ weight: 6, arbitrary: fc.constantFrom(...known) }] : []),
    {
      weight: 1,
      arbitrary: fc.constantFrom("nobody", "1", "-1", "9".repeat(30), "00000000-0000-4000-8000-000000000000"),
    },
    { weight: 1, arbitrary: STRANGE_TEXT.map((text) => (/^\.*$/.test(text) ? "dots" : text)) },
  );

type Body = { body?: string | Uint8Array; headers: Record<string, string> };

function bodyOf(requestBody: Operation["requestBody"]): fc.Arbitrary<Body> {
  const contents = Object.entries(requestBody?.content ?? {});
  if (contents.length === 0) return fc.constant({ headers: {} });
  return fc.oneof(
    ...contents.map(([type, { schema = {} as TSchema }]) => {
      const headers = { "content-type": type };
      const value = arbitraryOf(schema, own);
      return fc.oneof(
        { weight: 5, arbitrary: value.map((one): Body => ({ body: JSON.stringify(one), headers })) },
        {
          weight: 5,
          arbitrary: spoilt(value).map((one): Body => ({ body: JSON.stringify(one) ?? "", headers })),
        },
        { weight: 1, arbitrary: TORN.map((body): Body => ({ body, headers })) },
        {
          weight: 1,
          arbitrary: value.map(
            (one): Body => ({ body: JSON.stringify(one), headers: { "content-type": "text/plain" } }),
          ),
        },
      );
    }),
  );
}
