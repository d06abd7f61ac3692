// A copy of the store while it is written to, and one that is cut at a time (SPEC 14.9).
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { ulid } from "ulid";
import { type EventData, type EventType, encodeData, encodeEvent } from "../event.ts";
import { openSqlite } from "./sqlite.ts";
import { copyStore, cutStore, standingOf } from "./sqlite-copy.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import type { Machine, NewEvent, Store } from "./store.ts";

const folder = mkdtempSync(`${tmpdir()}/mtc-copy-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const T0_MS = Date.parse("2026-11-30T00:00:00Z");
const hour = (n: number): number => T0_MS + n * 3_600_000;
const tenant_id = "default";
let [n, file, copy] = [0, "", ""];
let store: Store;
beforeEach(async () => {
  n += 1;
  [file, copy] = [`${folder}/${n}.sqlite`, `${folder}/${n}.copy.sqlite`];
  store = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
});

function event(at: number, type: EventType, data: EventData, machine_id = "mill-1"): NewEvent {
  const header = { id: ulid(hour(at)), type, tenant_id, machine_id, time_ms: hour(at) };
  return { header, bytes: encodeEvent(header, encodeData(data)), rows: 0 };
}
/** @param of the hour that it is about */
const observed = (at: number, of = at): NewEvent =>
  event(at, "mtc.observations.v1", {
    signals: ["load"],
    signal: [0],
    t0: hour(of) * 1_000,
    dt: [0],
    num: [1],
  });
const gap = (at: number, from: number, to: number): NewEvent =>
  event(at, "mtc.gap.v1", {
    gap: { from_us: hour(from) * 1_000, to_us: to && hour(to) * 1_000, cause: "unreachable", detail: "" },
  });

const machine = (id: string, kind: string): Machine => ({
  id,
  tenant_id,
  name: id,
  group: "",
  source: { kind },
  calendar: null,
  cycle_times: null,
  policy: null,
  rules: [],
  demo: false,
  created_ms: hour(0),
  source_since_ms: hour(0),
});

async function copied(): Promise<void> {
  await store.close();
  const log = new SqliteReader(file);
  copyStore(log, copy, standingOf(log, log.delivered()));
  log.close();
}

/** The store that a program finds. */
async function opened<T>(look: (store: Store) => Promise<T>): Promise<T> {
  const found = await openSqlite({ file: copy, max_outbox_bytes: 1 << 20 });
  const seen = await look(found);
  await found.close();
  return seen;
}

test("invariant 2: what comes and is delivered while analytics is copied waits in the copy, and nothing else", async () => {
  await store.commit({ events: [observed(1), observed(2)] });
  await store.delivered(1);
  await store.close();
  store = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
  const log = new SqliteReader(file);
  const standing = standingOf(log, log.delivered());
  await store.commit({ events: [observed(3)] });
  await store.delivered(3);
  copyStore(log, copy, standing);
  log.close();
  await store.commit({ events: [observed(4)] });
  await store.close();
  expect(standing).toEqual({ delivered: 1, last: 2, waiting: 1 });
  const outbox = await opened(async (found) => {
    await found.rewind("settled");
    return found.readOutbox(10, 1 << 20);
  });
  expect(outbox.events.map(({ position }) => position)).toEqual([2, 3]);
});

test("what was purged before analytics was copied is in neither: there is no copy", async () => {
  await store.commit({ events: [observed(1)] });
  const log = new SqliteReader(file);
  const standing = standingOf(log, log.delivered());
  await store.delivered(1);
  expect(await store.purge(hour(2))).toBe(1);
  expect(() => copyStore(log, copy, standing)).toThrow("purged from the log before analytics was copied");
  log.close();
  await store.close();
});

test("what was received by then stays, though an agent's clock or the host's was far ahead", async () => {
  const [ahead, jumped, both] = [observed(1), observed(2), observed(9)];
  ahead.header.time_ms = hour(900);
  jumped.header.id = ulid(hour(900));
  await store.commit({ events: [ahead, jumped, both] });
  await copied();
  expect(cutStore(copy, { until_ms: hour(6), whole_from_ms: 0 })).toBe(1);
  expect(await opened((found) => found.logState())).toMatchObject({ last: 2 });
});

test("invariants 4 and 6: cut at a time, the log ends there, all of it waits, and sources are met as they were then", async () => {
  const along = { agent: "http://agent", instance_id: "1", next_sequence: 900, known_us: hour(9) * 1_000 };
  await store.commit({ events: [observed(1)], machine: machine("mill-1", "mtconnect"), checkpoint: along });
  await store.commit({ events: [], machine: machine("saw", "modbus") });
  await store.commit({ events: [], machine: machine("hand", "http") });
  await store.commit({ events: [gap(2, 2, 0), gap(3, 3, 0), gap(4, 3, 3)] });
  await store.commit({
    events: [observed(6), gap(7, 2, 7), event(8, "mtc.reasons.v1", { reasons: NO_REASONS })],
  });
  await store.setAside(5, "cannot be");
  await store.delivered(7);
  await copied();
  expect(cutStore(copy, { until_ms: hour(6) - 1, whole_from_ms: 0 })).toBe(3);
  const seen = await opened(async (found) => ({
    log: await found.logState(),
    outbox: (await found.readOutbox(10, 1 << 20)).events.map(({ position }) => position),
    checkpoint: await found.checkpoint("http://agent"),
    gaps: await found.openGaps("mill-1"),
    poison: await found.poison(tenant_id, 10),
    since: (await found.machines()).map(({ id, source_since_ms }) => [id, source_since_ms]),
  }));
  expect(seen).toEqual({
    log: { last: 4, delivered: 0, purged_before_ms: 0 },
    outbox: [1, 2, 3, 4],
    checkpoint: undefined,
    gaps: [{ machine_id: "mill-1", from_us: hour(2) * 1_000, cause: "unreachable" }],
    poison: [],
    // Lost before, missed since then; nobody asks of what is posted.
    since: [
      ["hand", hour(0)],
      ["mill-1", hour(2)],
      ["saw", hour(6) - 1],
    ],
  });
});

const NO_REASONS = {
  code: [],
  name: [],
  parent: [],
  policy: [],
  category: [],
  treatment: [],
  loss: [],
  rule_code: [],
  rule_condition: [],
  rule_native: [],
  rule_machines: [],
  since_us: 0,
};

test("invariant 4: a source that was being caught up with at that time is met as far as it had told", async () => {
  await store.commit({ events: [observed(1, 1)], machine: machine("mill-1", "mtconnect") });
  // Contact is back, and its gap taken back, before the buffer is read to its end.
  await store.commit({ events: [gap(2, 2, 0), gap(5, 2, 2), observed(5, 2), observed(6, 4)] });
  await copied();
  expect(cutStore(copy, { until_ms: hour(6) - 1, whole_from_ms: 0 })).toBe(1);
  const since = await opened(async (found) => (await found.machines()).map((one) => one.source_since_ms));
  expect(since).toEqual([hour(2)]);
});

test.each<[string, NewEvent, RegExp]>([
  [
    "a machine was changed",
    event(5, "mtc.machine.v1", { machine: { name: "Mill", group: "", deleted: false } }),
    /the machine mill-1 was made, changed or deleted at 2026-\S+, and what it was before is not in this backup/,
  ],
  [
    "an old day was told of",
    observed(5, 1),
    /after that time mill-1 told something of 2026-.*not all in the log/,
  ],
])("refused, since nobody can tell what was before: %s", async (_, later, words) => {
  await store.commit({ events: [observed(3)], machine: machine("mill-1", "http") });
  await store.commit({ events: [later] });
  await copied();
  expect(() => cutStore(copy, { until_ms: hour(4), whole_from_ms: hour(2) })).toThrow(words);
  expect((await opened((found) => found.logState())).last).toBe(2);
});
