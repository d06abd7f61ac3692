// The whole program on a host whose clock is set under it: parts are those that were made, nothing an agent told is lost.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { fakedBy, findFaketime } from "../.ci/faketime.ts";
import { until } from "../.ci/limits.ts";
import { ScriptedDevice } from "../ingest/sources/modbus/scripted-device.ts";
import { ScriptedAgent } from "../ingest/sources/mtconnect/scripted-agent.ts";
import { discard, startServer, type TestServer, tempDir } from "./testing/server.ts";

const library = findFaketime();
const DAY_MS = 86_400_000;
const FIRST = 14_000;

describe.skipIf(library === undefined)("the host's clock", () => {
  let server: TestServer;
  let module: ScriptedDevice;
  let agent: ScriptedAgent;
  let making: Timer;
  let count = FIRST;
  const began = new Date(Date.now() - 1_000).toISOString();
  const dir = tempDir();
  const file = `${dir}/clock`;
  /** Puts the host's clock so far from what it is. */
  const set = (to: string): void => writeFileSync(file, `${to}\n`);

  beforeAll(async () => {
    set("+0");
    const env = { ...fakedBy(library ?? "", file), MTC_RAW_RETENTION_DAYS: "30" };
    [server, module] = await Promise.all([startServer(env), ScriptedDevice.start()]);
    agent = new ScriptedAgent();
    show();
    making = setInterval(() => {
      count += 1;
      show();
      agent.add("m1-speed", String(count));
    }, 50);
    const map = [
      { signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" },
    ];
    const sources = {
      press: { kind: "modbus", host: "127.0.0.1", port: module.port, map, poll_ms: 50 },
      lathe: { kind: "mtconnect", url: agent.url, device: "uuid-1" },
    };
    for (const [id, source] of Object.entries(sources))
      expect((await server.call("POST", "/api/v1/machines", { id, name: id, source })).status).toBe(201);
    await until(async () => (await parts()) > 0);
    await until(async () => (await speeds()).length > 0);
  });
  afterAll(async () => {
    clearInterval(making);
    await discard(server);
    await module.stop();
    await agent.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const show = (): void => void module.registers.splice(0, 2, count % 65_536, Math.floor(count / 65_536));
  async function rows<Row>(path: string, more = ""): Promise<Row[]> {
    const to = new Date(Date.now() + 60_000).toISOString();
    const url = `/api/v1/machines/${path}?from=${began}&to=${to}${more}`;
    const { body } = await server.call<{ rows: Row[] }>("GET", url);
    return body.rows ?? [];
  }
  const parts = async () =>
    (await rows<{ total_count: number }>("press/oee", "&by=total"))[0]?.total_count ?? 0;
  const speeds = () => rows<{ value: number }>("lathe/observations", "&signal=spindle_speed&limit=100000");
  const down = async (part: string) => {
    const { body } = await server.call<{ down: { part: string; error: string }[] }>("GET", "/readyz");
    return body.down.find((one) => one.part === part)?.error;
  };
  const jumps = () =>
    rows<{ from: string; to: string | null; cause: string }>("press/gaps").then((gaps) =>
      gaps.filter(({ cause }) => cause === "clock_jump"),
    );
  /** What was made by now is counted, and no more than that: within what is made while it is asked. */
  const counts = async (): Promise<void> => {
    const made = count - FIRST;
    await until(async () => (await parts()) >= made);
    expect(await parts()).toBeLessThanOrEqual(count - FIRST);
  };

  test("invariants 3 and 4: two seconds back: parts are those that were made, and the change is a gap", async () => {
    set("-2");
    await until(async () => (await down("clock"))?.includes("was set 2.0 s back"));
    await until(async () => (await down("clock")) === undefined);
    await until(async () => (await jumps()).length === 1);
    await counts();
    expect(server.output()).toContain("clock: the host's clock was set 2.0 s back");
  });

  /** Whatever the agent tells while the host's clock is set is taken. */
  async function tellsAll(to: string, clock: string): Promise<void> {
    set(to);
    await until(async () => (await down("clock"))?.includes(clock));
    const from = count;
    await until(() => count > from + 40);
    set("-2");
    await until(async () => (await down("clock")) === undefined);
    await until(async () => (await speeds()).some(({ value }) => value > from + 40));
    const told = new Set((await speeds()).map(({ value }) => value));
    for (let value = from; value <= from + 40; value++) expect(told).toContain(value);
    const { body } = await server.call<{ rows: { cause: string }[] }>(
      "GET",
      `/api/v1/machines/lathe/gaps?from=${began}`,
    );
    expect(body.rows.filter(({ cause }) => cause === "torn_record")).toEqual([]);
    await counts();
  }

  test("invariant 4: 40 days ahead for a moment: what the agent tells is taken, of modules nothing is told of those days", async () => {
    await tellsAll("+40d", "s ahead");
    const gaps = await jumps();
    expect(gaps).toHaveLength(2);
    for (const { to } of gaps) expect(Date.parse(to ?? "")).toBeLessThan(Date.now() + DAY_MS);
  });

  test("invariant 4: three days behind, whatever the agent tells is taken and kept", async () => {
    await tellsAll("-3d", "s back");
  });
});
