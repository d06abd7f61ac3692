// When the demo starts by itself (SPEC 15.5): where there never was a machine.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { type EventData, type EventType, encodeData, encodeEvent } from "../ingest/event.ts";
import { openSqlite } from "../ingest/store/sqlite.ts";
import type { NewEvent, Store } from "../ingest/store/store.ts";
import { neverHadMachine } from "./demo.ts";
import { tempDir } from "./testing/server.ts";

const dir = tempDir();
let store: Store;
beforeAll(async () => {
  store = await openSqlite({ file: `${dir}/log.sqlite`, max_outbox_bytes: 1 << 20 });
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

let n = 0;
function event(type: EventType, machine_id: string, data: EventData): NewEvent {
  n += 1;
  const header = {
    id: `01J${String(n).padStart(23, "0")}`,
    type,
    tenant_id: "default",
    machine_id,
    time_ms: n,
  };
  return { header, bytes: encodeEvent(header, encodeData(data)), rows: 0 };
}
const machine = (deleted: boolean): NewEvent =>
  event("mtc.machine.v1", "mill-1", { machine: { name: "Mill 1", deleted } });
const EMPTY = { signals: [], signal: [], t0: 0, dt: [] };

test("reasons alone are no machine; one that was deleted stays gone, and no demo takes its place", async () => {
  expect(await neverHadMachine(store)).toBe(true);
  // What is in it does not matter here.
  await store.commit({ events: [event("mtc.reasons.v1", "", EMPTY)] });
  expect(await neverHadMachine(store)).toBe(true);
  await store.commit({ events: [machine(false)] });
  expect(await neverHadMachine(store)).toBe(false);
  await store.deleteMachine("default", "mill-1", machine(true));
  expect(await neverHadMachine(store)).toBe(false);
});
