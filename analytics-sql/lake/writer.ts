// Writes the days that are over into the lake, again where late data came, and lets the table forget the oldest.
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Engine, EngineError } from "../engine/engine.ts";
import { filled } from "../filled.ts";
import { iso } from "../queries/window.ts";
import daysSql from "./days.sql" with { type: "text" };
import fingerprintSql from "./fingerprint.sql" with { type: "text" };
import { DAY_US, type Lake, withTable } from "./lake.ts";
import { dayFolder, fileName, type LakeFile, readManifest, writeManifest } from "./manifest.ts";
import rewriteSql from "./rewrite.sql" with { type: "text" };
import { sha256Of } from "./sha256.ts";
import writeSql from "./write.sql" with { type: "text" };

/** A day is written when it has been over for this long. */
const CLOSED_AFTER_US = 6 * 3_600_000_000;
/** Files that no manifest names go after this time: whoever read the manifest before has read them by then. */
const GRACE_MS = 24 * 3_600_000;
/** ClickHouse's code. */
const NO_SUCH_DATA_PART = 232;

const IN_TABLE = filled(fingerprintSql, { rows: "mtc.observations FINAL" });

type Held = {
  tenant: string;
  machine: string;
  rows: number;
  min_us: number;
  max_us: number;
  fingerprint: string;
};
type Day = { date: string; from_us: number; to_us: number };

export class LakeWriter {
  readonly #lake: Lake;
  readonly #engine: Engine;
  readonly #scratch: string;
  readonly #version: string;
  /** The parts of each day as they were when it was last found to be in the lake. */
  readonly #written = new Map<string, string>();
  /** Folders that hold files which no manifest names; undefined until the lake was looked through. */
  #untidy: Map<string, { tenant: string; date: string }> | undefined;
  #files = 0;

  /** @param options.scratch a local folder of the writer's own, for one file at a time */
  constructor(lake: Lake, engine: Engine, options: { scratch: string; version: string }) {
    this.#lake = lake;
    this.#engine = engine;
    this.#scratch = options.scratch;
    this.#version = options.version;
  }

  /** Days of the table that are in the lake; files written since the start. */
  status(): { days: number; files: number } {
    return { days: this.#written.size, files: this.#files };
  }

  /**
   * Once over all days: does what is to do, and nothing where nothing changed.
   * @param retention_ms the time by which days leave the table
   * @throws what storage or engine throw
   */
  async run(
    now_ms: number,
    stopped: () => boolean = () => false,
    retention_ms: number = now_ms,
  ): Promise<void> {
    await rm(this.#scratch, { recursive: true, force: true });
    await mkdir(this.#scratch, { recursive: true });
    const days = await this.#engine.query<{ date: string; parts: string[] }>(daysSql, {});
    for (const { date, parts } of days) {
      const from_us = Date.parse(date) * 1_000;
      const day = { date, from_us, to_us: from_us + DAY_US };
      if (day.to_us + CLOSED_AFTER_US > now_ms * 1_000) continue;
      if (this.#written.get(date) !== parts.join()) {
        await this.#writeDay(day, stopped);
        if (stopped()) return;
        this.#written.set(date, parts.join());
      }
      if (this.#lake.isExpired(from_us, retention_ms * 1_000)) await this.#forget(date, parts);
    }
    await this.#tidy(now_ms);
  }

  /** The oldest day of the table that was found in the lake and was over by a time. */
  oldestWritten(before_ms: number): string | undefined {
    const [oldest] = [...this.#written.keys()].sort();
    return oldest !== undefined && Date.parse(oldest) + DAY_US / 1_000 <= before_ms ? oldest : undefined;
  }

  /** Has the table forget what of a day was found in the lake. @throws EngineError */
  async forget(date: string): Promise<void> {
    await this.#forget(date, this.#written.get(date)?.split(",") ?? []);
  }

  async #writeDay(day: Day, stopped: () => boolean): Promise<void> {
    const { from_us, to_us } = day;
    const held = await this.#engine.aside.query<Held>(IN_TABLE, { from_us, to_us });
    for (const [tenant, own] of Map.groupBy(held, (one) => one.tenant)) {
      if (stopped()) return;
      await this.#writeTenant(tenant, day, own, stopped);
    }
  }

  /** The manifest comes last: a reader sees the day as it was, or as it is. */
  async #writeTenant(tenant: string, day: Day, held: Held[], stopped: () => boolean): Promise<void> {
    const before = await readManifest(this.#lake.storage, tenant, day.date);
    const files = new Map(before?.files.map((file) => [file.machine, file]));
    let changed = false;
    for (const one of held) {
      if (stopped()) break;
      const old = files.get(one.machine);
      const file = await this.#current(day, one, old);
      changed ||= file !== old;
      files.set(one.machine, file);
    }
    if (!changed) return;
    await writeManifest(this.#lake.storage, {
      schema: "mtc.lake.observations.v1",
      tenant,
      date: day.date,
      written_by: `mtc ${this.#version}`,
      files: [...files.values()].sort((a, b) => (a.machine < b.machine ? -1 : 1)),
    });
    this.#untidy?.set(dayFolder(tenant, day.date), { tenant, date: day.date });
  }

  /** The machine's file: the old one where it is there and nothing came since. */
  async #current(day: Day, held: Held, old: LakeFile | undefined): Promise<LakeFile> {
    const folder = dayFolder(held.tenant, day.date);
    const { storage } = this.#lake;
    const whole = old && (await storage.size_bytes(`${folder}/${old.file}`)) === old.bytes ? old : undefined;
    if (whole?.source_fingerprint === held.fingerprint) return whole;
    const path = join(this.#scratch, "day.parquet");
    const { tenant, machine } = held;
    const params = { file: path, tenant, machine, from_us: day.from_us, to_us: day.to_us };
    await rm(path, { force: true });
    if (whole) {
      const both = withTable(storage.table(`${folder}/${whole.file}`));
      await this.#engine.aside.run(filled(rewriteSql, { hot_and_cold: both.sql }), {
        ...params,
        ...both.params,
      });
    } else {
      await this.#engine.aside.run(writeSql, params);
    }
    // Read back: what the manifest says is what the file has.
    const [written] = await this.#engine.aside.query<Held>(
      filled(fingerprintSql, { rows: "file({file:String}, 'Parquet')" }),
      params,
    );
    if (!written) throw new Error(`${folder}: the file of ${machine} came out empty`);
    const source_fingerprint = held.fingerprint;
    if (whole?.fingerprint === written.fingerprint) return { ...whole, source_fingerprint };
    const file = fileName(machine, written.fingerprint);
    const bytes = (await stat(path)).size;
    const sha256 = await sha256Of(path);
    await storage.upload(`${folder}/${file}`, path);
    await rm(path, { force: true });
    this.#files += 1;
    const { rows, min_us, max_us, fingerprint } = written;
    const span = { min_ts: iso(min_us), max_ts: iso(max_us) };
    return { machine, file, rows, bytes, ...span, fingerprint, source_fingerprint, sha256 };
  }

  /**
   * Exactly the parts that were found in the lake leave the table. A part never changes: what arrived since is in
   * another one, and one that was merged meanwhile is not there any more and has its turn the next time.
   */
  async #forget(date: string, parts: string[]): Promise<void> {
    for (const part of parts) {
      await this.#engine.aside
        .run("ALTER TABLE mtc.observations DROP PART {part:String}", { part })
        .catch((error: unknown) => {
          if (!(error instanceof EngineError) || error.code !== NO_SUCH_DATA_PART) throw error;
        });
    }
    this.#written.delete(date);
  }

  async #tidy(now_ms: number): Promise<void> {
    const { storage } = this.#lake;
    this.#untidy ??= untidyOf(await storage.list("observations"));
    for (const [folder, { tenant, date }] of this.#untidy) {
      const manifest = await readManifest(storage, tenant, date);
      if (!manifest) continue;
      const named = new Set(["_manifest.json", ...manifest.files.map(({ file }) => file)]);
      const loose = (await storage.list(folder)).filter(
        ({ name }) => !named.has(name.slice(folder.length + 1)),
      );
      const old = loose.filter(({ modified_ms }) => modified_ms + GRACE_MS <= now_ms);
      for (const { name } of old) await storage.remove(name);
      if (old.length === loose.length) this.#untidy.delete(folder);
    }
  }
}

/** Folders of days where a machine has more than one file. */
function untidyOf(files: { name: string }[]): Map<string, { tenant: string; date: string }> {
  const found = new Map<string, { tenant: string; date: string }>();
  const seen = new Set<string>();
  for (const { name } of files) {
    const [, folder = "", tenant = "", date = "", rest = ""] =
      /^(observations\/tenant=([^/]+)\/date=([^/]+))\/(.*)$/.exec(name) ?? [];
    const holder = rest.startsWith("_manifest") ? `${folder}/${rest}` : `${folder}/${rest.split("/")[0]}`;
    if (name.endsWith(".tmp") || seen.has(holder)) {
      found.set(folder, { tenant: decodeURIComponent(tenant), date });
    }
    seen.add(holder);
  }
  return found;
}
