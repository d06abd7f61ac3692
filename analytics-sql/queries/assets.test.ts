// Assets (SPEC 4.5): the newest of each by its own time, of one machine of one tenant, however often and in which order told.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AssetData } from "../../ingest/event.ts";
import { openEmbedded } from "../engine/embedded.ts";
import { event, joined, us } from "../testing/plant.ts";
import { asset, assets } from "./assets.ts";

const path = mkdtempSync(join(tmpdir(), "mtc-assets-"));
let engine = await openEmbedded({ path, rawRetentionDays: 30 });
afterAll(async () => {
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

const tool = (asset_id: string, more: Partial<AssetData["asset"]> = {}): AssetData => ({
  asset: {
    asset_id,
    type: "CuttingTool",
    ts_us: us("2026-01-05T06:00:00Z"),
    removed: false,
    document: "<CuttingTool/>",
    omitted_bytes: 0,
    ...more,
  },
});
const said = (tenant: string, machine: string, data: AssetData) =>
  event(tenant, machine, "mtc.asset.v1", data);
const list = (tenant: string, machine: string, after = "", limit = 100) =>
  assets(engine, { tenant, machine, after, limit });

test("invariants 2, 3: the newest by time holds, in whatever order and however often it is told", async () => {
  const later = us("2026-01-05T07:00:00Z");
  const events = [
    said("plant-1", "mill", tool("T1", { ts_us: later, document: '<CuttingTool a="2"/>' })),
    said("plant-1", "mill", tool("T1")),
    said("plant-1", "mill", tool("T2")),
    said("plant-1", "mill", tool("T2", { ts_us: later, type: "", removed: true, document: "" })),
    said("plant-1", "mill", tool("T3/x y", { ts_us: 0, document: "", omitted_bytes: 300_000 })),
  ];
  await engine.insertEvents(joined(events));
  await engine.insertEvents(joined(events.toReversed()));
  expect(await list("plant-1", "mill")).toEqual([
    {
      asset_id: "T1",
      type: "CuttingTool",
      removed: false,
      omitted_bytes: 0,
      ts: "2026-01-05T07:00:00.000000Z",
    },
    {
      asset_id: "T2",
      type: "CuttingTool",
      removed: true,
      omitted_bytes: 0,
      ts: "2026-01-05T07:00:00.000000Z",
    },
    { asset_id: "T3/x y", type: "CuttingTool", removed: false, omitted_bytes: 300_000, ts: "" },
  ]);
  expect((await list("plant-1", "mill", "T1", 1)).map(({ asset_id }) => asset_id)).toEqual(["T2"]);
  const found = await asset(engine, { tenant: "plant-1", machine: "mill", asset: "T1" });
  expect(found).toMatchObject({ asset_id: "T1", document: '<CuttingTool a="2"/>' });
});

test("invariant 10: a tenant sees its own", async () => {
  await engine.insertEvents(joined([said("plant-2", "mill", tool("T9"))]));
  expect((await list("plant-1", "mill")).map(({ asset_id }) => asset_id)).not.toContain("T9");
  expect((await list("plant-2", "mill")).map(({ asset_id }) => asset_id)).toEqual(["T9"]);
  expect(await asset(engine, { tenant: "plant-1", machine: "mill", asset: "T9" })).toBeUndefined();
});

test("an engine opened again knows the events' keys of today", async () => {
  await engine.close();
  engine = await openEmbedded({ path, rawRetentionDays: 30 });
  await engine.insertEvents(joined([said("plant-2", "mill", tool("T10"))]));
  expect((await list("plant-2", "mill")).map(({ asset_id }) => asset_id)).toEqual(["T10", "T9"]);
});
