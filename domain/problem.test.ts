// The list of problems: what holds for every code.
import { expect, test } from "bun:test";
import { CODES, definitionOf, detailOf } from "./problem.ts";

/** Members of every answer, and of each error in it. */
const TAKEN = ["type", "title", "status", "detail", "instance", "code", "errors", "path"];

test("a parameter takes no member's name: it stands beside them (SPEC 11.3)", () => {
  const wrong = CODES.filter((code) =>
    Object.keys(definitionOf(code).example).some((name) => TAKEN.includes(name)),
  );
  expect(wrong).toEqual([]);
});

test("every code is a word for URLs, has a status of an error, and its English holds every parameter", () => {
  for (const code of CODES) {
    const { status, example } = definitionOf(code);
    const detail = detailOf(code, example);
    expect([code, /^[a-z][a-z0-9_]*$/.test(code), status >= 400 && status < 600]).toEqual([code, true, true]);
    expect([code, detail]).not.toEqual([code, ""]);
    expect([code, detail]).not.toEqual([code, expect.stringMatching(/undefined|NaN|\[object/)]);
  }
});
