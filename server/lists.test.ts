// Lists as CSV (SPEC 11.7): what a spreadsheet must read right, and must not run.
import { expect, test } from "bun:test";
import { answer } from "./lists.ts";

const file = async (rows: object[], format: string): Promise<string> => {
  const response = answer(format, { rows });
  if (!(response instanceof Response)) throw new Error("no file");
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
};

const ROW = { name: "Mill; 1", oee: 0.7475, lost_s: -1.5, parts: null, flags: ["a", "b"], open: true };

test("the plain file is RFC 4180 with points", async () => {
  expect(await file([ROW], "csv")).toBe("name,oee,lost_s,parts,flags,open\nMill; 1,0.7475,-1.5,,a b,true\n");
});

test("with decimal commas: semicolons, quotes where they are needed, and a byte order mark", async () => {
  expect(await file([ROW], "csv_comma")).toBe(
    '\ufeffname;oee;lost_s;parts;flags;open\n"Mill; 1";0,7475;-1,5;;a b;true\n',
  );
});

test("text that would be a formula is text; a number below zero stays one", async () => {
  const texts = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "＝1"];
  for (const format of ["csv", "csv_comma"]) {
    const lines = (await file([...texts.map((text) => ({ text })), { text: -2 }], format))
      .split("\n")
      .slice(1);
    for (const line of lines.slice(0, texts.length)) expect(line).toMatch(/^"?'/);
    expect(lines[texts.length]).toBe("-2");
  }
});

test("a line feed in front makes no formula either: spreadsheets pass over it", async () => {
  for (const format of ["csv", "csv_comma"])
    expect(await file([{ text: "\n=1+1" }], format)).toEndWith('text\n"\'\n=1+1"\n');
});

test("many rows are streamed in pieces and come whole, in order, under one header", async () => {
  const rows = Array.from({ length: 2_500 }, (_, n) => ({ n }));
  const response = answer("csv", { rows }) as Response;
  const pieces = [];
  for await (const piece of response.body as ReadableStream<Uint8Array>)
    pieces.push(new TextDecoder().decode(piece));
  expect(pieces.length).toBe(3);
  expect(pieces.join("").trim().split("\n")).toEqual(["n", ...rows.map(({ n }) => String(n))]);
});

test("no rows are an empty file, and without a format the list is as it was", async () => {
  expect(await file([], "csv")).toBe("");
  const list = { rows: [ROW], more: 1 };
  expect(answer(undefined, list)).toBe(list);
  expect(answer("json", list)).toBe(list);
});
