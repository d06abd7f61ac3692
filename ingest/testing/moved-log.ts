// A log in SQLite of everything that a log may hold, for tests of taking one elsewhere.
import { afterAll, beforeAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type EventHeader, encodeData, encodeEvent } from "../event.ts";
import type { LoggedEvent } from "../store/moving.ts";
import { openSqlite } from "../store/sqlite.ts";
import { SqliteReader } from "../store/sqlite-reader.ts";
import type { NewEvent, User } from "../store/store.ts";

export function event(n: number, key?: string): NewEvent {
  const header: EventHeader = {
    id: `01J${String(n).padStart(23, "0")}`,
    type: n === 1 ? "mtc.machine.v1" : "mtc.observations.v1",
    tenant_id: "plant-1",
    machine_id: `press-${n % 3}`,
    time_ms: 1_767_592_800_000 + n,
  };
  const data = encodeData({ signals: ["load"], signal: [0], t0: n, dt: [0], num: [n / 3] });
  return {
    header,
    bytes: encodeEvent(header, data),
    rows: 1,
    ...(key === undefined ? {} : { dedupe: { key, body_hash: `hash of ${key}` } }),
  };
}

export const olga: User = {
  id: "u1",
  tenant_id: "plant-1",
  name: "Olga",
  login: "olga",
  password_hash: "$argon2id$",
  role: "operator",
  disabled: false,
  created_ms: 1,
};

export const dir = mkdtempSync(`${tmpdir()}/mtc-moving-`);
const file = `${dir}/mtc.sqlite`;
export let reader: SqliteReader;
export let all: LoggedEvent[] = [];

beforeAll(async () => {
  const store = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
  for (let n = 1; n <= 9; n++) await store.commit({ events: [event(n, n === 5 ? "five" : undefined)] });
  const checkpoint = { agent: "http://agent/", instance_id: "7", next_sequence: 11 };
  await store.commit({
    events: [],
    checkpoint,
    open_gap: { machine_id: "press-1", from_us: 5, cause: "unreachable" },
  });
  await store.putUser(olga, false);
  await store.readOutbox(100, 1 << 20);
  await store.setAside(6, "cannot be");
  await store.delivered(7);
  // Of what was taken before the fourth the configuration stays.
  while ((await store.purge(event(4).header.time_ms)) > 0);
  await store.close();
  reader = new SqliteReader(file);
  all = reader.read(0, 100, 1 << 20);
});
afterAll(() => {
  reader.close();
  rmSync(dir, { recursive: true, force: true });
});
