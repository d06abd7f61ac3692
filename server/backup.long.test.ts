// Backups of an installation with months behind it: killed in the middle, of a stopped one, and restored up to a time (SPEC 14.9).
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { ScriptedAgent } from "../ingest/sources/mtconnect/scripted-agent.ts";
import { formatTimestamp_us, parseTimestamp_us } from "../ingest/time.ts";
import type { Manifest } from "./backup/manifest.ts";
import { begin, type Ran, run } from "./testing/commands.ts";
import { onCluster, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";
import { smallDisk } from "./testing/small-disk.ts";

setDefaultTimeout(limit_ms(300));
const folder = mkdtempSync(`${tmpdir()}/mtc-backup-long-`);
const disk = smallDisk("20m");
const started: TestServer[] = [];
afterAll(async () => {
  for (const server of started) await server.kill();
  disk?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

async function start(data_dir: string): Promise<TestServer> {
  const server = await startServer({ MTC_RAW_RETENTION_DAYS: "30" }, data_dir);
  started.push(server);
  return server;
}

const DAY_MS = 86_400_000;
const TODAY_MS = Date.now() - (Date.now() % DAY_MS);
/** A day whose observations have left the log, and one that it still holds. */
const [OLD_MS, NEW_MS] = [TODAY_MS - 50 * DAY_MS, TODAY_MS - 2 * DAY_MS];
const iso = (ms: number): string => new Date(ms).toISOString();
const BULK_ROWS = 50_000;
const BULK_BATCHES = 12;

const observed = (from_ms: number, counts: number[]) =>
  counts.flatMap((count, hour) => {
    const ts = (minute: number): string => iso(from_ms + hour * 3_600_000 + minute * 60_000);
    return [
      { signal: "execution", ts: ts(0), value: "ACTIVE" },
      { signal: "part_count", ts: ts(10), value: count },
      { signal: "execution", ts: ts(40), value: hour % 2 === 0 ? "STOPPED" : "READY" },
    ];
  });

async function figures(server: TestServer): Promise<unknown> {
  await server.settled();
  const answers = [];
  for (const from_ms of [OLD_MS, NEW_MS])
    for (const id of ["mill-1", "mill-2"])
      for (const what of ["oee?by=hour&", "oee?by=shift&", "states?", "gaps?"]) {
        const window = `from=${iso(from_ms)}&to=${iso(from_ms + DAY_MS)}`;
        const { status, body } = await server.call("GET", `/api/v1/machines/${id}/${what}${window}`);
        expect([what, status]).toEqual([what, 200]);
        answers.push(body);
      }
  return answers;
}

/** Rows that were posted in bulk, as an analyst counts them. */
async function bulkOf(server: TestServer): Promise<number> {
  const query = "SELECT count() FROM observations WHERE signal = 'spindle_speed'";
  const { body } = await server.call("GET", `/sql/?${new URLSearchParams({ query })}`);
  return Number(body);
}

async function fill({ call }: TestServer): Promise<void> {
  for (const id of ["mill-1", "mill-2"])
    await call("POST", "/api/v1/machines", { id, name: id, group: "hall" });
  await call("PUT", "/api/v1/machines/mill-1/calendar", {
    timezone: "Europe/Berlin",
    shifts: [
      {
        name: "early",
        days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        start: "06:00",
        end: "14:00",
      },
    ],
  });
  await call("PUT", "/api/v1/machines/mill-1/cycle-times", [
    { valid_from: "2025-01-01T00:00:00Z", ideal_cycle_s: 60 },
  ]);
  await call("POST", "/api/v1/users", { name: "Olga", password: "correct horse battery", role: "operator" });
  for (const day_ms of [OLD_MS, NEW_MS])
    for (const [i, id] of ["mill-1", "mill-2"].entries())
      await call("POST", `/internal/machines/${id}/data`, {
        observations: observed(day_ms, [0, 9, 20, 25 + i, 40, 61, 70]),
      });
  await call("POST", "/api/v1/machines/mill-1/rejects", { ts: iso(NEW_MS + 3_600_000), count: 2 });
  for (let n = 0; n < BULK_BATCHES; n++) {
    const { status } = await call("POST", "/internal/machines/mill-1/data", {
      signals: ["spindle_speed"],
      signal: new Array(BULK_ROWS).fill(0),
      t0: (NEW_MS + n) * 1_000,
      dt: Array.from({ length: BULK_ROWS }, (_, i) => i * 1_000_000),
      num: Array.from({ length: BULK_ROWS }, (_, i) => Math.sin(i + n) * 1e6),
    });
    expect(status).toBe(202);
  }
}

describe.skipIf(onCluster)("with months behind it", () => {
  const data_dir = `${folder}/source`;
  const whole = `${folder}/whole`;
  let before: unknown;
  let late: unknown;
  let cut_ms = 0;
  let env: Record<string, string> = {};

  const restore = async (name: string, from: string, ...more: string[]): Promise<Ran & { dir: string }> => {
    const dir = `${folder}/${name}`;
    return { ...(await run("restore", ["--from", from, ...more], { MTC_DATA_DIR: dir })), dir };
  };

  test("invariants 1 and 2: kill -9 of the command, or of the server, leaves no backup; the next one is whole", async () => {
    const server = await start(data_dir);
    await fill(server);
    before = await figures(server);
    expect(await bulkOf(server)).toBe(BULK_ROWS * BULK_BATCHES);
    // Two clocks of one host: what came before is before.
    await pace(5);
    cut_ms = Date.now();
    await pace(5);
    await server.call("POST", "/api/v1/machines/mill-2/rejects", { ts: iso(NEW_MS + 7_200_000), count: 5 });
    await server.call("POST", "/internal/machines/mill-2/data", {
      observations: [{ signal: "execution", ts: iso(NEW_MS + 600_000), value: "INTERRUPTED" }],
    });
    late = await figures(server);
    expect(late).not.toEqual(before);
    env = { MTC_DATA_DIR: data_dir, MTC_ADMIN_KEY: TEST_KEY, MTC_PORT: new URL(server.origin).port };

    const killed = begin("backup", ["--to", whole], env);
    await until(() => existsSync(`${whole}.partial/analytics/observations`));
    killed.kill();
    await killed.ended;
    expect(existsSync(whole)).toBe(false);
    expect(await restore("none", `${whole}.partial`)).toMatchObject({
      code: 1,
      output: expect.stringContaining("cut off while it was made"),
    });
    // The server ends its part by itself, since nobody waits for it.
    const made = await until(async () => {
      const ran = await run("backup", ["--to", whole], env);
      if (ran.code !== 0) expect(ran.output).toContain("a backup is under way");
      return ran.code === 0 && ran;
    });
    expect(made.output).toContain("done: ");
    expect(readdirSync(folder).filter((name) => name.startsWith("whole"))).toEqual(["whole"]);

    const other = `${folder}/other`;
    const cut = begin("backup", ["--to", other], env);
    await until(() => existsSync(`${other}.partial/analytics/observations`));
    await server.kill();
    expect((await cut.ended).code).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith("other"))).toEqual([]);
  });

  test.skipIf(!disk)("too little room is said, and nothing is left there", async () => {
    const to = `${disk?.path}/small`;
    const ran = await run("backup", ["--to", to], env);
    expect(ran).toMatchObject({ code: 1, output: expect.stringMatching(/too little room|the disk is full/) });
    expect(readdirSync(disk?.path ?? "")).toEqual([]);
  });

  test("invariant 2: what was taken beside a server starts with the same figures, users and rows", async () => {
    const { code, dir } = await restore("online", whole);
    expect(code).toBe(0);
    const server = await start(dir);
    expect(await figures(server)).toEqual(late);
    expect(await bulkOf(server)).toBe(BULK_ROWS * BULK_BATCHES);
    const { body } = await server.call<{ users: { name: string }[] }>("GET", "/api/v1/users");
    expect(JSON.stringify(body)).toContain("Olga");
    await server.kill();
  });

  test("invariant 3: up to a time, analytics is made of the log alone where nothing ever left it", async () => {
    const { code, output, dir } = await restore("until", whole, "--until", iso(cut_ms));
    expect([code, output]).toEqual([0, expect.stringContaining("log: 2 events after")]);
    expect(existsSync(`${dir}/chdb`)).toBe(false);
    const server = await start(dir);
    expect(await figures(server)).toEqual(before);
    await server.kill();
  });

  test("invariant 6: of a stopped one that has purged, years are kept, and a time cuts what the log holds", async () => {
    const db = new Database(`${data_dir}/mtc.sqlite`);
    // What thirty days do to observations that were taken then.
    db.run(
      `DELETE FROM events WHERE type = 'mtc.observations.v1' AND position IN (
         SELECT min(position) FROM events WHERE type = 'mtc.observations.v1' GROUP BY machine_id)`,
    );
    db.run("UPDATE watermark SET position = ? WHERE name = 'purged_ms'", [OLD_MS + DAY_MS]);
    db.close();
    const stopped = `${folder}/stopped`;
    expect(await run("backup", ["--to", stopped], { ...env, MTC_PORT: "1" })).toMatchObject({ code: 0 });
    expect(readdirSync(data_dir)).not.toContain("move-scratch");
    const { log } = JSON.parse(readFileSync(`${stopped}/manifest.json`, "utf8")) as Manifest;
    expect(log.purged_before_ms).toBe(OLD_MS + DAY_MS);

    const whole_again = await restore("purged", stopped);
    let server = await start(whole_again.dir);
    expect(await figures(server)).toEqual(late);
    await server.kill();

    const past = await restore("none", stopped, "--until", iso(OLD_MS));
    expect(past).toMatchObject({ code: 1, output: expect.stringContaining("take an older backup") });
    const { code, output, dir } = await restore("purged-until", stopped, "--until", iso(cut_ms));
    expect([code, output]).toEqual([0, expect.stringContaining("are as they were when the backup was made")]);
    server = await start(dir);
    expect(await figures(server)).toEqual(before);
    await server.kill();
  });
});

describe.skipIf(onCluster)("up to a time, with an agent that goes on", () => {
  const whole = `${folder}/agent`;
  const agent = new ScriptedAgent();
  let n = 0;
  afterAll(() => agent.stop());

  /** A state, taken now. @returns its time, µs */
  function tell(): number {
    n += 1;
    const now_us = Date.now() * 1_000 + n;
    agent.add("m1-exec", n % 2 ? "READY" : "ACTIVE", { ts: formatTimestamp_us(now_us) });
    return now_us;
  }

  const first_us = Date.now() * 1_000;
  async function rows<T>(server: TestServer, what: string): Promise<T[]> {
    await server.settled();
    const window = `from=${formatTimestamp_us(first_us)}&to=${formatTimestamp_us((Date.now() + 60_000) * 1_000)}`;
    return (await server.call<{ rows: T[] }>("GET", `/api/v1/machines/mill/${what}?${window}`)).body.rows;
  }
  const told = async (server: TestServer): Promise<string[]> =>
    (await rows<{ ts: string; value: unknown }>(server, "observations"))
      .filter(({ value }) => value === "READY" || value === "ACTIVE")
      .map(({ ts, value }) => `${ts} ${value}`);
  /** Gaps of some length. */
  const lost = async (server: TestServer) =>
    (await rows<{ from: string; to: string | null; cause: string }>(server, "gaps"))
      .map(({ from, to, cause }) => [parseTimestamp_us(from), to && parseTimestamp_us(to), cause])
      .filter(([from, to]) => from !== to);

  test("invariants 2 and 4: what the agent still has counts once; what it has no more is a gap since then", async () => {
    const source = await start(`${folder}/agent-source`);
    await source.call("POST", "/api/v1/machines", {
      id: "mill",
      name: "Mill",
      source: { kind: "mtconnect", url: agent.url, device: "uuid-1" },
    });
    const both = async (server: TestServer, count: number) =>
      until(async () => (await told(server)).length === count);
    for (let i = 0; i < 20; i++) tell();
    await both(source, 20);
    await pace(50);
    const cut_ms = Date.now();
    await pace(50);
    for (let i = 0; i < 20; i++) tell();
    await both(source, 40);
    const before = await told(source);
    const env = { MTC_ADMIN_KEY: TEST_KEY, MTC_PORT: new URL(source.origin).port };
    const made = await run("backup", ["--to", whole], { ...env, MTC_DATA_DIR: source.data_dir });
    expect(made).toMatchObject({ code: 0 });
    await source.kill();

    const restored = async (name: string): Promise<TestServer> => {
      const dir = `${folder}/${name}`;
      const args = ["--from", whole, "--until", iso(cut_ms)];
      expect(await run("restore", args, { MTC_DATA_DIR: dir })).toMatchObject({ code: 0 });
      return start(dir);
    };
    const held = await restored("agent-held");
    await both(held, 40);
    expect(await told(held)).toEqual(before);
    expect(await lost(held)).toEqual([]);
    await held.kill();

    // With each that comes one goes: nothing of before is left.
    const kept = 100;
    agent.capacity = kept;
    const times = Array.from({ length: 2 * kept }, tell).slice(-kept);
    const dropped = await restored("agent-dropped");
    const last = formatTimestamp_us(times.at(-1) as number);
    await until(async () => (await told(dropped)).some((one) => one.startsWith(last)));
    expect(await told(dropped)).toHaveLength(20 + kept);
    expect((await told(dropped)).slice(0, 20)).toEqual(before.slice(0, 20));
    await until(async () => (await lost(dropped)).every(([, to]) => to !== null));
    expect(await lost(dropped)).toEqual([[cut_ms * 1_000, times[0] as number, "sequence_gap"]]);
    await dropped.kill();
  });
});
