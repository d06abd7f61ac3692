// Clients and collectors on the same machine: neither's keys stand in the other's way.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { ColumnsBuilder } from "./columns.ts";
import { LiveHub } from "./live/hub.ts";
import { createPipeline } from "./pipeline.ts";
import { openSqlite } from "./store/sqlite.ts";

const dir = mkdtempSync(`${tmpdir()}/mtc-pipeline-`);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("invariant 2: a client's Idempotency-Key that looks like a collector's keeps no batch out", async () => {
  const store = await openSqlite({ file: `${dir}/log.sqlite`, max_outbox_bytes: 1 << 20 });
  const pipeline = await createPipeline({ store, hub: new LiveHub(), wake: () => {}, now_ms: Date.now });
  const mill = { tenant_id: "plant-1", id: "mill-1", rules: [] };
  const sink = pipeline.sink(() => mill, new AbortController().signal);
  const key = "http://agent:7:1-100";
  const columns = new ColumnsBuilder();
  columns.add("load", 1_767_592_800_000_000, 1, 1);
  const client = () =>
    pipeline.observe(mill, columns.bytes(), columns.columns(), { key, body_hash: "the client's" });
  const collector = () => sink.append([{ machine_id: mill.id, columns, dedupe_key: key }]);
  const depth = async () => (await store.outboxDepth()).events;
  expect((await client()).outcome).toBe("stored");
  await collector();
  expect(await depth()).toBe(2);
  // Each knows its own again.
  expect((await client()).outcome).toBe("duplicate");
  await collector();
  expect(await depth()).toBe(2);
  await store.close();
});
