// From the release before versions: its data directory is adopted as it is, and figures are the same before and after.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { limit_ms } from "../.ci/limits.ts";
import { releaseBefore } from "./testing/release-before.ts";
import { startServer, type TestServer, tempDir } from "./testing/server.ts";

setDefaultTimeout(limit_ms(300));
const before = releaseBefore();
const data_dir = tempDir();
afterAll(() => {
  before?.remove();
  rmSync(data_dir, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;
const T0 = Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS - 72 * HOUR_MS;
const at = (hour: number): string => new Date(T0 + hour * HOUR_MS).toISOString();
const path = "/api/v1/machines/mill-1";

async function fill(server: TestServer): Promise<void> {
  const observations = Array.from({ length: 48 }, (_, hour) => [
    { signal: "execution", ts: at(hour), value: "ACTIVE" },
    { signal: "part_count", ts: at(hour + 0.5), value: (hour * 7) % 90 },
    { signal: "execution", ts: at(hour + 0.75), value: "INTERRUPTED" },
  ]).flat();
  const shift = {
    name: "early",
    days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    start: "06:00",
    end: "14:00",
  };
  for (const [method, to, body] of [
    ["POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1", group: "hall" }],
    ["PUT", `${path}/calendar`, { timezone: "Europe/Berlin", shifts: [shift] }],
    ["PUT", `${path}/cycle-times`, [{ valid_from: at(0), ideal_cycle_s: 300 }]],
    ["POST", "/internal/machines/mill-1/data", { observations }],
    ["POST", `${path}/rejects`, { ts: at(9), count: 2 }],
    ["POST", `${path}/lots`, { lot: "L1", order: "O1", from: at(20), to: at(30) }],
    ["POST", `${path}/downtime`, { from: at(10.75), to: at(11), reason: "tool" }],
  ] as const)
    expect((await server.call(method, to, body)).status).toBeOneOf([200, 201, 202]);
  await server.settled();
}

/** Everything that is said of the machine, by every cut. */
async function said(server: TestServer): Promise<Record<string, unknown>> {
  const window = `from=${at(0)}&to=${at(48)}`;
  const paths = [
    ...["hour", "shift", "day", "part", "lot", "order", "machine"].map(
      (by) => `${path}/oee?by=${by}&${window}`,
    ),
    `${path}/losses?${window}`,
    `${path}/observations?${window}`,
    `${path}/downtime?${window}`,
    `${path}/calendars`,
    `/sql/?query=${encodeURIComponent("SELECT * FROM state_intervals ORDER BY starts_at LIMIT 90")}`,
  ];
  const found: Record<string, unknown> = {};
  for (const one of paths) {
    const { status, body } = await server.call("GET", one);
    expect([one, status]).toEqual([one, 200]);
    found[one] = body;
  }
  return found;
}

describe.skipIf(!before)("from the release before", () => {
  test("invariant 6: its directory is adopted once, as it is, and goes on", async () => {
    const old = await startServer({}, data_dir, [], before?.root);
    await fill(old);
    const expected = await said(old);
    await old.stop();

    const first = await startServer({}, data_dir);
    expect(await said(first)).toEqual(expected);
    expect(first.output()).toContain("schema: brought to 1.0");
    expect(first.output()).not.toContain("rolled up is done again");
    expect(readFileSync(`${data_dir}/schema_version`, "utf8")).toBe("1.1\n");
    await first.stop();

    const second = await startServer({}, data_dir);
    expect(second.output()).not.toContain("schema:");
    await second.settled();
    expect(await said(second)).toEqual(expected);
    const late = { observations: [{ signal: "execution", ts: at(47.9), value: "ACTIVE" }] };
    await second.call("POST", "/internal/machines/mill-1/data", late);
    await second.settled();
    expect(await said(second)).not.toEqual(expected);
    await second.stop();
  });
});
