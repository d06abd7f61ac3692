// The security log: lines, bounded files, and a bounded number of lines a second (invariant 7).
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { SecurityLog } from "./security-log.ts";

const folder = mkdtempSync(`${tmpdir()}/mtc-security-`);
const path = `${folder}/security.log`;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refusal = {
  who: "Ada",
  what: "GET /api/v1/keys",
  from: "10.0.0.1",
  why: 'the key lacks the scope "admin"',
};
const lines = (file = path): Record<string, unknown>[] =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("invariant 7: a flood of refusals is 200 lines and a number; whatever a client sends is one line", async () => {
  mkdirSync(folder, { recursive: true });
  let now_ms = 0;
  const log = new SecurityLog(path, () => {}, { now_ms: () => now_ms });
  for (let i = 0; i < 5_000; i++) log.note({ ...refusal, what: `GET /${"x\n".repeat(1_000)}` });
  await log.flush();
  expect(lines()).toHaveLength(200);
  expect(lines()[0]).toMatchObject({ who: "Ada", from: "10.0.0.1", why: refusal.why });
  now_ms = 100;
  log.note(refusal);
  await log.flush();
  expect(lines().at(-1)).toMatchObject({ ...refusal, left_out: 4_800 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("invariant 7: files are turned, four older ones are kept; a restart goes on in the one there is", async () => {
  mkdirSync(folder, { recursive: true });
  for (let start = 0; start < 2; start++) {
    const log = new SecurityLog(path, () => {}, { max_bytes: 1_000 });
    for (let i = 0; i < 90; i++) {
      log.note(refusal);
      await log.flush();
    }
  }
  const files = [path, ...[1, 2, 3, 4].map((n) => `${path}.${n}`)];
  for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(1_000);
  expect(existsSync(`${path}.5`)).toBe(false);
  expect(files.flatMap((file) => lines(file)).length).toBeGreaterThan(20);
});

test("a disk that takes nothing is told once, and refuses nobody", async () => {
  const told: string[] = [];
  const log = new SecurityLog(`${folder}/not/there.log`, (message) => told.push(message));
  for (let i = 0; i < 3; i++) {
    log.note(refusal);
    await log.flush();
  }
  expect(told).toHaveLength(1);
});
