// A query that heeds no cancelling, asked with a read key: it is ended with the engine, and everything else goes on.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { engineOf } from "./testing/engine-process.ts";
import { askSql, codeOf, LAMBDA, newReader, PATTERN } from "./testing/hostile-sql.ts";
import { discard, metric, signInOnce, startServer, type TestServer } from "./testing/server.ts";

let server: TestServer;
let cookie: string;
beforeAll(async () => {
  server = await startServer();
  cookie = (await signInOnce(server)).headers.get("set-cookie")?.split(";")[0] ?? "";
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
});
afterAll(() => discard(server));

const newKey = (name: string): Promise<string> => newReader(server, name);
const ask = (key: string, query: string): Promise<Response> => askSql(server.origin, key, query);

test.skipIf(process.platform !== "linux")(
  "invariants 1, 2, 6 and 7: a query that heeds nothing is ended past its bound, with the engine; whoever asked is refused",
  async () => {
    const [lambda = "", pattern = "", other = ""] = await Promise.all(
      ["lambda", "pattern", "other"].map(newKey),
    );
    const before = engineOf(server.pid);
    expect(readFileSync(`/proc/${before}/oom_score_adj`, "utf8").trim()).toBe("1000");
    const post = (n: number) =>
      server.call("POST", "/internal/machines/mill-1/data", {
        observations: [{ signal: "part_count", ts: new Date(Date.UTC(2026, 0, 5) + n * 1_000), value: n }],
      });
    let [sent, running] = [0, true];
    const sending = (async () => {
      while (running) {
        expect((await post(sent)).status).toBe(202);
        sent += 1;
        await pace(100);
      }
    })();
    const began_ms = performance.now();
    const [sorted, matched] = await Promise.all([ask(lambda, LAMBDA), ask(pattern, PATTERN)]);
    const took_ms = performance.now() - began_ms;
    expect(["159", "241"]).toContain(String(codeOf(sorted)));
    expect(codeOf(matched)).toBe("159");
    // 30 s, two more, and what a busy machine adds.
    expect(took_ms).toBeLessThan(limit_ms());
    // The engine is another one, and does what it did.
    await until(async () => (await metric(server, "mtc_engine_up")) === 1);
    expect(await metric(server, "mtc_engine_restarts")).toBe(1);
    expect(engineOf(server.pid)).not.toBe(before);
    const again = await ask(pattern, "SELECT 1");
    expect(again.status).toBe(429);
    expect(Number(again.headers.get("retry-after"))).toBeWithin(500, 601);
    expect(await (await ask(other, "SELECT 1")).text()).toBe("1\n");
    await until(() =>
      readFileSync(`${server.data_dir}/security.log`, "utf8")
        .split("\n")
        .some((line) => line.includes("ended the engine") && line.includes('"who":"pattern"')),
    );
    running = false;
    await sending;
    await server.settled();
    const { body } = await server.call<{ rows: { total_count: number }[] }>(
      "GET",
      "/api/v1/oee?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z&by=machine",
    );
    expect(body.rows[0]?.total_count).toBe(sent - 1);
    const health = await fetch(`${server.origin}/admin/health/figures`, { headers: { cookie } });
    expect(await health.text()).toContain("started again 1 ×");
  },
  limit_ms(150),
);
