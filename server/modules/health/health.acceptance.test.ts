// The page of the system's health, over real HTTP: the same numbers as /readyz and /metrics, and words where one is bad.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "../../testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ MTC_RAW_RETENTION_DAYS: "45" });
  const source = { kind: "mtconnect", url: "http://127.0.0.1:1" };
  await server.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1", source });
});
afterAll(() => discard(server));

const page = async (path: string): Promise<string> => {
  const answer = await fetch(server.origin + path, { headers: { "x-api-key": TEST_KEY } });
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text();
};

/** A figure by its name. */
const figure = (html: string, name: string): string | undefined =>
  new RegExp(`<dt>${name}</dt><dd><b>([^<]*)</b>`).exec(html)?.[1];

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name.replaceAll(/[{}]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);

test("it says what /metrics says", async () => {
  await server.settled();
  await until(async () => metric(await page("/metrics"), 'mtc_part_up{part="sources"}') === 0);
  const [html, metrics] = [await page("/admin/health"), await page("/metrics")];
  expect(figure(html, "State")).toBe("Ready, but a part is down");
  expect(figure(html, "Waiting for analytics")).toBe(`${metric(metrics, "mtc_outbox_events")} events, 0 B`);
  expect(figure(html, "Live screens")).toBe(`${metric(metrics, "mtc_live_readers")} of 1,000`);
  expect(figure(html, "Raw data is kept for")).toBe("45 d");
  expect(figure(html, "Parquet lake")).toBe("off");
  const resident_mb = Number.parseFloat(figure(html, "Memory") ?? "");
  expect(resident_mb / (metric(metrics, "mtc_resident_memory_bytes") / 1e6)).toBeWithin(0.5, 2);
  expect(figure(html, "Requests since the start")).toMatch(/^\d+ served, \d+ refused, 0 failed$/);
  expect(figure(html, "Disk free")).toMatch(/^[\d.,]+ [kMGT]B of [\d.,]+ [kMGT]B$/);
});

test("a source that is away is said in words, with what to do; the figures alone are a fragment", async () => {
  const html = await until(async () => {
    const fragment = await page("/admin/health/figures");
    return fragment.includes("Unreachable") ? fragment : undefined;
  });
  expect(html).not.toContain("<html");
  expect(html).toContain("check power, network and address");
  expect(html).toContain("ECONNREFUSED");
  expect(html).toContain('href="/admin/machines/mill-1"');
  expect(html).toContain("A part is down");
  expect(html).toMatch(
    /Sources, all together<\/th>.*?>down<.*?none of 1 is heard; http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
});

test("/readyz says what is down and since when, the log why: once, and once that it is over", async () => {
  type Ready = { status: string; down: { part: string; since: string; error: string }[]; parts: unknown[] };
  const { status, body } = await server.call<Ready>("GET", "/readyz");
  expect([status, body.status]).toEqual([200, "degraded"]);
  expect(body.down).toMatchObject([{ part: "sources", error: expect.stringContaining("ECONNREFUSED") }]);
  expect(Date.parse(body.down[0]?.since ?? "")).toBeWithin(Date.now() - 600_000, Date.now());
  expect(body.parts).toContainEqual({ part: "store", up: true, age_s: expect.any(Number) });
  const lines = (of: RegExp): string[] =>
    server
      .output()
      .split("\n")
      .filter((line) => of.test(line));
  await until(() => lines(/ source http:\/\/127\.0\.0\.1:1: /).length > 0);
  await server.call("PATCH", "/api/v1/machines/mill-1", { source: { kind: "http" } });
  await until(async () => (await server.call<Ready>("GET", "/readyz")).body.status === "ready");
  expect(lines(/ sources: none of 1 is heard/)).toHaveLength(1);
  expect(lines(/ sources: goes on, after /)).toHaveLength(1);
  expect(lines(/ source http:/)).toHaveLength(1);
});

test("it is for admins", async () => {
  const key = { name: "wall", scopes: ["read"] };
  const { body } = await server.call<{ key: string }>("POST", "/api/v1/keys", key);
  for (const path of ["/admin/health", "/admin/health/figures"]) {
    const { status } = await fetch(server.origin + path, { headers: { "x-api-key": body.key } });
    expect([path, status]).toEqual([path, 403]);
  }
});
