// Retention under a clock that somebody sets (SPEC 14.2): what is not old does not go, and what is old goes in the end.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { encodeTime } from "ulid";
import { encodeEvent } from "../ingest/event.ts";
import { openSqlite } from "../ingest/store/sqlite.ts";
import type { Store } from "../ingest/store/store.ts";
import { SetClock } from "../ingest/testing/set-clock.ts";
import { Retention } from "./retention.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 30;

const dir = mkdtempSync(`${tmpdir()}/mtc-retention-`);
let store: Store;
let files = 0;
let host: SetClock;
/** The times by which analytics was told to drop what is old. */
let expired_ms: number[];

beforeEach(async () => {
  await store?.close();
  store = await openSqlite({ file: `${dir}/${++files}.sqlite`, max_outbox_bytes: 1 << 20 });
  host = new SetClock();
  expired_ms = [];
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

/** What a start makes. */
const start = (): Retention =>
  new Retention({
    store,
    engine: { expire: async (now_ms) => void expired_ms.push(now_ms) },
    raw_retention_days: DAYS,
    ...host.seam,
  });
const free = async (): Promise<boolean> => false;
async function hours(retention: Retention, n: number): Promise<void> {
  for (let hour = 0; hour < n; hour++) {
    host.run(HOUR_MS);
    await retention.run(free);
  }
}

/** Observations, delivered, that were taken so many days ago. */
async function taken(...days: number[]): Promise<void> {
  const events = days.map((ago, i) => {
    const time_ms = host.wall_ms - ago * DAY_MS;
    const id = `${encodeTime(time_ms, 10)}${String(i).padStart(16, "0")}`;
    const header = { id, type: "mtc.observations.v1", tenant_id: "t", machine_id: "m", time_ms } as const;
    return { header, bytes: encodeEvent(header, new TextEncoder().encode("{}")), rows: 1 };
  });
  await store.commit({ events });
  const { events: read } = await store.readOutbox(100, 1 << 20);
  await store.delivered(read.at(-1)?.position ?? 0);
}
const kept = async (): Promise<number> =>
  (await store.readLog({ after: 0, upto: 1_000, since_ms: 0 }, 100, 1 << 20)).events.length;

test("40 days ahead for three minutes: nothing goes that is not old, neither from the log nor from analytics", async () => {
  await taken(29.9, 20, 10, 0);
  const retention = start();
  await hours(retention, 1);
  host.run(HOUR_MS - 60_000);
  host.set(40 * DAY_MS);
  host.run(60_000);
  await retention.run(free);
  expect([await kept(), expired_ms.at(-1)]).toEqual([4, host.wall_ms - 40 * DAY_MS]);
  host.run(120_000);
  host.set(-40 * DAY_MS);
  await hours(retention, 1);
  expect([await kept(), expired_ms.at(-1)]).toEqual([3, host.wall_ms]);
});

test("a start with a clock that is 40 days ahead begins where retention stood: what is not old is there for days", async () => {
  await taken(20, 10, 0);
  await hours(start(), 2);
  host.set(40 * DAY_MS);
  const retention = start();
  await hours(retention, 24);
  expect(await kept()).toBe(3);
  // Whatever it says, that clock is the one there is: the disk stays bounded (invariant 7).
  await hours(retention, 200);
  expect([await kept(), expired_ms.at(-1)]).toEqual([0, host.wall_ms]);
});

test("set back, it waits; after weeks in which nothing ran it has caught up within days", async () => {
  await taken(31, 29, 0);
  await hours(start(), 1);
  expect(await kept()).toBe(2);
  host.set(-10 * DAY_MS);
  await hours(start(), 1);
  expect(expired_ms.at(-1)).toBe(host.wall_ms);
  host.set(31 * DAY_MS);
  const retention = start();
  await hours(retention, 1);
  expect(await kept()).toBe(2);
  await hours(retention, 31 * 4);
  expect([await kept(), expired_ms.at(-1)]).toEqual([1, host.wall_ms]);
});

test("a clock that says 2020 for hours sets back nothing that is kept: right again, retention goes on where it stood", async () => {
  await taken(31, 0);
  await hours(start(), 1);
  const stood_ms = host.wall_ms;
  host.set(-2_000 * DAY_MS);
  const retention = start();
  await hours(retention, 3);
  expect([expired_ms.at(-1), await retention.time_ms()]).toEqual([host.wall_ms, host.wall_ms]);
  host.set(2_000 * DAY_MS);
  await hours(start(), 1);
  expect(expired_ms.at(-1)).toBeWithin(stood_ms, host.wall_ms + 1);
});

test("who is restarted within each hour gets on, and who takes over counts no idle weeks of its own", async () => {
  await taken(20, 0);
  await hours(start(), 1);
  const other = start();
  const stood_ms = await store.retentionTime_ms();
  host.set(40 * DAY_MS);
  for (let i = 0; i < 10; i++) {
    const retention = start();
    host.run(HOUR_MS / 2);
    await retention.end();
  }
  expect(await store.retentionTime_ms()).toBe(stood_ms + 8 * 5 * HOUR_MS);
  host.run(21 * DAY_MS);
  host.set(-40 * DAY_MS);
  await hours(other, 1);
  expect(expired_ms.at(-1)).toBeLessThanOrEqual(stood_ms + 8 * 5 * HOUR_MS + 16 * HOUR_MS);
});

test("a log that no such retention has seen yet is judged from its newest event on", async () => {
  await taken(29, 0);
  host.set(40 * DAY_MS);
  const retention = start();
  await retention.begin();
  expect(await store.retentionTime_ms()).toBe(host.wall_ms - 40 * DAY_MS);
  await hours(retention, 1);
  expect(await kept()).toBe(2);
  await start().begin();
  expect(await store.retentionTime_ms()).toBe(expired_ms.at(-1) ?? 0);
});

test("while somebody counts on what there is, nothing goes", async () => {
  await taken(31, 0);
  const retention = start();
  host.run(HOUR_MS);
  await retention.run(async () => true);
  expect([await kept(), expired_ms]).toEqual([2, []]);
});
