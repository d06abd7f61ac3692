// Bodies of observations (SPEC 11.4 and 11.5): what passes untouched, what is written anew, what is refused.
import { expect, test } from "bun:test";
import { observations } from "../../columns.ts";
import { BadInput } from "../../problem.ts";
import { parseBody } from "./parse.ts";

const NOW_US = 1_800_000_000_000_000;
const T0 = 1_767_592_800_000_000;
const parse = (body: string | object, lines = false) =>
  parseBody(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)), lines, NOW_US);

const columns = {
  signals: ["spindle_speed", "execution"],
  signal: [0, 0, 1],
  t0: T0,
  dt: [0, 1000, 2000],
  seq0: 7,
  num: [1.5, 2.5, null],
  words: ["ACTIVE"],
  word: [0, 0, 1],
};

test("invariant 8: a columnar body's bytes are the payload, spaces and all", () => {
  for (const text of [
    JSON.stringify(columns),
    JSON.stringify(columns, null, 2),
    `  ${JSON.stringify(columns)}\n`,
  ]) {
    const body = new TextEncoder().encode(text);
    expect(parseBody(body, false, NOW_US).bytes).toBe(body);
  }
});

test("what the engine's parser would read otherwise is written anew, with the same meaning", () => {
  const plain = JSON.stringify(columns);
  for (const text of [
    plain.replace("[0,1000,2000]", "[0,1e3,2000]"),
    plain.replace("[0,1000,2000]", "[0,1000.0,2000]"),
    plain.replace("[0,1000,2000]", "[-0,1000,2000]"),
    plain.replace('"t0":', '"t0":5,"t0":'),
    plain.replace('"t0":', '"t0" : 5,"t0"\n:'),
  ]) {
    const { bytes, columns: read } = parse(text);
    expect(read).toEqual({ ...columns, dt: [expect.closeTo(0), 1000, 2000] } as unknown as typeof read);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(columns);
    expect(new TextDecoder().decode(bytes)).toBe(plain);
  }
});

test("rows, lines and columns mean the same", () => {
  const rows = [
    { signal: "spindle_speed", ts: "2026-01-05T06:00:00Z", value: 1.5, seq: 7 },
    { signal: "spindle_speed", ts: "2026-01-05T07:00:00.001+01:00", value: 2.5, seq: 8 },
    { signal: "execution", ts: T0 + 2000, value: "ACTIVE", seq: 9 },
  ];
  const expected = [...observations(parse(columns).columns)];
  expect(expected[0]).toEqual({ signal: "spindle_speed", ts_us: T0, seq: 7, value: 1.5 });
  expect([...observations(parse({ observations: rows }).columns)]).toEqual(expected);
  expect([...observations(parse(rows.map((row) => JSON.stringify(row)).join("\r\n"), true).columns)]).toEqual(
    expected,
  );
});

test("booleans are numbers, null is an empty value", () => {
  const rows = [true, false, null].map((value) => ({ signal: "di0", ts: T0, value }));
  expect([...observations(parse({ observations: rows }).columns)].map(({ value }) => value)).toEqual([
    1,
    0,
    null,
  ]);
});

const rowAt = (ts: string) => ({ observations: [{ signal: "load", ts, value: 1 }] });
const refused: [string, string | object, string][] = [
  ["seq and seq0 together", { ...columns, seq: [1, 2, 3] }, "/seq0"],
  ["a number and a word for one row", { ...columns, word: [0, 1, 1] }, "/word/1"],
  ["a time without its zone", rowAt("2026-01-05T06:00:00"), "/observations/0/ts"],
  ["a month that is none", rowAt("2026-00-10T00:00:00Z"), "/observations/0/ts"],
  ["a day that is none, in a leap second", rowAt("2026-02-31T00:00:60Z"), "/observations/0/ts"],
  ["a zone that is none", rowAt("2026-01-05T06:00:00+99:99"), "/observations/0/ts"],
  ["word without words", { ...columns, words: undefined }, "/words"],
  ["a negative index", { ...columns, signal: [0, -1, 1] }, "/signal/1"],
  ["a fraction of a µs", { ...columns, dt: [0, 0.5, 1] }, "/dt/1"],
  ["a number beyond 2^53", { ...columns, t0: 2 ** 53 }, "/t0"],
  ["infinity", JSON.stringify(columns).replace("2.5", "1e999"), "/num/1"],
  ["a name of 201 characters", { ...columns, signals: ["x".repeat(201), "y"] }, "/signals/0"],
  ["a time ahead in one row", { ...columns, dt: [0, 1000, 3e15] }, "/dt/2"],
];
test.each(refused)("%s is refused at its path", (_, body, path) => {
  let caught: unknown;
  try {
    parse(body);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(BadInput);
  expect((caught as BadInput).errors.map((error) => error.path)).toContain(path);
});

/** That many rows which all name one word of 4,000 characters. */
const naming = (rows: number) => ({
  signals: ["message"],
  signal: Array(rows).fill(0),
  t0: T0,
  dt: Array.from({ length: rows }, (_, i) => i),
  words: ["x".repeat(4_000)],
  word: Array(rows).fill(1),
});

test("words that rows name often are bounded as written out: the engine has each row's in full (invariant 7)", () => {
  expect(parse(naming(2_000)).rows).toBe(2_000);
  expect(() => parse(naming(2_100))).toThrow("8400000 characters");
});

test("a body that is not UTF-8 is refused", () => {
  expect(() => parseBody(new Uint8Array([0x7b, 0xff, 0x7d]), false, NOW_US)).toThrow("not UTF-8");
});

test("half a surrogate pair becomes U+FFFD: the engine would refuse what was acknowledged (invariant 1)", () => {
  const word = "a\\ud800b \\\\ud800 \\ud83d\\ude00";
  const body = `{"observations":[{"signal":"w","ts":${T0},"value":"${word}"}]}`;
  const { bytes } = parseBody(new TextEncoder().encode(body), false, NOW_US);
  expect(JSON.parse(new TextDecoder().decode(bytes)).words).toEqual(["a\ufffdb \\ud800 \u{1f600}"]);
});

test("a name spelled with escapes does not reach the engine as a second one", () => {
  const body = `{"signals":["q"],"signal":[0],"t0":${T0},"dt":[0],"num":[1],"n\\u0075m":[2]}`;
  const { bytes } = parseBody(new TextEncoder().encode(body), false, NOW_US);
  expect(new TextDecoder().decode(bytes)).toBe(
    JSON.stringify({ signals: ["q"], signal: [0], t0: T0, dt: [0], num: [2] }),
  );
});
