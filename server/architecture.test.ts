// The house rules that a reviewer should not have to check by eye.
import { expect, test } from "bun:test";
import { dirname, normalize } from "node:path";
import { CODES } from "../domain/problem.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const ROOMS = ["domain", "server", "ingest", "analytics-sql", "views", "loadtest"];
/** Who may import whom (ARCHITECTURE.md). */
const MAY: Record<string, string[]> = {
  domain: ["domain"],
  server: ["domain", "server", "ingest", "analytics-sql", "views"],
  ingest: ["domain", "ingest"],
  "analytics-sql": ["domain", "analytics-sql"],
  views: ["domain", "views"],
  loadtest: ["domain", "loadtest", "server", "ingest", "analytics-sql"],
};

/** Packages that the ground floor may have. */
const MAY_DOMAIN = new Set(["@sinclair/typebox"]);

type Import = { file: string; types_only: boolean; from: string; to: string };

async function sources(): Promise<{ file: string; text: string }[]> {
  const files = [...new Bun.Glob(`{${ROOMS.join(",")}}/**/*.{ts,tsx}`).scanSync({ cwd: ROOT })];
  return Promise.all(files.map(async (file) => ({ file, text: await Bun.file(ROOT + file).text() })));
}

async function imports(): Promise<Import[]> {
  const found: Import[] = [];
  for (const { file, text } of await sources()) {
    for (const [, type, path = ""] of text.matchAll(/^(?:import|export) (type )?[^;]*?from "(\.[^"]+)"/gm)) {
      const to = normalize(`${dirname(file)}/${path}`);
      found.push({ file, types_only: type !== undefined, from: room(file), to: room(to) });
    }
  }
  return found;
}

const room = (path: string): string => path.split("/")[0] ?? "";
const isTest = (file: string): boolean => /\.test\.tsx?$|\/testing\/|preview/.test(file);

test("imports point one way: server → ingest, analytics-sql, views; types may be shared", async () => {
  const all = await imports();
  expect(all.length).toBeGreaterThan(100);
  const wrong = all.filter(({ file, types_only, from, to }) => {
    return !isTest(file) && !types_only && ROOMS.includes(to) && !MAY[from]?.includes(to);
  });
  expect(wrong).toEqual([]);
  // Nothing below the server knows of it, not even by type, and nothing at all of the load tests.
  const below = ["ingest", "analytics-sql", "views"];
  expect(
    all.filter(({ file, from, to }) => !isTest(file) && to === "server" && below.includes(from)),
  ).toEqual([]);
  expect(all.filter(({ from, to }) => to === "loadtest" && from !== "loadtest")).toEqual([]);
});

test("the ground floor stands by itself: domain imports nothing of ours, nor of the system, and does no I/O", async () => {
  const own = (await sources()).filter(({ file }) => room(file) === "domain" && !isTest(file));
  expect(own.length).toBeGreaterThan(3);
  for (const { file, text } of own) {
    const outside = [...text.matchAll(/from "([^"]+)"/g)].filter(([, path = ""]) => {
      return path.startsWith(".")
        ? room(normalize(`${dirname(file)}/${path}`)) !== "domain"
        : !MAY_DOMAIN.has(path);
    });
    expect({ file, outside: outside.map(([, path]) => path) }).toEqual({ file, outside: [] });
    expect({ file, io: /\bBun\.|\bfetch\(|\bprocess\./.test(text) }).toEqual({ file, io: false });
  }
});

test("every code of a problem is told by something", async () => {
  const told = (await sources())
    .filter(({ file }) => !isTest(file) && /^(server|ingest|analytics-sql)\//.test(file))
    .flatMap(({ text }) => [...text.matchAll(/"([a-z0-9_]+)"/g)].map(([, word]) => word));
  const words = new Set<string | undefined>(told);
  expect(CODES.filter((code) => !words.has(code))).toEqual([]);
});

test("nobody reads a message by a pattern: there are codes for that (SPEC 11.3)", async () => {
  const READS =
    /\.(?:test|exec)\((?:\w+\.)?(?:detail|message)\b|\b(?:detail|message)\.(?:match|matchAll|search|startsWith|endsWith|includes|split)\(/;
  const readers = (await sources()).filter(
    // What analytics' engine says is its own.
    ({ file, text }) => !isTest(file) && !file.startsWith("analytics-sql/") && READS.test(text),
  );
  expect(readers.map(({ file }) => file)).toEqual([]);
});

test("every source file starts with a line that says what it is for", async () => {
  const silent = (await sources()).filter(({ text }) => !/^(\/\*\* @jsx.*\n)?\/\/ \S/.test(text));
  expect(silent.map(({ file }) => file)).toEqual([]);
});

test("the environment is read in one place", async () => {
  const readers = (await sources()).filter(
    ({ file, text }) => !isTest(file) && /process\.env|Bun\.env/.test(text),
  );
  expect(readers.map(({ file }) => file).sort()).toEqual([
    "server/backup.ts",
    "server/main.ts",
    "server/move.ts",
    "server/rebuild.ts",
    "server/restore.ts",
  ]);
});
