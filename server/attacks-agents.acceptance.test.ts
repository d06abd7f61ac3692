// Hostile agents at a running program: it answers on, and what they say of themselves takes no room anywhere (SPEC 16.1).
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms, until } from "../.ci/limits.ts";
import { oracleXml } from "../ingest/sources/mtconnect/xml-oracle.ts";
import { HostileAgents, UNREADABLE } from "./testing/hostile-agents.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(120));

const agents = new HostileAgents(UNREADABLE);

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await discard(server);
  await agents.stop();
});

type Ready = { sources: { name: string; error: string }[] };

test("invariant 7: while agents send what nobody can read, the program answers; their words are cut", async () => {
  const began_ms = performance.now();
  oracleXml(UNREADABLE.items as Uint8Array);
  const tree_ms = performance.now() - began_ms;
  for (const [name, url] of agents.urls) {
    const source = { kind: "mtconnect", url };
    expect((await server.call("POST", "/api/v1/machines", { id: name, name, source })).status).toBe(201);
  }
  let longest_ms = 0;
  const rest = new Set(agents.urls.keys());
  const errors = await until(async () => {
    for (let i = 0; i < 5; i++) {
      const asked_ms = performance.now();
      expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
      longest_ms = Math.max(longest_ms, performance.now() - asked_ms);
    }
    const { body } = await server.call<Ready>("GET", "/readyz");
    for (const { name, error } of body.sources) if (error !== "") rest.delete(name.split("/").at(-1) ?? "");
    const all = rest.size === 0 && [...agents.asked.values()].every((n) => n > 1);
    return all ? body.sources.map(({ error }) => error) : undefined;
  });
  console.log(
    `longest /healthz ${longest_ms.toFixed(0)} ms; a tree made at once would take ${tree_ms.toFixed(0)} ms`,
  );
  expect(longest_ms).toBeLessThan(tree_ms / 2);
  expect(
    errors
      .map((error) => error.length)
      .sort((a, b) => a - b)
      .at(-1),
  ).toBe(500);
  for (const path of ["/readyz", "/metrics", "/admin/machines", "/admin/machines/words", "/admin/health"]) {
    const answer = await fetch(server.origin + path, { headers: { "x-api-key": TEST_KEY } });
    expect(answer.status).toBe(200);
    expect((await answer.text()).length).toBeLessThan(200_000);
  }
  const { body } = await server.call("GET", "/api/v1/machines/words/gaps?from=2026-01-01T00:00:00Z");
  expect(JSON.stringify(body).length).toBeLessThan(5_000);
});
