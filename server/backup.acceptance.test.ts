// A backup of the real program while it takes events, restored and started: the same figures, nothing lost, nothing twice (SPEC 14.9).
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import type { Manifest } from "./backup/manifest.ts";
import { run } from "./testing/commands.ts";
import { discard, onCluster, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(180));
const folder = mkdtempSync(`${tmpdir()}/mtc-backup-`);
let server: TestServer | undefined;
afterAll(async () => {
  await discard(server);
  rmSync(folder, { recursive: true, force: true });
});

const DAY_MS = 86_400_000;
const T0_MS = (Math.floor(Date.now() / DAY_MS) - 3) * DAY_MS;
const at = (second: number): string => new Date(T0_MS + second * 1_000).toISOString();
const WINDOW = `from=${at(0)}&to=${at(86_400)}`;

async function figures({ call }: TestServer): Promise<unknown[]> {
  const paths = ["oee?by=hour&", "states?", "gaps?"].map((what) => `/api/v1/machines/fixed/${what}${WINDOW}`);
  const answers = await Promise.all(paths.map((path) => call("GET", path)));
  return answers.map(({ status, body }) => [status, body]);
}

async function countsOf({ call }: TestServer): Promise<number[]> {
  const path = `/api/v1/machines/ledger/observations?${WINDOW}&signal=part_count&limit=100000`;
  const { body } = await call<{ rows: { value: number }[] }>("GET", path);
  return body.rows.map(({ value }) => value).sort((a, b) => a - b);
}

async function fill({ call }: TestServer): Promise<void> {
  for (const id of ["fixed", "ledger"]) await call("POST", "/api/v1/machines", { id, name: id });
  await call("PUT", "/api/v1/machines/fixed/cycle-times", [
    { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 30 },
  ]);
  const observations = Array.from({ length: 40 }, (_, i) => [
    { signal: "execution", ts: at(600 * i), value: i % 3 === 0 ? "READY" : "ACTIVE" },
    { signal: "part_count", ts: at(600 * i + 1), value: 7 * i },
  ]).flat();
  await call("POST", "/internal/machines/fixed/data", { observations });
  await call("POST", "/api/v1/machines/fixed/rejects", { ts: at(3_000), count: 2 });
}

/** As one that left its table while it was saved: a file without a row. */
function addEmptyPartition(to: string): void {
  const file = `${to}/manifest.json`;
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const own = manifest.tables.find(({ name }) => name === "observations") as Manifest["tables"][number];
  const bytes = Bun.zstdCompressSync(new Uint8Array(0));
  const path = "observations/20200101.native.zst";
  writeFileSync(`${to}/analytics/${path}`, bytes);
  manifest.tables.push({ ...own, partition: "20200101", path });
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  manifest.files.push({ path: `analytics/${path}`, bytes: bytes.length, sha256 });
  writeFileSync(file, JSON.stringify(manifest));
}

/** One count after the other, until it is told to end. @returns how many were acknowledged so far */
function ledger({ call }: TestServer): { acked(): number; end(): Promise<void> } {
  let [acked, ended] = [0, false];
  const running = (async () => {
    while (!ended) {
      const observations = [{ signal: "part_count", ts: at(acked + 1), value: acked + 1 }];
      const { status } = await call("POST", "/internal/machines/ledger/data", { observations });
      if (status === 202) acked += 1;
      await pace(10);
    }
  })();
  return {
    acked: () => acked,
    async end() {
      ended = true;
      await running;
    },
  };
}

describe.skipIf(onCluster)("backed up while it takes events", () => {
  const to = `${folder}/monday`;

  test("invariants 1 and 2: what was acknowledged before is in it, once; figures are the same after a restore", async () => {
    const source = (server = await startServer());
    await fill(source);
    await source.settled();
    const before = await figures(source);
    expect(JSON.stringify(before)).toContain('"reject_count":2');
    const env = { MTC_DATA_DIR: source.data_dir, MTC_ADMIN_KEY: TEST_KEY };
    const port = new URL(source.origin).port;
    const counting = ledger(source);
    await until(() => counting.acked() > 20);
    const acked = counting.acked();
    const made = await run("backup", ["--to", to], { ...env, MTC_PORT: port });
    expect(made).toEqual({ code: 0, output: expect.stringContaining(`done: ${to}`) });
    await counting.end();
    expect(statSync(to).mode & 0o077).toBe(0);
    const again = await run("backup", ["--to", to], { ...env, MTC_PORT: port });
    expect(again).toEqual({ code: 1, output: expect.stringContaining("is there already") });
    await discard(source);
    server = undefined;

    addEmptyPartition(to);
    const data_dir = `${folder}/restored`;
    const restored = await run("restore", ["--from", to], { MTC_DATA_DIR: data_dir });
    expect(restored).toEqual({ code: 0, output: expect.stringContaining("start the server on") });
    expect(readdirSync(data_dir)).not.toContain("restoring");
    server = await startServer({}, data_dir);
    await server.settled();
    expect(await figures(server)).toEqual(before);
    const counts = await countsOf(server);
    expect(counts).toEqual(Array.from({ length: counts.length }, (_, i) => i + 1));
    expect(counts.length).toBeGreaterThanOrEqual(acked);
    expect(counts.length).toBeLessThanOrEqual(counting.acked());
    const { log } = JSON.parse(readFileSync(`${to}/manifest.json`, "utf8")) as Manifest;
    expect(log.delivered).toBeGreaterThan(0);
  });

  test("a folder that whoever asks has not made is not written to; nor is a stranger's", async () => {
    const { call, data_dir } = server as TestServer;
    const ask = { data_dir, to: folder, token: "0123456789abcdef" };
    expect((await call("POST", "/api/v1/backup", ask)).status).toBe(422);
    expect((await call("POST", "/api/v1/backup", { ...ask, data_dir: folder })).status).toBe(409);
    expect((await call("GET", "/api/v1/backup")).status).toBe(404);
    expect(readdirSync(folder).sort()).toEqual(["monday", "restored"]);
  });
});
