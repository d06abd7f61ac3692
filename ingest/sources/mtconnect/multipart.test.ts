// Streams that do not keep to the rules: lying, missing and huge lengths, boundaries in the text, faults behind a part.
import { expect, test } from "bun:test";
import { MultipartCutter, NotMultipart } from "./multipart.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (part: Uint8Array): string => new TextDecoder().decode(part);

/** What a cutter gives out, fed in pieces of `chunk_bytes`; ends with the error where there is one. */
function cut(stream: string, chunk_bytes: number, max_bytes = 1_000): string[] {
  const cutter = new MultipartCutter("x", max_bytes);
  const body = bytes(stream);
  const parts: string[] = [];
  try {
    for (let at = 0; at < body.length; at += chunk_bytes)
      parts.push(...cutter.push(body.subarray(at, at + chunk_bytes)).map(text));
    cutter.push(bytes("\r\n"));
  } catch (error) {
    parts.push(error instanceof NotMultipart ? error.message : `another error: ${error}`);
  }
  return parts;
}

function expectCut(stream: string, expected: string[], max_bytes?: number): void {
  for (const chunk_bytes of [1, 2, 3, 7, 1_000_000])
    expect({ chunk_bytes, parts: cut(stream, chunk_bytes, max_bytes) }).toEqual({
      chunk_bytes,
      parts: expected,
    });
}

test("a part without a length ends before the next boundary, whatever the line ends", () => {
  const stream =
    "--x\r\nContent-type: text/xml\r\n\r\n<a>\r\n--y</a>\r\n--x\r\nFoo: 1\r\n\r\n<b/>\n--x\r\nContent-length: 4\r\n\r\n<c/>\r\n--x--\r\n";
  expectCut(stream, ["<a>\r\n--y</a>", "<b/>", "<c/>"]);
});

test("a boundary in a part that has its length is text", () => {
  const inner = "<a>\r\n--x\r\nContent-length: 1\r\n\r\n</a>";
  expectCut(`--x\r\nContent-length: ${inner.length}\r\n\r\n${inner}\r\n--x\r\nContent-length: 1\r\n\r\nb`, [
    inner,
    "b",
  ]);
});

test("a length too small: the part is cut, and what is left over is no boundary", () => {
  expectCut("--x\r\nContent-length: 3\r\n\r\n<a></a>\r\n--x\r\nContent-length: 1\r\n\r\nb", [
    "<a>",
    "expected a boundary, got </a>",
  ]);
});

test("a length too large takes what follows with it, for a reader to refuse; the rest is no boundary", () => {
  expectCut("--x\r\nContent-length: 9\r\n\r\n<a></a>\r\n--x\r\nContent-length: 1\r\n\r\nb", [
    "<a></a>\r\n",
    "b",
  ]);
  expectCut("--x\r\nContent-length: 10\r\n\r\n<a></a>\r\n--x\r\nContent-length: 1\r\n\r\nb", [
    "<a></a>\r\n-",
    "expected a boundary, got -x",
  ]);
});

test("a part that is whole is given out although what follows it is broken, also in the same chunk", () => {
  expectCut("--x\r\nContent-length: 4\r\n\r\n<a/>\r\n<html>\r\n\r\n", [
    "<a/>",
    "expected a boundary, got <html>",
  ]);
});

test("invariant 7: a huge length takes no memory until its bytes come, and over the bound it is refused", () => {
  const before = process.memoryUsage().arrayBuffers;
  const cutter = new MultipartCutter("x", 1e9);
  expect(cutter.push(bytes("--x\r\nContent-length: 900000000\r\n\r\n<a/>"))).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  expectCut("--x\r\nContent-length: 1001\r\n\r\n", ["a part of 1001 bytes is over the bound"]);
  expectCut(`--x\r\nFoo: 1\r\n\r\n${"a".repeat(1_001)}`, ["a part over 1000 bytes"]);
});

test("nothing is expected after the last boundary; an empty part is a part", () => {
  expectCut("--x\r\nContent-length: 0\r\n\r\n\r\n--x--\r\nepilogue\r\n\r\nmore", [""]);
});
