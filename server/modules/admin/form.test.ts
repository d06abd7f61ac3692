// Fields in, the API's input out; rows that come, go and move.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { CalendarInput } from "../../../ingest/calendar.ts";
import { BadInput, inputError } from "../../../ingest/problem.ts";
import { ReasonsInput } from "../../../ingest/reasons.ts";
import { Problem } from "../../plugins/errors.ts";
import { fieldsOf, inputOf, posted, reordered, rowsChanged, withoutBlanks, wrong } from "./form.ts";

const post = (fields: [string, string][]) =>
  posted(new Request("http://here/", { method: "POST", body: new URLSearchParams(fields) }));
const error = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (thrown) {
    return thrown;
  }
};

test("an input is the same again after it went through the fields of a form", async () => {
  const calendar: CalendarInput = {
    timezone: "Europe/Berlin",
    shifts: [
      {
        name: "early",
        days: ["mon", "tue"],
        start: "06:00",
        end: "14:00",
        breaks: [{ start: "10:00", end: "10:15" }],
      },
      { name: "late", days: ["mon"], start: "14:00", end: "22:00" },
    ],
    exceptions: [{ date: "2026-01-06", shifts: [] }],
  };
  const reasons: ReasonsInput = [
    { code: "a", name: "A", policy: "excluded" },
    { code: "b", name: "B", parent: "a", automatic: [{ condition: "c", machines: ["m1", "m2"] }] },
  ];
  const through = async (input: object) =>
    (
      await post(
        Object.entries(fieldsOf(input)).flatMap(([path, values]) =>
          values.map((value): [string, string] => [path, value]),
        ),
      )
    ).fields;
  expect(inputOf(CalendarInput, await through(calendar))).toEqual(calendar);
  expect(inputOf(ReasonsInput, await through(reasons))).toEqual(reasons);
});

test("empty fields are left out; numbers take a comma; what is no number is told as it is", async () => {
  const schema = Type.Object({ n: Type.Optional(Type.Number()), word: Type.Optional(Type.String()) });
  expect(inputOf(schema, { "/n": ["1,5"], "/word": [" "] })).toEqual({ n: 1.5 });
  const thrown = error(() => inputOf(schema, { "/n": ["many"] }));
  expect(thrown).toBeInstanceOf(BadInput);
  expect(wrong(thrown, "/policy")).toMatchObject([{ path: "/policy/n" }]);
});

test("names of fields reach nothing but the input", async () => {
  const { fields } = await post([
    ["__proto__", "x"],
    ["/__proto__/polluted", "x"],
    ["/constructor/prototype/polluted", "x"],
    ["/word", "ok"],
  ]);
  expect(inputOf(Type.Object({ word: Type.String() }), fields)).toEqual({ word: "ok" });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("invariant 7: neither the fields nor the rows of a form are without bound", async () => {
  const many = Array.from({ length: 20_001 }, (_, i): [string, string] => [`/a/${i % 7}`, ""]);
  expect(post(many)).rejects.toBeInstanceOf(BadInput);
  expect(post([["/rows/99999/part", "x"]])).rejects.toBeInstanceOf(BadInput);
  const { fields } = await post([["/rows/9999/part", "x"]]);
  expect(error(() => rowsChanged({ fields, act: "add /rows" }, () => ({ part: [""] })))).toBeInstanceOf(
    BadInput,
  );
});

const LIST = {
  "/l/0/a": ["zero"],
  "/l/1/a": ["one"],
  "/l/1/b/0/c": ["deep"],
  "/l/2/a": [""],
  "/other": ["o"],
};

test("rows come, go and move with all that is in them", () => {
  const blank = () => ({ a: [""] });
  const after = (act: string) => rowsChanged({ fields: LIST, act }, blank)?.values;
  expect(after("add /l")).toEqual({ ...LIST, "/l/3/a": [""] });
  expect(rowsChanged({ fields: LIST, act: "add /l" }, blank)?.focus).toBe("/l/3/a");
  expect(after("remove /l/0")).toEqual({
    "/l/0/a": ["one"],
    "/l/0/b/0/c": ["deep"],
    "/l/1/a": [""],
    "/other": ["o"],
  });
  expect(after("up /l/1")).toEqual({
    "/l/0/a": ["one"],
    "/l/0/b/0/c": ["deep"],
    "/l/1/a": ["zero"],
    "/l/2/a": [""],
    "/other": ["o"],
  });
  expect(after("down /l/2")).toEqual(LIST);
  expect(after("up /l/7")).toEqual(LIST);
  expect(after("")).toBeUndefined();
  expect(after("preview")).toBeUndefined();
});

test("rows in which nothing was typed are left out, and the others close up", () => {
  const fields = { "/l/0/a": [""], "/l/0/kind": ["x"], "/l/1/a": ["one"], "/l/1/kind": ["x"] };
  expect(withoutBlanks(fields, "/l", ["kind"])).toEqual({ "/l/0/a": ["one"], "/l/0/kind": ["x"] });
  expect(reordered(fields, "/l", [1, 0])["/l/0/a"]).toEqual(["one"]);
});

test("what was refused goes to its field; what broke is no matter of the form", () => {
  expect(
    wrong(
      new Problem(
        "name_taken",
        { name: "A" },
        { errors: [inputError("/name", "name_taken", { name: "A" })] },
      ),
      "/user",
    ),
  ).toEqual([inputError("/user/name", "name_taken", { name: "A" })]);
  expect(wrong(new Problem("last_admin", {}))).toEqual([inputError("", "last_admin")]);
  const broken = new Error("disk");
  expect(error(() => wrong(broken))).toBe(broken);
  expect(error(() => wrong(new Problem("no_such_address", {})))).toBeInstanceOf(Problem);
});
