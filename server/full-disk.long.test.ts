// The data directory on a disk that is full: the program starts, serves, refuses, and goes on by itself when there is room.
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { openEmbedded } from "../analytics-sql/engine/embedded.ts";
import { releaseBefore } from "./testing/release-before.ts";
import { startServer, type TestServer } from "./testing/server.ts";
import { smallDisk } from "./testing/small-disk.ts";

setDefaultTimeout(limit_ms(300));
const disk = smallDisk("256m");
const before = releaseBefore();
const started: TestServer[] = [];
/** Ends with its test, whatever becomes of that. */
async function start(...how: Parameters<typeof startServer>): Promise<TestServer> {
  const server = await startServer(...how);
  started.push(server);
  return server;
}
afterEach(async () => {
  for (const server of started.splice(0)) await server.kill();
  disk?.free();
});
afterAll(() => {
  disk?.unmount();
  before?.remove();
});

const MINUTE_MS = 60_000;
const T0 = Math.floor((Date.now() - 30 * 3_600_000) / MINUTE_MS) * MINUTE_MS;
const at = (minute: number): string => new Date(T0 + minute * MINUTE_MS).toISOString();
const observed = (from: number, n: number) => ({
  observations: Array.from({ length: n }, (_, i) => [
    { signal: "execution", ts: at(from + i), value: i % 3 === 0 ? "READY" : "ACTIVE" },
    { signal: "part_count", ts: at(from + i), value: from + i },
  ]).flat(),
});

async function fill(server: TestServer): Promise<void> {
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
  const cycle_times = [{ valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 30 }];
  await server.call("PUT", "/api/v1/machines/mill-1/cycle-times", cycle_times);
  await server.call("POST", "/internal/machines/mill-1/data", observed(0, 300));
  await server.call("POST", "/api/v1/machines/mill-1/rejects", { ts: at(30), count: 3 });
  await server.settled();
}

const figures = async (server: TestServer) => {
  const answer = await server.call("GET", `/api/v1/machines/mill-1/oee?by=hour&from=${at(0)}&to=${at(600)}`);
  return { status: answer.status, body: answer.body };
};

/** Everything that grows the store is refused alike; questions are answered. */
async function refuses(server: TestServer): Promise<void> {
  for (const [method, path, body] of [
    ["POST", "/internal/machines/mill-1/data", observed(300, 1)],
    ["POST", "/api/v1/machines", { id: "mill-2", name: "Mill 2" }],
    ["POST", "/api/v1/machines/mill-1/rejects", { ts: at(31), count: 1 }],
    ["POST", "/api/v1/keys", { name: "wall", scopes: ["read"] }],
  ] as const) {
    const { status, body: problem, headers } = await server.call(method, path, body);
    expect([path, status, problem]).toMatchObject([path, 503, { status: 503, code: "disk_full" }]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  }
  for (const path of ["/healthz", "/readyz", "/api/v1/machines", "/api/v1/machines/mill-1", "/admin/health"])
    expect([path, (await server.call("GET", path)).status]).toEqual([path, 200]);
  const { body } = await server.call<string>("GET", "/admin/health");
  expect(body).toContain("The disk is full");
}

async function takesAgain(server: TestServer, minute: number): Promise<void> {
  await until(
    async () =>
      (await server.call("POST", "/internal/machines/mill-1/data", observed(minute, 1))).status === 202,
  );
  await server.settled();
}

const emptyDefinitions = (data_dir: string): string[] =>
  (readdirSync(`${data_dir}/chdb`, { recursive: true }) as string[]).filter(
    (name) => name.endsWith(".sql") && statSync(`${data_dir}/chdb/${name}`).size === 0,
  );

describe.skipIf(!disk)("on a full disk", () => {
  const small = disk as NonNullable<typeof disk>;
  const data_dir = `${small?.path}/data`;
  let expected: Awaited<ReturnType<typeof figures>>;

  test("invariants 1 and 7: while it runs it refuses, and goes on when there is room", async () => {
    const server = await start({}, data_dir);
    await fill(server);
    expected = await figures(server);
    expect(expected.status).toBe(200);
    expect(JSON.stringify(expected.body)).toContain('"reject_count":3');
    small.fill();
    await refuses(server);
    expect(await figures(server)).toEqual(expected);
    small.free();
    await takesAgain(server, 900);
    expect(await figures(server)).toEqual(expected);
    expect(await server.stop()).toBe(0);
  });

  test.each(["stopped", "killed", "without SQLite's index"])(
    "invariant 6: a start changes nothing, serves, refuses, and recovers by itself: %s before",
    async (how) => {
      const last = await start({}, data_dir);
      // What a start delivers again is rolled up again: the figures that there are, are those that are asked for.
      await last.settled();
      expect(await figures(last)).toEqual(expected);
      if (how === "killed") await last.kill();
      else await last.stop();
      if (how.startsWith("without"))
        for (const end of ["wal", "shm"]) rmSync(`${data_dir}/mtc.sqlite-${end}`, { force: true });
      small.fill();
      const server = await start({ MTC_RAW_RETENTION_DAYS: "36499" }, data_dir);
      await refuses(server);
      expect(await figures(server)).toEqual(expected);
      await server.kill();
      expect(emptyDefinitions(data_dir)).toEqual([]);
      const again = await start({}, data_dir);
      await refuses(again);
      small.free();
      await takesAgain(again, 901);
      expect(await figures(again)).toEqual(expected);
      expect(await again.stop()).toBe(0);
      expect(emptyDefinitions(data_dir)).toEqual([]);
    },
  );

  describe.skipIf(!before)("with a directory of the release before", () => {
    const root = before?.root ?? "";
    const old_dir = `${small?.path}/old`;
    const old = () => start({}, old_dir, [], root);

    test("invariant 6: it is adopted once there is room; until then everything else is served", async () => {
      const last = await old();
      await fill(last);
      const figures_before = await figures(last);
      await last.stop();
      small.fill();
      const server = await start({}, old_dir);
      await refuses(server);
      small.free();
      await until(async () => (await figures(server)).status === 200);
      expect(await figures(server)).toEqual(figures_before);
      await takesAgain(server, 900);
      await server.stop();
    });

    test("invariant 6: what its starts destroyed on a full disk is mended, with figures of what was purged from the log", async () => {
      rmSync(`${old_dir}/schema_version`, { force: true });
      const last = await start({}, old_dir);
      await last.settled();
      const figures_before = await figures(last);
      await last.stop();
      // The log has forgotten the observations: what analytics has of them is all there is.
      spawnSync(process.execPath, [
        "-e",
        `new (require("bun:sqlite").Database)(${JSON.stringify(`${old_dir}/mtc.sqlite`)})
           .run("DELETE FROM events WHERE type = 'mtc.observations.v1'")`,
      ]);
      // What its starts did, where nothing asks for room.
      const engine = await openEmbedded({ path: `${old_dir}/chdb`, rawRetentionDays: 36_500 });
      small.fill();
      for (const sql of [
        "CREATE OR REPLACE TABLE mtc.entries_in (id String) ENGINE = Null",
        "ALTER TABLE mtc.observations MODIFY TTL toDateTime64(ts, 0, 'UTC') + INTERVAL 7 DAY",
      ])
        await engine.maintain(sql).catch(() => {});
      await engine.close();
      small.free();
      expect(emptyDefinitions(old_dir)).not.toEqual([]);
      const ended = await old().then(
        () => "started",
        (error: unknown) => String(error),
      );
      expect(ended).toContain("Cannot parse definition");
      const server = await start({}, old_dir);
      expect(await figures(server)).toEqual(figures_before);
      expect(server.output()).toContain("set aside and made anew");
      const { body } = await server.call<string>("GET", "/admin/health");
      expect(body).toContain("mtc.observations.sql");
      expect(readFileSync(`${old_dir}/schema_version`, "utf8")).toBe("1.1\n");
      await takesAgain(server, 901);
      await server.stop();
    });
  });
});
