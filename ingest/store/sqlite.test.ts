// The embedded store keeps the contract, and its own bounds.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { until } from "../../.ci/limits.ts";
import { type EventHeader, encodeEvent } from "../event.ts";
import { openSqlite } from "./sqlite.ts";
import { storeContract } from "./store.contract.ts";
import { DiskFull, type NewEvent, Overloaded } from "./store.ts";

const dir = mkdtempSync(`${tmpdir()}/mtc-sqlite-`);
let file = "";
let n = 0;
afterAll(() => {
  unmount();
  rmSync(dir, { recursive: true, force: true });
});

storeContract(
  "SQLite",
  () => openSqlite({ file, max_outbox_bytes: 1 << 20 }),
  () => {
    n += 1;
    file = `${dir}/${n}.sqlite`;
  },
);

function sized(bytes: number, id: string): NewEvent {
  const header: EventHeader = {
    id,
    type: "mtc.observations.v1",
    tenant_id: "plant-1",
    machine_id: "press-1",
    time_ms: 1,
  };
  return { header, bytes: encodeEvent(header, new Uint8Array(bytes).fill(0x20)), rows: 1 };
}

test("invariant 7: a full outbox refuses, stores nothing, and takes again when it is drained", async () => {
  const store = await openSqlite({ file: `${dir}/bound.sqlite`, max_outbox_bytes: 10_000 });
  await store.commit({ events: [sized(20_000, "a")] });
  const refused = await store.commit({ events: [sized(10, "b")] }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Overloaded);
  const { events } = await store.readOutbox(10, 1 << 20);
  expect(events.map(({ id }) => id)).toEqual(["a"]);
  await store.delivered(events[0]?.position ?? 0);
  expect(await store.commit({ events: [sized(10, "c")] })).toMatchObject([{ outcome: "stored" }]);
  await store.close();
});

test("invariant 7: what is on its way to the disk is bounded", async () => {
  const store = await openSqlite({ file: `${dir}/flight.sqlite`, max_outbox_bytes: 1 << 30 });
  const sends = Array.from({ length: 12 }, (_, i) => store.commit({ events: [sized(8 << 20, `f${i}`)] }));
  const settled = await Promise.allSettled(sends);
  const refused = settled.filter((one) => one.status === "rejected");
  expect(refused.length).toBe(12 - 7);
  expect(refused.every(({ reason }) => reason instanceof Overloaded)).toBe(true);
  expect((await store.outboxDepth()).events).toBe(7);
  await store.close();
});

test("a commit's bytes are handed to the store's thread, not copied", async () => {
  const store = await openSqlite({ file: `${dir}/transfer.sqlite`, max_outbox_bytes: 1 << 20 });
  const event = sized(1_000, "a");
  const { buffer } = event.bytes;
  await store.commit({ events: [event] });
  expect(buffer.byteLength).toBe(0);
  // Again it is refused, and nobody else with it.
  const [again, other] = await Promise.allSettled([
    store.commit({ events: [event] }),
    store.commit({ events: [sized(10, "b")] }),
  ]);
  expect([again.status, other.status]).toEqual(["rejected", "fulfilled"]);
  await store.close();
});

test("of commits that travel together each has an outcome of its own", async () => {
  const store = await openSqlite({ file: `${dir}/together.sqlite`, max_outbox_bytes: 1 << 20 });
  const keyed = (id: string, body_hash: string) => ({ ...sized(10, id), dedupe: { key: "k", body_hash } });
  // A name that is missing cannot be stored: the group fails, and each is tried alone.
  const broken = {
    ...sized(10, "x"),
    header: { ...sized(10, "x").header, tenant_id: null as unknown as string },
  };
  const outcomes = await Promise.allSettled(
    [keyed("a", "1"), broken, keyed("b", "1"), keyed("c", "2")].map((event) =>
      store.commit({ events: [event] }),
    ),
  );
  expect(outcomes.map((one) => (one.status === "fulfilled" ? one.value[0]?.outcome : "failed"))).toEqual([
    "stored",
    "failed",
    "duplicate",
    "conflict",
  ]);
  expect((await store.outboxDepth()).events).toBe(1);
  await store.close();
});

test("what was delivered long enough ago is settled: a rewind leaves it alone", async () => {
  const options = { file: `${dir}/settled.sqlite`, max_outbox_bytes: 1 << 20, settle_ms: 1 };
  const first = await openSqlite(options);
  await first.commit({ events: [sized(10, "a")] });
  await first.delivered((await first.readOutbox(10, 1 << 20)).events[0]?.position ?? 0);
  // Two ticks of its timer: one notes where the watermark stands, the next finds it old enough.
  const beside = new Database(options.file, { readonly: true });
  await until(
    () => beside.query("SELECT * FROM watermark WHERE name = 'settled' AND position > 0").get() !== null,
  );
  beside.close();
  await first.close();
  const second = await openSqlite(options);
  await second.rewind("settled");
  expect((await second.readOutbox(10, 1 << 20)).events).toEqual([]);
  await second.close();
});

test("a log that was purged before purges were noted vouches for the last day only", async () => {
  const file = `${dir}/unnoted.sqlite`;
  const options = { file, max_outbox_bytes: 1 << 20 };
  const purged = async (sql: string): Promise<number> => {
    const db = new Database(file);
    // The store's thread may not have let go of its file yet.
    db.run("PRAGMA busy_timeout = 5000");
    db.run("DELETE FROM watermark WHERE name = 'purged_ms'");
    db.run(sql);
    db.close();
    const store = await openSqlite(options);
    const { purged_before_ms } = await store.logState();
    await store.close();
    return purged_before_ms;
  };
  const first = await openSqlite(options);
  await first.commit({ events: [sized(10, "a"), sized(10, "b")] });
  await first.close();
  expect(await purged("SELECT 1")).toBe(0);
  const before_ms = Date.now();
  const at_ms = await purged("DELETE FROM events WHERE id = 'a'");
  expect(at_ms + 86_400_000).toBeWithin(before_ms, Date.now() + 1);
});

/** A store that was opened just now has written its watermark by its timer: so has, or would have, each that is older. */
async function ticked(): Promise<void> {
  const file = `${dir}/beside-${crypto.randomUUID()}.sqlite`;
  const beside = await openSqlite({ file, max_outbox_bytes: 1 << 20 });
  await beside.commit({ events: [sized(10, "a")] });
  await beside.delivered((await beside.readOutbox(1, 1 << 20)).events[0]?.position ?? 0);
  const db = new Database(file, { readonly: true });
  await until(() => db.query("SELECT * FROM watermark WHERE name = 'relay' AND position > 0").get() !== null);
  db.close();
  await beside.close();
}

const small = `${dir}/small`;
mkdirSync(small);
// Lazily: the store's thread may not have let go of its file yet.
const unmount = (): void => void (mounted && spawnSync("umount", ["-l", small]));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", small]).status === 0;
if (!mounted) console.warn("skipped: a full disk (needs the right to mount a small one)");

test.skipIf(!mounted)(
  "invariant 7: a full disk refuses, keeps the store's thread alive, and heals when there is room",
  async () => {
    const store = await openSqlite({ file: `${small}/full.sqlite`, max_outbox_bytes: 1 << 30 });
    try {
      await store.commit({ events: [sized(1_000, "first")] });
      spawnSync("dd", ["if=/dev/zero", `of=${small}/ballast`, "bs=4k"]);
      const refused = await store.commit({ events: [sized(500_000, "b")] }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(DiskFull);
      // The timer that writes the watermark meets the full disk, too.
      await store.delivered((await store.readOutbox(1, 1)).events[0]?.position ?? 0);
      await ticked();
      expect(await store.outboxDepth()).toMatchObject({ events: 0 });
      rmSync(`${small}/ballast`);
      const healed = store.commit({ events: [sized(1_000, "healed")] });
      expect(await healed).toMatchObject([{ outcome: "stored", event_id: "healed" }]);
    } finally {
      await store.close();
    }
    // The index that readers of the file share has no room: it is kept in memory.
    for (const end of ["wal", "shm"]) rmSync(`${small}/full.sqlite-${end}`, { force: true });
    spawnSync("dd", ["if=/dev/zero", `of=${small}/ballast`, "bs=4k"]);
    const again = await openSqlite({ file: `${small}/full.sqlite`, max_outbox_bytes: 1 << 30 });
    try {
      await again.rewind("settled");
      expect((await again.logState()).last).toBe(2);
      const full = await again.rewind("start").catch((error: unknown) => error);
      expect(full).toBeInstanceOf(DiskFull);
      rmSync(`${small}/ballast`);
      await again.rewind("start");
    } finally {
      await again.close();
    }
  },
);
