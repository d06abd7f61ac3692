// For tests: what was acknowledged, and what of it is kept: nothing lost, nothing twice, nothing that nobody sent.
import type { Seen } from "../../../analytics-sql/testing/plant.ts";
import type { Kept as KeptEvent } from "../kept.ts";

export type Batch = { machine: string; key: string; rows: Seen[] };

/** What is kept of a machine in the end. */
export type Kept = {
  /** Ids of its events in the log. */
  events: string[];
  /** Its observations in analytics, as `textOf` has them. */
  rows: string[];
};

/** What is wrong, each in words. */
export type Verdict = { lost: string[]; doubled: string[]; different: string[] };

/** An observation in one line, as `rowsQuery` has it printed. */
export const textOf = ({ signal, ts_us, value }: Seen): string => `${signal}\t${ts_us}\t${value}`;

/** The same of what is kept. */
export const rowsQuery = (machine: string): string =>
  `SELECT signal, toUnixTimestamp64Micro(ts), if(word = '', toString(num), word) FROM observations WHERE machine_id = '${machine}'`;

/** Ids of the events of observations in the log, by machine. */
export type EventsBy = ReadonlyMap<string, string[]>;

/** @param all of the log's events */
export function observationsBy(all: KeptEvent[]): EventsBy {
  const machines = Map.groupBy(
    all.filter(({ type }) => type === "mtc.observations.v1"),
    ({ machine_id }) => machine_id,
  );
  return new Map([...machines].map(([machine, events]) => [machine, events.map(({ id }) => id)]));
}

export class Ledger {
  readonly #batches: Batch[] = [];
  /** Of each key the event that it was acknowledged as. */
  readonly #events = new Map<string, string>();
  readonly #twice: string[] = [];
  /** When, ms of `performance.now`. */
  readonly acknowledged_ms: number[] = [];
  /** The one that was acknowledged last. */
  last: Batch | undefined;

  /** Notes an answer: the first one for a key, or one to the same request again. */
  acknowledge(batch: Batch, event_id: string): void {
    this.acknowledged_ms.push(performance.now());
    this.last = batch;
    const known = this.#events.get(batch.key);
    if (known === undefined) {
      this.#batches.push(batch);
      this.#events.set(batch.key, event_id);
    } else if (known !== event_id)
      this.#twice.push(`${batch.key} is event ${known}, and event ${event_id} when it was sent again`);
  }

  get batches(): number {
    return this.#batches.length;
  }

  get observations(): number {
    return this.#batches.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  get machines(): string[] {
    return [...new Set(this.#batches.map(({ machine }) => machine))];
  }

  /** All that a machine was acknowledged, each observation once: what is equal is one (SPEC 2.3). */
  seenBy(machine: string): Seen[] {
    const own = this.#batches.filter((batch) => batch.machine === machine).flatMap(({ rows }) => rows);
    return [...new Map(own.map((seen) => [textOf(seen), seen])).values()];
  }

  /** @param kept of each machine, as it is found in the end */
  verdict(kept: ReadonlyMap<string, Kept>): Verdict {
    const verdict: Verdict = { lost: [], doubled: [...this.#twice], different: [] };
    for (const machine of this.machines) {
      const { events, rows } = kept.get(machine) ?? { events: [], rows: [] };
      const own = this.#batches.filter((batch) => batch.machine === machine);
      const acknowledged = own.map(({ key }) => this.#events.get(key) ?? "");
      hold(`${machine}: event`, acknowledged, events, verdict);
      hold(`${machine}: observation`, this.seenBy(machine).map(textOf), rows, verdict);
    }
    return verdict;
  }
}

/** Each that was acknowledged is there once, and nothing else is. */
function hold(what: string, acknowledged: string[], found: string[], verdict: Verdict): void {
  const wanted = new Set(acknowledged);
  const there = new Set<string>();
  for (const one of found) {
    if (!wanted.has(one)) verdict.doubled.push(`${what} ${one} is there, and nobody was told so`);
    else if (there.has(one)) verdict.doubled.push(`${what} ${one} is there twice`);
    there.add(one);
  }
  for (const one of wanted) if (!there.has(one)) verdict.lost.push(`${what} ${one}`);
}
