// A sink for tests: keeps in memory what a collector handed over, and drops a repeated batch as the store does.
import { observations } from "../columns.ts";
import type { GapData } from "../event.ts";
import type { AssetRecord, Checkpoint, Observation, Sink } from "./source.ts";

type Gap = GapData["gap"] & { machine_id: string };

export class MemorySink implements Sink {
  readonly rows: (Observation & { machine_id: string })[] = [];
  readonly checkpoints = new Map<string, Checkpoint>();
  /** The latest of each gap, by machine, start and cause. */
  readonly gaps = new Map<string, Gap>();
  readonly appends: { keys: string[]; rows: number }[] = [];
  readonly assetRecords: AssetRecord[] = [];
  readonly #seen = new Set<string>();
  /** Called before every append: throw to refuse, wait to hold back. */
  before: () => Promise<void> | void = () => undefined;

  async append(...[batches, checkpoint]: Parameters<Sink["append"]>): Promise<void> {
    await this.before();
    this.appends.push({
      keys: batches.map((b) => b.dedupe_key),
      rows: batches.reduce((n, b) => n + b.columns.rows, 0),
    });
    for (const { machine_id, columns, dedupe_key } of batches) {
      const key = `${machine_id} ${dedupe_key}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      for (const observation of observations(columns.columns()))
        this.rows.push({ machine_id, ...observation });
    }
    if (checkpoint) this.checkpoints.set(checkpoint.agent, { ...checkpoint });
  }

  async checkpoint(agent: string): Promise<Checkpoint | undefined> {
    return this.checkpoints.get(agent);
  }

  async assets(records: AssetRecord[]): Promise<void> {
    for (const record of records) {
      const key = `${record.machine_id} ${record.dedupe_key}`;
      if (!this.#seen.has(key)) this.assetRecords.push(record);
      this.#seen.add(key);
    }
  }

  async gap(machine_id: string, gap: GapData["gap"]): Promise<void> {
    this.gaps.set(`${machine_id} ${gap.from_us} ${gap.cause}`, { machine_id, ...gap });
  }

  async openGaps(machine_id: string): Promise<{ from_us: number; cause: GapData["gap"]["cause"] }[]> {
    return [...this.gaps.values()].filter((gap) => gap.machine_id === machine_id && gap.to_us === 0);
  }

  /** Gaps that take time away: open ones and those with a length. */
  lost(): Gap[] {
    return [...this.gaps.values()].filter(({ from_us, to_us }) => to_us !== from_us);
  }

  /** One signal's values in sequence order. */
  values(machine_id: string, signal: string): (number | string | null)[] {
    return this.rows
      .filter((row) => row.machine_id === machine_id && row.signal === signal)
      .sort((a, b) => a.seq - b.seq)
      .map(({ value }) => value);
  }
}
