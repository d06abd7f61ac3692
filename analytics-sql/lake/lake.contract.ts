// The lake, wherever it lies (SPEC 14.4): the rows as they were, nothing twice, late data, crashes, outages.
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { observations } from "../queries/observations.ts";
import { testEngine } from "../testing/engine.ts";
import { columns, event, joined, type Seen } from "../testing/plant.ts";
import { Lake } from "./lake.ts";
import { dayFolder, lakeDates, readManifest } from "./manifest.ts";
import type { LakeStorage } from "./storage.ts";
import { LakeWriter } from "./writer.ts";

const engine = await testEngine();
export const scratch = mkdtempSync(join(tmpdir(), "mtc-lake-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

afterEach(() => engine.run("TRUNCATE TABLE mtc.observations", {}));

const HOUR_MS = 3_600_000;
const GRACE_MS = 25 * HOUR_MS;
const RETENTION_DAYS = 30;
export const DATES = ["2026-01-05", "2026-01-06", "2026-01-07"];
export const NOW_MS = Date.parse("2026-01-08T06:00:00Z");
/** Ids that a path cannot hold as they are. */
const MACHINES = ["mill:1.x", "mill:1_x", "lathe-2"];
let made = 0;

const put = (tenant: string, machine: string, rows: Seen[]) =>
  engine.insertEvents(joined([event(tenant, machine, "mtc.observations.v1", columns(rows))]));

const dayRows = (date: string, salt: number): Seen[] =>
  Array.from({ length: 200 }, (_, i) => ({
    signal: ["spindle_speed", "execution", "program"][i % 3] as string,
    ts_us: Date.parse(date) * 1_000 + i * 400_000_000 + salt,
    seq: i % 2 === 0 ? i : 0,
    value: [i * 1.5, i % 2 ? "ACTIVE" : "READY", null][i % 3] as number | string | null,
  }));

/** A tenant of its own for each test, with three machines and three days; the engine sees to it that all comes twice. */
export async function plant(): Promise<string> {
  const tenant = `plant/${++made}`;
  const lines = MACHINES.flatMap((machine, salt) =>
    DATES.map((date) => event(tenant, machine, "mtc.observations.v1", columns(dayRows(date, salt)))),
  );
  await engine.insertEvents(joined(lines));
  return tenant;
}

/** Everything below the lake's root: names, and the bytes of manifests. */
async function contents(storage: LakeStorage): Promise<Record<string, string | number | undefined>> {
  const files = (await storage.list("observations")).map(({ name }) => name).sort();
  const read = (name: string) => (name.endsWith(".json") ? storage.read(name) : storage.size_bytes(name));
  return Object.fromEntries(await Promise.all(files.map(async (name) => [name, await read(name)])));
}

type Made = { storage: LakeStorage; lake: Lake; writer: () => LakeWriter };

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not there");
  return value;
}

export function lakeIn(storage: LakeStorage): Made {
  const lake = new Lake(storage, RETENTION_DAYS);
  const options = { scratch: join(scratch, "scratch"), version: "test" };
  return { storage, lake, writer: () => new LakeWriter(lake, engine, options) };
}

/** All pages of a machine's rows, as text. */
async function rowsOf(tenant: string, machine: string, lake?: Lake, limit = 250): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof observations>> = await observations(
      engine,
      { tenant, machine, signal: "", from_us: 0, to_us: NOW_MS * 1_000, limit, cursor },
      lake,
    );
    found.push(...page.rows.map((row) => JSON.stringify(row)));
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}

/** As retention would: the rows leave the table, merges and all. */
const forgetHot = (tenant: string) =>
  engine.run("DELETE FROM mtc.observations WHERE tenant_id = {tenant:String}", { tenant });

/**
 * What a place for the lake must hold to.
 * @param make one that is empty, at each call
 * @param bytesOf a file there, read by a client that is not ours
 */
export function lakeContract(
  place: string,
  available: boolean,
  make: () => LakeStorage,
  bytesOf: (storage: LakeStorage, name: string) => Promise<ArrayBuffer>,
): void {
  describe.if(available)(`the lake in ${place}`, () => {
    test("holds what the table holds, also for a reader of another make", async () => {
      const tenant = await plant();
      const { storage, writer } = lakeIn(make());
      await writer().run(NOW_MS);
      expect(await lakeDates(storage, tenant)).toEqual(DATES);
      for (const date of DATES) {
        const manifest = must(await readManifest(storage, tenant, date));
        expect(manifest.files.map(({ machine }) => machine)).toEqual([...MACHINES].sort());
        for (const file of manifest.files) {
          expect(file).toMatchObject({ rows: 200, fingerprint: file.source_fingerprint });
          expect(file.min_ts.slice(0, 10)).toBe(date);
          const bytes = await bytesOf(storage, `${dayFolder(tenant, date)}/${file.file}`);
          expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(file.sha256);
          expect(bytes.byteLength).toBe(file.bytes);
          expect(await independently(bytes)).toEqual(
            expected(tenant, file.machine, dayRows(date, MACHINES.indexOf(file.machine))),
          );
        }
      }
    });

    test("a day is written six hours after its end, not before", async () => {
      const tenant = await plant();
      const { storage, writer } = lakeIn(make());
      await writer().run(NOW_MS - 1);
      expect(await lakeDates(storage, tenant)).toEqual(DATES.slice(0, 2));
    });

    test("invariant 2: written twice is nothing, by this run or after a restart", async () => {
      await plant();
      const { storage, writer } = lakeIn(make());
      const first = writer();
      await first.run(NOW_MS);
      const before = await contents(storage);
      expect(Object.keys(before).length).toBeGreaterThan(11);
      await first.run(NOW_MS);
      const second = writer();
      await second.run(NOW_MS);
      expect(second.status().files).toBe(0);
      expect(await contents(storage)).toEqual(before);
    });

    test("invariant 3: late data writes that machine's day anew, and nothing else", async () => {
      const tenant = await plant();
      const { storage, lake, writer } = lakeIn(make());
      const running = writer();
      await running.run(NOW_MS);
      const before = await contents(storage);
      const written = running.status().files;
      const late = { signal: "late", ts_us: Date.parse(`${DATES[1]}T12:00:00Z`) * 1_000, seq: 9, value: 1 };
      await put(tenant, "mill:1.x", [late]);
      await running.run(NOW_MS);
      expect(running.status().files).toBe(written + 1);
      const after = await contents(storage);
      const added = Object.keys(after).filter((name) => !(name in before));
      expect(added).toHaveLength(1);
      expect(added[0]).toContain(`${dayFolder(tenant, must(DATES[1]))}/machine=mill%3A1.x/part-201-`);
      const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
      expect(changed).toEqual([`${dayFolder(tenant, must(DATES[1]))}/_manifest.json`]);
      const hot = await rowsOf(tenant, "mill:1.x");
      expect(hot).toHaveLength(601);
      // What the manifest no longer names goes a day later, also after a restart.
      await writer().run(Date.now() + GRACE_MS);
      const tidy = await contents(storage);
      expect(Object.keys(after).filter((name) => !(name in tidy))).toHaveLength(1);
      expect(await rowsOf(tenant, "mill:1.x", lake)).toEqual(hot);
    });

    test("a crash between a file and its manifest: the day is as it was, and the next run heals it", async () => {
      const tenant = await plant();
      const storage = make();
      const dying: LakeStorage = { ...storage, write: () => Promise.reject(new Error("crash")) };
      await expect(lakeIn(dying).writer().run(NOW_MS)).rejects.toThrow("crash");
      expect(await readManifest(storage, tenant, must(DATES[0]))).toBeUndefined();
      await lakeIn(storage).writer().run(NOW_MS);
      const healed = await contents(storage);
      const whole = make();
      await lakeIn(whole).writer().run(NOW_MS);
      expect(Object.keys(healed)).toEqual(Object.keys(await contents(whole)));
    });

    test("invariant 10, and the seam: pages over what the table lost and what it has, each row once", async () => {
      const tenant = await plant();
      const other = await plant();
      const { lake, writer } = lakeIn(make());
      await writer().run(NOW_MS);
      const whole = await rowsOf(tenant, "mill:1.x");
      const rows = (machine: string) => rowsOf(tenant, machine, lake);
      expect(await rows("mill:1.x")).toEqual(whole);
      await forgetHot(tenant);
      expect(await rowsOf(tenant, "mill:1.x")).toEqual([]);
      expect(await rows("mill:1.x")).toEqual(whole);
      expect(whole).toHaveLength(600);
      // Some of them come again, with one that the lake does not have.
      const late = { signal: "late", ts_us: Date.parse(`${DATES[0]}T00:00:00Z`) * 1_000, seq: 1, value: "x" };
      await put(tenant, "mill:1.x", [...dayRows(must(DATES[1]), 0).slice(50, 90), late]);
      expect(await rows("mill:1.x")).toHaveLength(601);
      // A file never shrinks: what only the lake has stays in it.
      await writer().run(NOW_MS);
      await forgetHot(tenant);
      expect(await rows("mill:1.x")).toHaveLength(601);
      await forgetHot(other);
      expect(await rowsOf("plant/none", "mill:1.x", lake)).toEqual([]);
      expect(await rows("unknown")).toEqual([]);
    });

    test("retention: a day leaves the table when it is in the lake, and only then", async () => {
      const tenant = await plant();
      const later = Date.parse(`${DATES[0]}`) + (RETENTION_DAYS + 1) * 86_400_000;
      const storage = make();
      const full: LakeStorage = { ...storage, upload: () => Promise.reject(new Error("no space left")) };
      const whole = await rowsOf(tenant, "lathe-2");
      await expect(lakeIn(full).writer().run(later)).rejects.toThrow("no space left");
      expect(await rowsOf(tenant, "lathe-2")).toEqual(whole);
      const { lake, writer } = lakeIn(storage);
      await writer().run(later);
      // The first day is 30 days past, the other two are not.
      expect(await rowsOf(tenant, "lathe-2")).toEqual(whole.slice(200));
      expect(await rowsOf(tenant, "lathe-2", lake)).toEqual(whole);
    });

    test("sooner than retention: the oldest day in the lake leaves the table, and is read there", async () => {
      const tenant = await plant();
      const storage = make();
      const lake = new Lake(storage, 36_500);
      const writer = new LakeWriter(lake, engine, { scratch: join(scratch, "scratch"), version: "test" });
      expect(writer.oldestWritten(NOW_MS)).toBeUndefined();
      await writer.run(NOW_MS);
      const whole = await rowsOf(tenant, "lathe-2", lake);
      const [first = "", second = ""] = DATES;
      expect(writer.oldestWritten(Date.parse(second) - 1)).toBeUndefined();
      expect(writer.oldestWritten(Date.parse(second))).toBe(first);
      lake.forgotten_before_us = Date.parse(second) * 1_000;
      await writer.forget(first);
      expect(writer.oldestWritten(NOW_MS)).toBe(second);
      expect(await rowsOf(tenant, "lathe-2")).toEqual(whole.slice(200));
      expect(await rowsOf(tenant, "lathe-2", lake)).toEqual(whole);
    });
  });
}

/** The file's rows by hyparquet, in the file's order. */
async function independently(file: ArrayBuffer): Promise<unknown[]> {
  const metadata = await parquetMetadataAsync({
    byteLength: file.byteLength,
    slice: (a, b) => file.slice(a, b),
  });
  expect(metadata.row_groups[0]?.columns[0]?.meta_data?.codec).toBe("ZSTD");
  const rows = await parquetReadObjects({ file, compressors });
  return rows.map(({ ts, seq, ...row }) => ({ ...row, ts_ms: (ts as Date).getTime(), seq: Number(seq) }));
}

/** By (signal, ts, seq). */
function expected(tenant_id: string, machine_id: string, rows: Seen[]): unknown[] {
  return [...rows]
    .sort((a, b) =>
      a.signal === b.signal ? a.ts_us - b.ts_us || a.seq - b.seq : a.signal < b.signal ? -1 : 1,
    )
    .map(({ signal, ts_us, seq, value }) => ({
      tenant_id,
      machine_id,
      signal,
      num: typeof value === "number" ? value : null,
      word: typeof value === "string" ? value : "",
      ts_ms: Math.floor(ts_us / 1_000),
      seq,
    }));
}
