// Reading the lake: which stretches of time have a file, and how it is asked together with the table.
import { filled } from "../filled.ts";
import hotAndCold from "./hot-and-cold.sql" with { type: "text" };
import { dayFolder, lakeDates, readManifest, tenantFiles } from "./manifest.ts";
import type { LakeStorage, LakeTable } from "./storage.ts";

export const DAY_US = 86_400_000_000;

/** A machine's rows in the table and in the day's file, a row perhaps twice; takes tenant, machine, from_us, to_us. */
export const withTable = ({ sql, params }: LakeTable): LakeTable => ({
  sql: filled(hotAndCold, { lake_file: sql }),
  params,
});

/** from ≤ ts < to, of which the table may have lost some; `cold` finds the file that has it, where there is one. */
export type Stretch = { from_us: number; to_us: number; cold?: () => Promise<LakeTable | undefined> };

export class Lake {
  readonly storage: LakeStorage;
  /** Days before this one may have left the table sooner than retention says; 0: none has. */
  forgotten_before_us = 0;
  readonly #retention_us: number;

  /** @param retention_days how long the table keeps what the lake has as well */
  constructor(storage: LakeStorage, retention_days: number) {
    this.storage = storage;
    this.#retention_us = retention_days * DAY_US;
  }

  /** A table engine over all files of a tenant, as text of SQL; they have the columns of mtc.observations. */
  engineOf(tenant: string): string {
    return this.storage.engine(tenantFiles(tenant));
  }

  /** Whether the table need not have a day any more. */
  isExpired(day_us: number, now_us: number): boolean {
    return day_us + DAY_US + this.#retention_us <= now_us;
  }

  /**
   * Splits a span, in order: each day that the table may have lost and the lake has stands alone. Files are looked up
   * when their turn comes, so a page costs the days that it shows.
   */
  async stretches(
    tenant: string,
    machine: string,
    { from_us, to_us, now_us }: { from_us: number; to_us: number; now_us: number },
  ): Promise<Stretch[]> {
    // A day early: until the last row of a day is too old, the day is whole in the table.
    const mayBeLost = (day_us: number): boolean =>
      day_us < this.forgotten_before_us || this.isExpired(day_us - DAY_US, now_us);
    if (!mayBeLost(from_us - (from_us % DAY_US))) return [{ from_us, to_us }];
    const found: Stretch[] = [];
    let at_us = from_us;
    for (const date of await lakeDates(this.storage, tenant)) {
      const day_us = Date.parse(date) * 1_000;
      const [begin_us, end_us] = [Math.max(from_us, day_us), Math.min(to_us, day_us + DAY_US)];
      if (begin_us >= end_us || !mayBeLost(day_us)) continue;
      if (at_us < begin_us) found.push({ from_us: at_us, to_us: begin_us });
      found.push({ from_us: begin_us, to_us: end_us, cold: () => this.#file(tenant, machine, date) });
      at_us = end_us;
    }
    if (at_us < to_us) found.push({ from_us: at_us, to_us });
    return found;
  }

  async #file(tenant: string, machine: string, date: string): Promise<LakeTable | undefined> {
    const manifest = await readManifest(this.storage, tenant, date);
    const file = manifest?.files.find((one) => one.machine === machine);
    return file && this.storage.table(`${dayFolder(tenant, date)}/${file.file}`);
  }
}
