// The whole program on MongoDB as its store: HTTP in, figures out, stopped and started, rebuilt from the log with equal figures.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { MONGO_ENGINES, type MongoServer } from "../ingest/testing/mongo.ts";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { type Services, startServices } from "./services.ts";
import { callTo, emptied, TEST_KEY, tempDir } from "./testing/server.ts";

setDefaultTimeout(limit_ms(240));
const T0_MS = Date.parse("2026-01-05T06:00:00Z");
const WINDOW = "from=2026-01-05T06:00:00Z&to=2026-01-05T14:00:00Z";
/** The real one where it is given, else the nearest to it. chDB takes one data directory a process. */
const engine = MONGO_ENGINES.findLast(({ start }) => start);

describe.skipIf(!engine)(`the program on ${engine?.name ?? "MongoDB"}`, () => {
  const data_dir = tempDir();
  let server: MongoServer;
  let services: Services;
  let app: ReturnType<typeof createApp>;

  async function start(): Promise<void> {
    const config = parseConfig({ MTC_DATA_DIR: data_dir, MTC_ADMIN_KEY: TEST_KEY, MTC_DEMO: "off" });
    const mongo_url = server.url("program");
    services = await startServices({ ...config, raw_retention_days: 36_500, mongo_url }, () => {});
    app = createApp(services).listen({ hostname: "127.0.0.1", port: 0 });
  }
  async function stop(): Promise<void> {
    await app.stop(true);
    await services.stop();
  }
  beforeAll(async () => {
    server = (await engine?.start?.()) as MongoServer;
    await start();
  });
  afterAll(async () => {
    await stop();
    await server.stop();
    rmSync(data_dir, { recursive: true, force: true });
  });

  const call = <T>(method: string, path: string, body?: unknown, key = "") =>
    callTo(`http://127.0.0.1:${app.server?.port}`)<T>(
      method,
      path,
      body,
      key ? { "idempotency-key": key } : {},
    );
  const settled = () => emptied(call, 120);
  const figures = async (): Promise<unknown> => {
    await settled();
    return (await call<{ rows: unknown[] }>("GET", `/api/v1/machines/mill-1/oee?${WINDOW}`)).body.rows[0];
  };
  const at = (minute: number, signal: string, value: string | number) => ({
    signal,
    ts: new Date(T0_MS + minute * 60_000).toISOString(),
    value,
  });
  let before: unknown;

  test("invariants 1 and 2: what is posted, twice under its key, becomes figures once", async () => {
    expect((await call<{ store: unknown }>("GET", "/readyz")).body.store).toEqual({
      engine: "mongodb",
      lacks: [],
    });
    await call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
    await call("PUT", "/api/v1/machines/mill-1/calendar", {
      timezone: "UTC",
      shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00", breaks: [] }],
    });
    await call("PUT", "/api/v1/machines/mill-1/cycle-times", [
      { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 60 },
    ]);
    const observations = [
      at(0, "execution", "ACTIVE"),
      at(0, "part_count", 0),
      at(240, "part_count", 180),
      at(240, "execution", "STOPPED"),
      at(480, "execution", "ACTIVE"),
    ];
    const ids = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const { status, body } = await call<{ event_id: string }>(
        "POST",
        "/internal/machines/mill-1/data",
        { observations },
        "once",
      );
      expect(status).toBe(202);
      ids.add(body.event_id);
    }
    expect(ids.size).toBe(1);
    before = await figures();
    expect(before).toMatchObject({ availability: 0.5, total_count: 180, oee: 0.375 });
  });

  test("stopped and started: the machine is there, and no figure has changed", async () => {
    await stop();
    await start();
    expect((await call<{ rows: { id: string }[] }>("GET", "/api/v1/machines")).status).toBe(200);
    expect(await figures()).toEqual(before);
  });

  test("invariant 6: rebuilt from the log every figure is the same", async () => {
    expect((await call("POST", "/api/v1/rebuild", {})).status).toBe(202);
    const job = await until(async () => {
      const { body } = await call<{ phase: string; error: string; events: number }>("GET", "/api/v1/rebuild");
      return body.phase === "done" || body.phase === "failed" ? body : undefined;
    }, 120);
    expect(job).toMatchObject({ phase: "done", error: "" });
    expect(job.events).toBeGreaterThanOrEqual(4);
    expect(await figures()).toEqual(before);
  });
});
