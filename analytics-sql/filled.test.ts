// Pieces of SQL come where a text names them; one that is missing, or that nothing names, is an error and not an odd query.
import { expect, test } from "bun:test";
import { filled } from "./filled.ts";

test("pieces come as they are, values stay", () => {
  const text = "SELECT $& FROM {rows:Text} WHERE a = {rows:String} -- {rows:Text}";
  expect(filled(text, { rows: "$1 {more:Text}" })).toBe(
    "SELECT $& FROM $1 {more:Text} WHERE a = {rows:String} -- $1 {more:Text}",
  );
});

test("a piece that is missing, and one too many", () => {
  expect(() => filled("FROM {rows:Text}", {})).toThrow("no SQL for {rows:Text}");
  expect(() => filled("FROM rows", { rows: "a", more: "b" })).toThrow("takes no {rows:Text}, {more:Text}");
});
