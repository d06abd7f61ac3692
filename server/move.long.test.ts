// Moving house with the real command (SPEC 14.5): an embedded installation with months behind it goes to MongoDB and ClickHouse.
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { type ClickHouseStandIn, startClickHouseStandIn } from "../analytics-sql/testing/clickhouse-http.ts";
import { openMongo } from "../ingest/store/mongo.ts";
import { MONGO_ENGINES, type MongoServer } from "../ingest/testing/mongo.ts";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { lockChdb } from "./file-lock.ts";
import { startServices } from "./services.ts";
import { callTo, startServer, TEST_KEY, tempDir } from "./testing/server.ts";

setDefaultTimeout(limit_ms(240));
/** The real one where it is given, else the nearest to it. */
const engine = MONGO_ENGINES.findLast(({ start }) => start);
const DAY_MS = 86_400_000;
/** A day of long ago, whose observations have left the log and the engine; and one that both still hold. */
const TODAY_MS = Date.now() - (Date.now() % DAY_MS);
const [OLD_MS, NEW_MS] = [TODAY_MS - 50 * DAY_MS, TODAY_MS - 2 * DAY_MS];
const iso = (ms: number): string => new Date(ms).toISOString();
const windowOf = (ms: number): string => `from=${iso(ms)}&to=${iso(ms + DAY_MS)}`;
const BULK_ROWS = 20_000;

type Call = <T>(
  method: string,
  path: string,
  body?: unknown,
  key?: string,
) => Promise<{ status: number; body: T }>;

/** What a machine did on a day: a state and a count now and then. */
const observed = (from_ms: number, counts: number[]) =>
  counts.flatMap((count, hour) => {
    const ts = (minute: number): string => iso(from_ms + hour * 3_600_000 + minute * 60_000);
    return [
      { signal: "execution", ts: ts(0), value: "ACTIVE" },
      { signal: "part_count", ts: ts(10), value: count },
      { signal: "execution", ts: ts(40), value: hour % 2 === 0 ? "STOPPED" : "READY" },
    ];
  });

describe.skipIf(!engine)(`moved to ${engine?.name ?? "MongoDB"} and ClickHouse over HTTP`, () => {
  const data_dir = tempDir();
  const target_dir = tempDir();
  let mongo: MongoServer;
  let clickhouse: ClickHouseStandIn;

  beforeAll(async () => {
    mongo = (await engine?.start?.()) as MongoServer;
    clickhouse = startClickHouseStandIn();
  });
  afterAll(async () => {
    await mongo?.stop();
    await clickhouse?.stop();
    for (const dir of [data_dir, target_dir]) rmSync(dir, { recursive: true, force: true });
  });

  const RETENTION = { MTC_RAW_RETENTION_DAYS: "30" };

  /** The command. @param until_line killed when it says this */
  async function move(
    into: string,
    until_line?: string,
  ): Promise<{ code: number; output: string; killed: boolean }> {
    const child = Bun.spawn([process.execPath, "server/move.ts"], {
      cwd: new URL("..", import.meta.url).pathname,
      env: {
        ...process.env,
        ...RETENTION,
        MTC_PROFILE: "cluster",
        MTC_DATA_DIR: data_dir,
        MTC_MONGO_URL: mongo.url(into),
        MTC_KAFKA_BROKERS: "127.0.0.1:9",
        MTC_CLICKHOUSE_URL: clickhouse.url,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    let output = "";
    let killed = false;
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true });
      if (until_line === undefined || killed || !output.includes(until_line)) continue;
      child.kill("SIGKILL");
      killed = true;
    }
    output += await new Response(child.stderr).text();
    return { code: await child.exited, output, killed };
  }

  /** The source, to the last byte, but for who has it open. */
  function digest(): string {
    const hasher = new Bun.CryptoHasher("sha256");
    const files = (
      readdirSync(data_dir, { recursive: true, withFileTypes: true }) as {
        name: string;
        parentPath: string;
        isFile(): boolean;
      }[]
    )
      .filter((entry) => entry.isFile() && !/-(shm|wal)$|^lock$/.test(entry.name))
      .map(({ parentPath, name }) => `${parentPath}/${name}`)
      .sort();
    for (const file of files) hasher.update(`${file}\n`).update(readFileSync(file));
    return hasher.digest("hex");
  }

  async function reported(call: Call): Promise<unknown> {
    const answers = [];
    for (const at of [OLD_MS, NEW_MS])
      for (const id of ["mill-1", "mill-2"]) {
        for (const what of ["oee?by=hour&", "oee?by=shift&", "states?", "gaps?"]) {
          const { status, body } = await call<object>("GET", `/api/v1/machines/${id}/${what}${windowOf(at)}`);
          expect(status).toBe(200);
          answers.push(body);
        }
      }
    return answers;
  }

  const once = { observations: [{ signal: "load", ts: iso(NEW_MS), value: 17 }] };
  let first_id = "";
  let before: unknown;
  let source = "";

  test("an installation with months behind it, killed with events in its outbox", async () => {
    const server = await startServer(RETENTION, data_dir);
    const call: Call = (method, path, body, key) =>
      server.call(method, path, body, key ? { "idempotency-key": key } : {});
    const ok = async (...args: Parameters<Call>): Promise<unknown> => {
      const { status, body } = await call(...args);
      expect([args[1], status < 300, status < 300 ? "" : body]).toEqual([args[1], true, ""]);
      return body;
    };
    for (const id of ["mill-1", "mill-2", "gone"])
      await ok("POST", "/api/v1/machines", { id, name: id, group: "hall" });
    await ok("PUT", "/api/v1/machines/mill-1/calendar", {
      timezone: "Europe/Berlin",
      shifts: [
        {
          name: "early",
          days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
          start: "06:00",
          end: "14:00",
          breaks: [{ start: "10:00", end: "10:15" }],
        },
      ],
    });
    await ok("PUT", "/api/v1/machines/mill-1/cycle-times", [
      { valid_from: "2025-01-01T00:00:00Z", ideal_cycle_s: 60 },
    ]);
    await ok("PUT", "/api/v1/reasons", [{ code: "tool", name: "Tool" }]);
    await ok("PUT", "/api/v1/machines/mill-2/policy", { reasons: { tool: "excluded" }, minor_stop_s: 300 });
    await ok("POST", "/api/v1/users", { name: "Olga", password: "correct horse battery", role: "operator" });
    for (const [i, id] of ["mill-1", "mill-2", "gone"].entries()) {
      for (const day_ms of [OLD_MS, NEW_MS])
        await ok("POST", `/internal/machines/${id}/data`, {
          observations: observed(day_ms, [0, 9, 20, 25 + i, 40, 61, 70]),
        });
    }
    await ok("POST", "/api/v1/machines/mill-2/downtime", {
      from: iso(NEW_MS + 2_400_000),
      to: iso(NEW_MS + 3_600_000),
      reason: "tool",
    });
    await ok("POST", "/api/v1/machines/mill-1/rejects", {
      ts: iso(OLD_MS + 3_600_000),
      count: 2,
      reason: "scratch",
    });
    await ok("POST", "/api/v1/machines/mill-1/lots", {
      from: iso(NEW_MS + 3_600_000),
      lot: "L1",
      part: "P1",
      order: "O1",
    });
    await ok("DELETE", "/api/v1/machines/gone");
    await ok("POST", "/internal/machines/mill-1/data", {
      signals: ["spindle_speed"],
      signal: new Array(BULK_ROWS).fill(0),
      t0: NEW_MS * 1_000,
      dt: Array.from({ length: BULK_ROWS }, (_, i) => i * 1_000_000),
      num: Array.from({ length: BULK_ROWS }, (_, i) => (i % 7 === 0 ? null : i / 3)),
    });
    first_id = ((await ok("POST", "/internal/machines/mill-1/data", once, "once")) as { event_id: string })
      .event_id;
    await server.settled();
    // Late rows correct what was rolled up before.
    await reported(call);
    await ok("POST", "/internal/machines/mill-2/data", {
      observations: [{ signal: "execution", ts: iso(OLD_MS + 1_500_000), value: "INTERRUPTED" }],
    });
    await server.settled();
    before = await reported(call);
    expect((await move("early")).output).toContain(`a server runs on ${data_dir}`);
    await ok("POST", "/internal/machines/mill-2/data", {
      observations: [{ signal: "load", ts: iso(NEW_MS), value: 3 }],
    });
    await server.kill();

    const db = new Database(`${data_dir}/mtc.sqlite`);
    // What thirty days do: observations that were taken then are gone, and so it is noted.
    db.run(
      `DELETE FROM events WHERE type = 'mtc.observations.v1' AND position IN (
         SELECT min(position) FROM events WHERE type = 'mtc.observations.v1' GROUP BY machine_id)`,
    );
    db.run("UPDATE watermark SET position = ? WHERE name = 'purged_ms'", [OLD_MS + DAY_MS]);
    db.run(
      "INSERT INTO checkpoints VALUES ('http://agent/mill-1', '17', 4711, 1000), ('http://agent/mill-2', '18', 1, NULL)",
    );
    db.run("INSERT INTO open_gaps VALUES ('mill-2', ?, 'unreachable')", [NEW_MS * 1_000]);
    db.run("INSERT INTO poison SELECT max(position) - 1, 'cannot be', 77 FROM events");
    db.close();
    source = digest();
  });

  test("refused: a target that holds something of another installation; a server does not start meanwhile", async () => {
    const other = await openMongo({
      url: mongo.url("other"),
      max_outbox_bytes: 1 << 20,
      raw_retention_days: 30,
      project: "nowhere",
      log: () => {},
    });
    await other.putKey({
      id: "k",
      tenant_id: "default",
      name: "admin",
      hash: "h",
      scopes: ["admin"],
      created_ms: 1,
    });
    await other.close();
    const refused = await move("other");
    expect([refused.code, refused.output]).toEqual([
      1,
      expect.stringContaining("another installation's keys"),
    ]);
    const lock = lockChdb(`${data_dir}/chdb`);
    expect(lock).toBeDefined();
    await expect(startServer(RETENTION, data_dir)).rejects.toThrow("ended with");
    lock?.free();
    expect(digest()).toBe(source);
  });

  test("invariants 2 and 8: killed at any point and run again, all of it is there, and the source as it was", async () => {
    for (const line of ["signal_days:", "comparing"]) {
      const cut = await move("plant", line);
      expect([line, cut.killed]).toEqual([line, true]);
      const half = openMongo({
        url: mongo.url("plant"),
        max_outbox_bytes: 1,
        raw_retention_days: 30,
        project: "nowhere",
        log: () => {},
      });
      await expect(half).rejects.toThrow("bun run move");
    }
    const moved = await move("plant");
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.output).toContain("equal: the cluster may be started");
    expect(digest()).toBe(source);
  });

  test("what is missing at the target, and what was changed there, is found and named", async () => {
    const sql = async (query: string): Promise<string> => {
      const { username, password, origin } = new URL(clickhouse.url);
      const authorization = `Basic ${btoa(`${username}:${decodeURIComponent(password)}`)}`;
      const response = await fetch(origin, { method: "POST", body: query, headers: { authorization } });
      expect(response.status).toBe(200);
      return response.text();
    };
    await sql("CREATE TABLE mtc.kept AS mtc.signal_points");
    const theirs = "machine_id = 'mill-2' AND signal = 'execution' AND ts < now() - INTERVAL 40 DAY";
    await sql(`INSERT INTO mtc.kept SELECT * FROM mtc.signal_points WHERE ${theirs}`);
    await sql(`ALTER TABLE mtc.signal_points DELETE WHERE ${theirs} SETTINGS mutations_sync = 2`);
    const damaged = await move("plant");
    expect([damaged.code, damaged.output]).toEqual([1, expect.stringContaining("it was moved before")]);
    expect(damaged.output).toMatch(/mill-2, table signal_points, partition \d+: \d+ rows before, \d+ after/);
    expect(damaged.output).toMatch(
      /mill-2, OEE by hour \d{4}-\d\d-\d\dT\d\d:00:00Z: run_time_s \d+ before, \d+ after/,
    );
    expect(damaged.output).not.toContain("mill-1, OEE");
    await sql("INSERT INTO mtc.signal_points SELECT * FROM mtc.kept");
    await sql("DROP TABLE mtc.kept SYNC");
  });

  test("invariants 2 and 5: the program on the target: the same figures, and a retry is the first event", async () => {
    const config = parseConfig({
      MTC_DATA_DIR: target_dir,
      MTC_ADMIN_KEY: TEST_KEY,
      MTC_DEMO: "off",
      ...RETENTION,
    });
    // With Kafka nothing is sent again at a start; without it, as here, only what the engine's own directory is missing for.
    mkdirSync(`${target_dir}/chdb`);
    const services = await startServices(
      { ...config, profile: "cluster", mongo_url: mongo.url("plant"), clickhouse_url: clickhouse.url },
      () => {},
    );
    const app = createApp(services).listen({ hostname: "127.0.0.1", port: 0 });
    const ask = callTo(`http://127.0.0.1:${app.server?.port}`);
    const call: Call = (method, path, body, key) =>
      ask(method, path, body, key ? { "idempotency-key": key } : {});
    expect(await services.store.outboxDepth()).toMatchObject({ events: 0 });
    expect(await reported(call)).toEqual(before);
    const { status, body } = await call<{ event_id: string }>(
      "POST",
      "/internal/machines/mill-1/data",
      once,
      "once",
    );
    expect([status, body.event_id]).toEqual([202, first_id]);
    const otherBody = { observations: [{ signal: "load", ts: iso(NEW_MS), value: 71 }] };
    const other = await call("POST", "/internal/machines/mill-1/data", otherBody, "once");
    expect(other.status).toBe(409);
    expect(await services.store.checkpoint("http://agent/mill-1")).toMatchObject({ next_sequence: 4711 });
    expect(await services.store.openGaps("mill-2")).toHaveLength(1);
    expect(await services.store.poison("default", 10)).toMatchObject([{ error: "cannot be", time_ms: 77 }]);
    expect((await services.store.logState()).purged_before_ms).toBe(OLD_MS + DAY_MS);
    // From here on it goes its own way, and is not moved over.
    await call("POST", "/internal/machines/mill-1/data", {
      observations: [{ signal: "load", ts: iso(NEW_MS), value: 18 }],
    });
    await until(async () => (await services.store.outboxDepth()).events === 0 || undefined);
    await app.stop(true);
    await services.stop();
    const late = await move("plant");
    expect([late.code, late.output]).toEqual([1, expect.stringContaining("has taken events of its own")]);
  });
});
