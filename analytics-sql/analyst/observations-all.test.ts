// Raw observations of the table and of the lake, as one view.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openEmbedded } from "../engine/embedded.ts";
import { folderStorage } from "../lake/folder.ts";
import { Lake } from "../lake/lake.ts";
import { event, joined, us } from "../testing/plant.ts";

const root = mkdtempSync(`${tmpdir()}/mtc-all-`);
const lake = new Lake(folderStorage(`${root}/it's a lake`), 30);
const engine = await openEmbedded({
  path: `${root}/chdb`,
  rawRetentionDays: 36_500,
  lake_engine: (tenant) => lake.engineOf(tenant),
});
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true, force: true });
});

const observed = (tenant: string, ts: string, num: number): Uint8Array =>
  event(tenant, "m", "mtc.observations.v1", {
    signals: ["speed"],
    signal: [0],
    t0: us(ts),
    dt: [0],
    num: [num],
  });
const rows = async (tenant: string): Promise<string> => {
  const analyst = await engine.analyst(tenant);
  const query = "SELECT toDate(ts), num FROM observations_all ORDER BY ts";
  const { bytes } = await analyst.ask({ query, params: {}, format: () => "TSV" });
  return Buffer.from(bytes).toString();
};

test("invariant 10: the table's and the lake's, each once, and of the tenant alone", async () => {
  await engine.insertEvents(
    joined([observed("a", "2026-01-05T06:00:00Z", 1), observed("b", "2026-01-05T06:00:00Z", 9)]),
  );
  expect(await rows("a")).toBe("2026-01-05\t1\n");
  for (const [tenant, named] of [
    ["a", "a"],
    ["b", "b"],
    // A file that lies in a folder of another tenant is not read.
    ["b", "a"],
  ] as const) {
    const folder = `${root}/it's a lake/observations/tenant=${named}/date=2025-12-01/machine=m`;
    mkdirSync(folder, { recursive: true });
    await engine.maintain(
      `INSERT INTO FUNCTION file({path:String}, 'Parquet', 'tenant_id String, machine_id String, signal String, ts DateTime64(6, ''UTC''), seq UInt64, num Nullable(Float64), word String')
       SELECT {tenant:String}, 'm', 'speed', toDateTime64('2025-12-01 00:00:00', 6, 'UTC'), toUInt64(0), 7., ''
       UNION ALL SELECT * FROM mtc.observations WHERE tenant_id = {tenant:String}`,
      { path: `${folder}/part-${tenant}.parquet`, tenant },
    );
  }
  expect(await rows("a")).toBe("2025-12-01\t7\n2026-01-05\t1\n");
  expect(await rows("b")).toBe("2025-12-01\t7\n2026-01-05\t9\n");
});
