// For tests: the real program's analytics rebuilt while clients post, across kills, and by the command (SPEC 14.3), at any size.
import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { limit_ms, pace, until } from "../../.ci/limits.ts";
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import type { Rebuild } from "../modules/rebuild/model.ts";
import { discard, onCluster, startServer, TEST_KEY, type TestServer, tempDir } from "./server.ts";

setDefaultTimeout(limit_ms(420));
const data_dir = tempDir();
const DAY_MS = 86_400_000;
/** A few days ago: up to now there is little else to roll up. */
const T0_MS = (Math.floor(Date.now() / DAY_MS) - 6) * DAY_MS;
/** The nth of the days of which there is something. */
export const day = (n: number): string => new Date(T0_MS + n * DAY_MS).toISOString().slice(0, 10);
const WINDOW = `from=${day(0)}T00:00:00Z&to=${day(4)}T00:00:00Z`;
/** Bulk, in turn of three days. */
const BATCH_ROWS = 20_000;

let server: TestServer | undefined;
afterAll(async () => {
  await discard(server);
  rmSync(data_dir, { recursive: true, force: true });
});

/** Posts one count after the other, of the four days in turn, each again until it is acknowledged. */
class Ledger {
  acked = 0;
  #stopped = false;

  async run(at: () => TestServer | undefined): Promise<void> {
    while (!this.#stopped) {
      const count = this.acked + 1;
      const observation = { signal: "part_count", ts: this.time(count), value: count };
      const status = await at()
        ?.call(
          "POST",
          "/internal/machines/ledger/data",
          { observations: [observation] },
          { "idempotency-key": `count-${count}` },
        )
        .then((answer) => answer.status)
        .catch(() => 0);
      if (status === 202) this.acked = count;
      await pace(5);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  time = (count: number): string => new Date(T0_MS + (count % 4) * DAY_MS + count * 1_000).toISOString();
}

async function figures(from: TestServer): Promise<unknown> {
  await from.settled();
  const parts = await Promise.all(
    ["bulk", "fixed"].map(async (id) => [
      (await from.call("GET", `/api/v1/machines/${id}/oee?${WINDOW}&by=day`)).body,
      (await from.call("GET", `/api/v1/machines/${id}/states?${WINDOW}`)).body,
    ]),
  );
  return parts;
}

/** Every count that was acknowledged, once. */
async function balance(from: TestServer, ledger: Ledger): Promise<void> {
  await from.settled();
  const { body } = await from.call<{ rows: { value: number }[] }>(
    "GET",
    `/api/v1/machines/ledger/observations?${WINDOW}&signal=part_count&limit=100000`,
  );
  const counts = body.rows.map(({ value }) => value).sort((a, b) => a - b);
  expect(counts).toEqual(Array.from({ length: counts.length }, (_, i) => i + 1));
  expect([ledger.acked, ledger.acked + 1]).toContain(counts.length);
}

const job = async (of: TestServer): Promise<Rebuild> =>
  (await of.call<Rebuild>("GET", "/api/v1/rebuild")).body;
const ended = (of: TestServer): Promise<Rebuild> =>
  until(async () => {
    const now = await job(of);
    return now.phase === "done" || now.phase === "failed" ? now : undefined;
  }, 120);

/** Of a cluster's processes one makes rebuilds; who was killed keeps that for some seconds. */
const begin = (at: TestServer, ask: object): Promise<Rebuild> =>
  until(async () => {
    const { status, body } = await at.call<Rebuild>("POST", "/api/v1/rebuild", ask);
    if (onCluster && status === 503) return undefined;
    expect(status).toBe(202);
    return body;
  });

/** The command, as a process of its own. */
async function command(args: string[], port: string): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([process.execPath, "server/rebuild.ts", ...args], {
    cwd: new URL("../..", import.meta.url).pathname,
    env: {
      ...process.env,
      MTC_PORT: port,
      MTC_DEMO: "off",
      MTC_DATA_DIR: data_dir,
      MTC_ADMIN_KEY: TEST_KEY,
      MTC_RAW_RETENTION_DAYS: "36500",
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  return { code: await child.exited, output };
}

/** Nothing listens there. */
const NOBODY = "9";

/** While the program is stopped: what analytics holds of the bulk. */
async function bulkRows(): Promise<number | undefined> {
  const engine = await openEmbedded({ path: `${data_dir}/chdb`, rawRetentionDays: 36_500 });
  const sql = "SELECT count() AS rows FROM mtc.observations FINAL WHERE machine_id = 'bulk'";
  const [found] = await engine.query<{ rows: number }>(sql, {});
  await engine.close();
  return found?.rows;
}

/** While the program is stopped: a day is lost, and another has rows that nobody sent. */
async function damage(): Promise<void> {
  const engine = await openEmbedded({ path: `${data_dir}/chdb`, rawRetentionDays: 36_500 });
  for (const sql of [
    `ALTER TABLE mtc.observations DROP PARTITION ID '${day(0).replaceAll("-", "")}'`,
    `ALTER TABLE mtc.signal_points DELETE WHERE toDate(ts) = '${day(0)}' SETTINGS mutations_sync = 2`,
    `ALTER TABLE mtc.signal_days DELETE WHERE day = '${day(0)}' SETTINGS mutations_sync = 2`,
    `INSERT INTO mtc.observations
     VALUES ('default', 'fixed', 'execution', toDateTime64('${day(1)} 03:00:00', 6, 'UTC'), 0, NULL, 'READY')`,
  ])
    await engine.maintain(sql);
  await engine.close();
}

let expected: unknown;
/** Counts that were acknowledged. */
let acked = 0;

export type Rebuilding = {
  /** Of bulk: the more, the longer a rebuild takes. */
  batches: number;
  /** What is rebuilt while clients post. */
  asks: { from?: string; to?: string }[];
  /** The phases of a rebuild at which the program is killed. */
  kill_at: string[];
  /** How the program is while the command mends what was damaged; then days that the log does not vouch for are tried as well. */
  mended_while: ("running" | "stopped")[];
};

export function rebuilding({ batches, asks, kill_at, mended_while }: Rebuilding): void {
  test("invariants 2 and 6: rebuilt while clients post: figures as before, every acknowledged count once", async () => {
    const running = await startServer({}, data_dir);
    server = running;
    for (const id of ["bulk", "fixed", "ledger"])
      await running.call("POST", "/api/v1/machines", { id, name: id });
    const observations = Array.from({ length: 72 }, (_, hour) => [
      { signal: "execution", ts: new Date(T0_MS + hour * 3_600_000).toISOString(), value: "ACTIVE" },
      { signal: "execution", ts: new Date(T0_MS + hour * 3_600_000 + 3e6).toISOString(), value: "STOPPED" },
      { signal: "part_count", ts: new Date(T0_MS + hour * 3_600_000 + 2e6).toISOString(), value: hour * 3 },
    ]).flat();
    await running.call("POST", "/internal/machines/fixed/data", { observations });
    for (let batch = 0; batch < batches; batch++) {
      const { status } = await running.call("POST", "/internal/machines/bulk/data", {
        signals: ["spindle_speed"],
        signal: new Array(BATCH_ROWS).fill(0),
        t0: (T0_MS + (batch % 3) * DAY_MS) * 1_000 + batch * 1_000_000_000,
        dt: Array.from({ length: BATCH_ROWS }, (_, i) => i * 50_000),
        seq0: batch * BATCH_ROWS + 1,
        num: Array.from({ length: BATCH_ROWS }, (_, i) => i * 0.5),
      });
      expect(status).toBe(202);
    }
    expected = await figures(running);

    const ledger = new Ledger();
    const posting = ledger.run(() => running);
    for (const ask of asks) {
      const before = ledger.acked;
      await begin(running, ask);
      expect((await running.call("POST", "/api/v1/rebuild", ask)).status).toBe(409);
      const done = await ended(running);
      expect(done).toMatchObject({ phase: "done", error: "", from: ask.from ?? null, to: ask.to ?? null });
      expect(done.events).toBeGreaterThan(3);
      expect(ledger.acked).toBeGreaterThan(before);
      console.log(
        `${done.observations} observations rebuilt in ${done.seconds} s, ${ledger.acked - before} posted`,
      );
    }
    ledger.stop();
    await posting;
    acked = ledger.acked;
    await balance(running, ledger);
    expect(await figures(running)).toEqual(expected);
  });

  if (kill_at.length > 0)
    test("invariants 2 and 6: killed at several moments of a rebuild", async () => {
      const ledger = new Ledger();
      ledger.acked = acked;
      const posting = ledger.run(() => server);
      for (const phase of kill_at) {
        const victim = server as TestServer;
        await begin(victim, {});
        const found = await until(async () => {
          const now = (await job(victim)).phase;
          return now === phase || now === "done" ? now : undefined;
        }, 120);
        console.log(`killed when ${found}, to be ${phase}`);
        await victim.kill();
        server = await startServer({}, data_dir);
        if (onCluster)
          expect(await ended(server)).toMatchObject(
            found === "done" ? { phase: found } : { phase: "failed" },
          );
        else expect((await server.call("GET", "/api/v1/rebuild")).status).toBe(404);
      }
      ledger.stop();
      await posting;
      const running = server as TestServer;
      await balance(running, ledger);
      expect(await figures(running)).toEqual(expected);
      await begin(running, {});
      expect(await ended(running)).toMatchObject({ phase: "done", error: "" });
      await balance(running, ledger);
      expect(await figures(running)).toEqual(expected);
    });

  test("refused: days that are none, a range upside down, a key that may not; the command asks the server", async () => {
    const running = server as TestServer;
    const port = new URL(running.origin).port;
    for (const ask of [
      { from: day(2), to: day(2) },
      { from: "2026-02-30" },
      { from: "yesterday" },
      { since: day(2) },
      { from: "0001-01-01" },
    ]) {
      const { status } = await running.call("POST", "/api/v1/rebuild", ask);
      expect([ask, status]).toEqual([ask, 422]);
    }
    const { body } = await running.call<{ key: string }>("POST", "/api/v1/keys", {
      name: "reader",
      scopes: ["read"],
    });
    for (const method of ["GET", "POST"]) {
      const refused = await running.call(method, "/api/v1/rebuild", method === "POST" ? {} : undefined, {
        "x-api-key": body.key,
      });
      expect(refused.status).toBe(403);
    }
    expect(await command(["--help"], port)).toMatchObject({ code: 0 });
    for (const args of [
      ["--from", "2026-13-01"],
      ["--since", "2026-01-01"],
      ["--from", day(2), "--to", day(1)],
    ])
      expect(await command(args, port)).toMatchObject({ code: 1 });
    expect(await command(["--from", day(1), "--to", day(2)], port)).toMatchObject({ code: 0 });
    expect(await figures(running)).toEqual(expected);
  });

  if (mended_while.length === 0) return;
  // This one and the next are about the embedded engine's directory and SQLite's file.
  test.skipIf(onCluster)(
    `invariant 6: damaged, and mended by the command: ${mended_while.join(", ")}`,
    async () => {
      for (const how of mended_while) {
        await server?.stop();
        expect(await bulkRows()).toBe(batches * BATCH_ROWS);
        await damage();
        if (how === "running") {
          server = await startServer({}, data_dir);
          // What was delivered in the last minutes of running is delivered again, so only the foreign row is sure to show.
          expect(await figures(server)).not.toEqual(expected);
          const done = await command([], new URL(server.origin).port);
          expect(done).toMatchObject({ code: 0 });
          expect(done.output).toContain("done:");
        } else {
          expect(await command(["--from", day(0), "--to", day(2)], NOBODY)).toMatchObject({ code: 0 });
          // From here on the log vouches for less.
          const db = new Database(`${data_dir}/mtc.sqlite`);
          db.run("UPDATE watermark SET position = ? WHERE name = 'purged_ms'", [T0_MS + 1]);
          db.close();
          server = await startServer({}, data_dir);
        }
        expect(await figures(server)).toEqual(expected);
      }
    },
  );

  test.skipIf(onCluster)("refused: days the log does not vouch for", async () => {
    const running = server as TestServer;
    const refused = await command(["--from", day(1)], new URL(running.origin).port);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`the log holds everything from ${day(2)} on`);
    // Everything is narrowed to what the log vouches for; what was before it stays.
    await begin(running, {});
    expect(await ended(running)).toMatchObject({ phase: "done", from: day(2), to: null });
    expect(await figures(running)).toEqual(expected);
  });
}
