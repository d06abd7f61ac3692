// Where a sign-in may lead.
import { expect, test } from "bun:test";
import { safePath } from "./index.ts";

test.each([
  ["/dashboard/mill-1?period=7d", "/dashboard/mill-1?period=7d"],
  ["/hmi/fräse", "/hmi/fr%C3%A4se"],
  ["/a\r\nset-cookie: x=y", "/aset-cookie:%20x=y"],
  ["https://elsewhere.example/", "/hmi"],
  ["//elsewhere.example/", "/hmi"],
  ["/\\elsewhere.example/", "/hmi"],
  ["/\t/elsewhere.example/", "/hmi"],
  ["/\n\\elsewhere.example/", "/hmi"],
  ["/.//elsewhere.example/", "/hmi"],
  ["javascript:alert(1)", "/hmi"],
  ["", "/hmi"],
])("a sign-in for %j leads to %s", (next, to) => {
  expect(safePath(next)).toBe(to);
});
