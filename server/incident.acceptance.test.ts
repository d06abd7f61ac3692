// One program and what goes wrong around it: another one on its port or its data, an engine that hangs, SIGTERM meanwhile.
// The tests follow each other: the last one ends the program.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { limit_ms, pace, SLOWNESS, until } from "../.ci/limits.ts";
import { lockFile } from "./file-lock.ts";
import { engineOf } from "./testing/engine-process.ts";
import { keptInSqlite } from "./testing/kept.ts";
import { discard, metric, onCluster, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FROM_MS = Date.parse("2026-01-05T06:00:00Z");
const OEE = "/api/v1/machines/mill-1/oee?from=2026-01-05T06:00:00Z&to=2026-01-05T07:00:00Z";

type Ready = { status: string; down: { part: string; since: string; error: string }[] };
type Problem = { title: string; code?: string };

describe.skipIf(onCluster || process.platform !== "linux")("a program in trouble", () => {
  let server: TestServer;
  let engine = 0;

  beforeAll(async () => {
    server = await startServer({ MTC_DRAIN_S: "5" });
    await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1", source: { kind: "http" } });
    engine = engineOf(server.pid) ?? 0;
  }, limit_ms());
  afterAll(async () => {
    try {
      process.kill(engine, "SIGCONT");
    } catch {
      // It ended with its program.
    }
    await discard(server);
  });

  /** Another program, which is to refuse to start. */
  async function second(env: Record<string, string>): Promise<{ code: number; said: string }> {
    const child = Bun.spawn([process.execPath, `${ROOT}server/main.ts`], {
      cwd: dirname(server.data_dir),
      env: { ...process.env, MTC_MONGO_URL: undefined, MTC_DEMO: "off", MTC_ADMIN_KEY: TEST_KEY, ...env },
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = await new Response(child.stderr).text();
    return { code: await child.exited, said };
  }

  const post = (minute: number, value: string) =>
    server.call("POST", "/internal/machines/mill-1/data", {
      observations: [{ signal: "execution", ts: new Date(FROM_MS + 60_000 * minute).toISOString(), value }],
    });
  const ready = () => server.call<Ready>("GET", "/readyz");

  test("a port that is taken is refused in one line, before anything is touched", async () => {
    const { port } = new URL(server.origin);
    const data_dir = `${server.data_dir}-other`;
    expect(await second({ MTC_PORT: port, MTC_DATA_DIR: data_dir })).toEqual({
      code: 1,
      said: `MTC_PORT=${port}: another running program listens at 127.0.0.1:${port}; stop it, or choose another port\n`,
    });
    expect(existsSync(data_dir)).toBe(false);
  });

  test("a data directory that another program has is refused in one line, with its whole path", async () => {
    const { data_dir, pid } = server;
    const dir = `./${basename(data_dir)}`;
    expect(await second({ MTC_PORT: "0", MTC_DATA_DIR: dir })).toEqual({
      code: 1,
      said: `MTC_DATA_DIR=${data_dir}: another running program, process ${pid}, has this data directory; stop it, or choose another directory\n`,
    });
    expect(server.output()).toContain(`data:          ${data_dir}\n`);
  });

  test("an engine that hangs is told within moments, by what does not wait for it; what is exact says that it is not there yet", async () => {
    process.kill(engine, "SIGSTOP");
    const told = await until(async () => {
      const { status, body } = await ready();
      return body.down.length > 0 && { status, body };
    });
    expect(told).toMatchObject({
      status: 200,
      body: { status: "degraded", down: [{ part: "analytics", error: "no answer within 0.5 s" }] },
    });
    expect(await metric(server, String.raw`mtc_part_up\{part="analytics"\}`)).toBe(0);
    expect(await metric(server, String.raw`mtc_part_up\{part="store"\}`)).toBe(1);
    expect((await server.call("GET", "/healthz")).status).toBe(200);
    expect((await post(30, "ACTIVE")).status).toBe(202);
    const refused = await fetch(`${server.origin}${OEE}`, { headers: { "x-api-key": TEST_KEY } });
    const { code } = (await refused.json()) as Problem;
    expect([refused.status, code, refused.headers.get("retry-after")]).toEqual([
      503,
      "not_in_analytics_yet",
      "2",
    ]);
    process.kill(engine, "SIGCONT");
    await until(async () => (await ready()).body.status === "ready");
    expect((await server.call("GET", OEE)).status).toBe(200);
    const lines = server.output().split("\n");
    expect(lines.filter((line) => / analytics: no answer within/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => / analytics: goes on, after /.test(line))).toHaveLength(1);
  });

  test("invariant 1: SIGTERM while the engine hangs: it drains, answers what is under way, loses nothing and ends in time", async () => {
    process.kill(engine, "SIGSTOP");
    const hanging = fetch(`${server.origin}/sql/?query=SELECT+1`, { headers: { "x-api-key": TEST_KEY } });
    await pace(200);
    const began_ms = performance.now();
    const ended = server.stop();
    const { status, body } = await until(async () => {
      const answer = await ready();
      return answer.body.status === "stopping" && answer;
    });
    expect([status, body.status]).toEqual([503, "stopping"]);
    const late = await server.call<{ event_id: string }>("POST", "/internal/machines/mill-1/data", {
      observations: [{ signal: "execution", ts: "2026-01-05T06:50:00Z", value: "READY" }],
    });
    expect(late.status).toBe(202);
    const answer = await hanging;
    expect([answer.status, ((await answer.json()) as Problem).title]).toEqual([503, "Stopping"]);
    await ended;
    expect(performance.now() - began_ms).toBeLessThan(30_000 * SLOWNESS);
    expect(keptInSqlite(server.data_dir).map(({ id }) => id)).toContain(late.body.event_id);
    expect(server.output()).toContain("analytics: not ended within");
    // What it had is free again, and its engine went with it.
    const lock = lockFile(`${server.data_dir}/lock`);
    expect(lock).toBeDefined();
    lock?.free();
    await until(() => !existsSync(`/proc/${engine}`));
  });
});
