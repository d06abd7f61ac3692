// The examples of docs/analyst-sql.md, run as they stand there.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const text = await Bun.file(`${ROOT}docs/analyst-sql.md`).text();
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(([, code = ""]) => code);

let server: TestServer;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/mtc-docs-`);
  server = await startServer();
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
  await server.call("PUT", "/api/v1/machines/mill-1/calendar", {
    timezone: "UTC",
    shifts: [
      { name: "day", days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], start: "00:00", end: "23:00" },
    ],
  });
  const ts = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
  const observations = [
    { signal: "execution", ts: ts(30), value: "ACTIVE" },
    { signal: "execution", ts: ts(20), value: "STOPPED" },
    { signal: "execution", ts: ts(10), value: "ACTIVE" },
  ];
  await server.call("POST", "/internal/machines/mill-1/data", { observations });
  await server.settled();
  await server.call("GET", `/api/v1/oee?from=${ts(48)}`);
});
afterAll(async () => {
  await discard(server);
  rmSync(directory, { recursive: true, force: true });
});

async function run(command: string[]): Promise<string> {
  const env = { ...process.env, MTC: server.origin, KEY: TEST_KEY };
  const child = Bun.spawn(command, { cwd: directory, env, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(code, err).toBe(0);
  return out;
}

test("curl", async () => {
  const [commands = ""] = blocks("sh");
  const out = await run(["sh", "-ec", commands]);
  expect(out).not.toContain("DB::Exception");
  expect(out).toContain("Mill 1");
  expect(out).toContain('"day","shift","availability"');
  expect(out).toMatch(/STOPPED\t\t10\t1/);
  const parquet = await Bun.file(`${directory}/days.parquet`).bytes();
  expect(Buffer.from(parquet.subarray(0, 4)).toString()).toBe("PAR1");
});

test("@clickhouse/client", async () => {
  const [code = ""] = blocks("ts");
  // Beside the program, so that its packages are found.
  const file = `${ROOT}server/.example-${process.pid}.ts`;
  writeFileSync(file, code);
  try {
    expect(await run([process.execPath, file])).toContain("oee");
  } finally {
    rmSync(file);
  }
});

test("sums first, ratios last", async () => {
  for (const query of blocks("sql")) {
    const answer = await fetch(`${server.origin}/sql/`, {
      method: "POST",
      headers: { "x-api-key": TEST_KEY },
      body: query,
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^mill-1\t0\.\d+\n$/);
  }
});
