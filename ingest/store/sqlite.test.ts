// The embedded store keeps the contract, and its own bounds.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type EventHeader, encodeEvent } from "../event.ts";
import { openSqlite } from "./sqlite.ts";
import { storeContract } from "./store.contract.ts";
import { type NewEvent, Overloaded } from "./store.ts";

const dir = mkdtempSync(`${tmpdir()}/mtc-sqlite-`);
let file = "";
let n = 0;
afterAll(() => rmSync(dir, { recursive: true }));

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
