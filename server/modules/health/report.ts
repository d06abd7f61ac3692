// How the program is doing, in one look: what /readyz and /metrics tell, and how near each figure is to its bound.
import { readdir, stat, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import type { Registry } from "prom-client";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import type { LakeKeeper } from "../../../analytics-sql/lake/keeper.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Relay } from "../../../ingest/outbox/relay.ts";
import { isFull } from "../../../ingest/store/room.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { version } from "../../../package.json" with { type: "json" };
import type { Health, Level } from "../../../views/index.ts";
import { lagOf_s, type Part, type Parts, readinessOf } from "../../health/parts.ts";
import type { SourceReport } from "../../sources.ts";
import type { Reports } from "../analytics/service.ts";
import type { DeadLetters } from "../dead-letters/service.ts";
import type { Machines } from "../machines/service.ts";
import { MAX_READERS } from "../stream/index.ts";

export type HealthDeps = {
  parts: Parts;
  engine: Pick<Engine, "process">;
  relay: Relay;
  hub: LiveHub;
  lake: LakeKeeper | undefined;
  metrics: Registry;
  machines: Machines;
  reports: Reports;
  deadLetters: DeadLetters;
  stopping: () => boolean;
  data_dir: string;
  max_outbox_bytes: number;
  raw_retention_days: number;
};

const DAY_MS = 86_400_000;
/** Walking thousands of files costs more than the figure is worth every few seconds. */
const MEASURED_FOR_MS = 60_000;
/** Where a figure is near its bound, and where it needs a hand: shares of the bound, and ages. */
const SHARES = { near: 0.7, bad: 0.9 };
const LAG_S = { near: 60, bad: 600 };
const ROLLED_S = { near: 300, bad: 3_600 };
const LAKE_MS = { near: 2 * DAY_MS, bad: 7 * DAY_MS };

/** @param value a share of the bound, or an age */
const levelOf = (value: number, bounds: { near: number; bad: number }): Level =>
  value >= bounds.bad ? "bad" : value >= bounds.near ? "near" : "good";

const worst = (...levels: Level[]): Level =>
  levels.includes("bad") ? "bad" : levels.includes("near") ? "near" : "good";

/** The page has what comes within this time, else what was found before, else it is without it. */
const PATIENCE_MS = 500;

/** What looks found last, by what they are about: one at a time is under way. */
class LastFound<T> {
  readonly #found = new Map<string, { at_ms: number; value: T }>();
  readonly #looking = new Map<string, Promise<void>>();

  /** @param fresh_ms no look is needed while what was found is younger */
  async of(key: string, look: () => Promise<T>, fresh_ms = 0): Promise<T | null> {
    const last = this.#found.get(key);
    if (last && Date.now() - last.at_ms < fresh_ms) return last.value;
    const begun = this.#looking.get(key) ?? this.#look(key, look);
    await Promise.race([begun, Bun.sleep(PATIENCE_MS)]);
    return this.#found.get(key)?.value ?? null;
  }

  /** Whose failure is told where it is looked at in any case. */
  #look(key: string, look: () => Promise<T>): Promise<void> {
    const looking = look()
      .then((value) => void this.#found.set(key, { at_ms: Date.now(), value }))
      .catch(() => undefined)
      .finally(() => this.#looking.delete(key));
    this.#looking.set(key, looking);
    return looking;
  }
}

export class HealthReport {
  readonly #deps: HealthDeps;
  readonly #data = new LastFound<number>();
  readonly #set_aside = new LastFound<number>();
  readonly #gaps = new LastFound<Awaited<ReturnType<Reports["gapsOf"]>>>();

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  /** The program's health; its sources and what was set aside are a tenant's own (invariant 10). */
  async of(tenant_id: string): Promise<Health> {
    const { deadLetters, hub, parts, stopping, raw_retention_days, machines } = this.#deps;
    const own = machines.list(tenant_id);
    const [set_aside, disk, sources, requests] = await Promise.all([
      this.#set_aside.of(tenant_id, async () => (await deadLetters.list(tenant_id)).length),
      this.#disk(),
      this.#sources(tenant_id, own),
      this.#requests(),
    ]);
    const all = parts.all();
    const total_bytes = process.constrainedMemory() || totalmem();
    const engine = this.#deps.engine.process?.();
    const resident_bytes = process.memoryUsage.rss() + (engine?.resident_bytes ?? 0);
    return {
      state: readinessOf(all, stopping()),
      parts: all,
      version,
      started_ms: Math.round(Date.now() - process.uptime() * 1_000),
      outbox: this.#outbox(),
      set_aside,
      rollup: this.#rollup(own, all),
      disk,
      memory: { level: levelOf(resident_bytes / total_bytes, SHARES), resident_bytes, total_bytes },
      engine: engine
        ? { level: engine.up ? "good" : "bad", restarts: engine.restarts, set_aside: engine.set_aside }
        : null,
      readers: {
        level: levelOf(hub.readers / MAX_READERS, SHARES),
        open: hub.readers,
        max: MAX_READERS,
      },
      sources,
      requests,
      raw_retention_days,
      lake: this.#lake(),
    };
  }

  #outbox(): Health["outbox"] {
    const { parts, relay, max_outbox_bytes: max_bytes } = this.#deps;
    const { value, at_ms: seen_ms } = parts.outbox();
    const { events, bytes, oldest_ms } = value ?? { events: 0, bytes: 0, oldest_ms: 0 };
    const lag_s = lagOf_s({ oldest_ms });
    const error = relay.status().failing?.error ?? "";
    const refused: Level = error === "" ? "good" : "near";
    const level = worst(levelOf(bytes / max_bytes, SHARES), levelOf(lag_s, LAG_S), refused);
    return { level, events, bytes, max_bytes, lag_s, error, seen_ms };
  }

  /** Machines that nobody asked for since the start are not counted: they are rolled up in their turn. */
  #rollup(own: Machine[], parts: Part[]): Health["rollup"] {
    const { reports } = this.#deps;
    const names = new Map(own.map(({ id, name }) => [id, name]));
    const set_aside = reports.setAside(own).map(({ machine, error, since_ms, again_ms }) => ({
      machine_id: machine,
      name: names.get(machine) ?? machine,
      error,
      since_ms,
      again_ms,
    }));
    const until_us = reports.rolledUntil_us(own);
    const age_s = until_us === undefined ? null : Math.max(0, Date.now() / 1_000 - until_us / 1_000_000);
    const down = parts.some(({ part, up }) => part === "roll-up" && !up);
    const whole: Level = down || set_aside.length > 0 ? "bad" : "good";
    return { level: worst(whole, levelOf(age_s ?? 0, ROLLED_S)), age_s, set_aside };
  }

  async #disk(): Promise<Health["disk"]> {
    const { data_dir } = this.#deps;
    const [data_bytes, disk] = await Promise.all([
      this.#data.of(data_dir, () => sizeOf(data_dir), MEASURED_FOR_MS),
      statfs(data_dir),
    ]);
    const [free_bytes, total_bytes] = [disk.bavail * disk.bsize, disk.blocks * disk.bsize];
    return {
      level: levelOf(1 - free_bytes / total_bytes, SHARES),
      full: isFull(disk),
      data_bytes,
      free_bytes,
      total_bytes,
    };
  }

  async #sources(tenant_id: string, own: Machine[]): Promise<Health["sources"]> {
    const names = new Map(own.map(({ id, name }) => [id, name]));
    const mine = (this.#deps.parts.sources().value ?? [])
      .map((row) => ({ ...row, machine_ids: row.machine_ids.filter((id) => names.has(id)) }))
      .filter(({ machine_ids }) => machine_ids.length > 0);
    const now_us = Date.now() * 1_000;
    const span = { from_us: now_us - DAY_MS * 1_000, to_us: now_us };
    const ids = mine.flatMap(({ machine_ids }) => machine_ids);
    const gaps = await this.#gaps.of(tenant_id, () => this.#deps.reports.gapsOf(tenant_id, ids, span));
    return mine.map((row) => ({ ...sourceRow(row, names), lost: gaps && lost(row, gaps, now_us) }));
  }

  async #requests(): Promise<Health["requests"]> {
    const found = await this.#deps.metrics.getSingleMetric("mtc_http_requests_total")?.get();
    const requests = { served: 0, refused: 0, failed: 0 };
    for (const { labels, value } of found?.values ?? []) {
      const status = Number(labels.status);
      requests[status >= 500 ? "failed" : status >= 400 ? "refused" : "served"] += value;
    }
    return requests;
  }

  #lake(): Health["lake"] {
    const status = this.#deps.lake?.status();
    if (!status) return null;
    const { days, last_success_ms, error } = status;
    const age = last_success_ms === 0 ? "good" : levelOf(Date.now() - last_success_ms, LAKE_MS);
    return {
      level: worst(age, error === null ? "good" : "near"),
      days,
      last_success_ms,
      error: error ?? "",
    };
  }
}

function sourceRow(
  { name, machine_ids, state, since_ms, heard_ms, error, read_by }: SourceReport,
  names: Map<string, string>,
) {
  const level: Level = state === "unreachable" ? "bad" : error === "" ? "good" : "near";
  const machines = machine_ids.map((id) => ({ machine_id: id, name: names.get(id) ?? id }));
  return { level, name, machines, state, since_ms, heard_ms, error, read_by };
}

/** Machines of one source lose contact together: the one that lost most speaks for it. */
function lost(
  { machine_ids }: SourceReport,
  gaps: Awaited<ReturnType<Reports["gapsOf"]>>,
  now_us: number,
): { gaps: number; gap_s: number } {
  const sums = machine_ids.map((id) => {
    const own = gaps.get(id) ?? [];
    const seconds = own.map(({ from, to }) => {
      const end_ms = to === null ? now_us / 1_000 : Date.parse(to);
      return (end_ms - Math.max(Date.parse(from), now_us / 1_000 - DAY_MS)) / 1_000;
    });
    return { gaps: own.length, gap_s: seconds.reduce((sum, s) => sum + Math.max(0, s), 0) };
  });
  return sums.reduce((most, one) => (one.gap_s > most.gap_s ? one : most), { gaps: 0, gap_s: 0 });
}

/** What lies below a folder, bytes. Files come and go meanwhile. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  let bytes = 0;
  for (const name of names) {
    const found = await stat(`${folder}/${name}`).catch(() => undefined);
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}
