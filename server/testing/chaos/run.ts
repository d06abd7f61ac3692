// For tests: a chaos run: clients that post, faults one after the other and a little over each other, and what is left.
import { pace, until } from "../../../.ci/limits.ts";
import { randomOf, shuffled } from "../../../analytics-sql/testing/arrival.ts";
import { callTo, type TestServer } from "../server.ts";
import type { Fault, Random } from "./fault.ts";
import { figuresOff, IDEAL_CYCLE_S } from "./figures.ts";
import { type EventsBy, type Kept, Ledger, rowsQuery, type Verdict } from "./ledger.ts";
import { Sources } from "./sources.ts";
import { type Standing, silence, Watch } from "./watch.ts";
import { BATCH_US, type Tally, Writer } from "./writer.ts";

/** What a run needs of whatever it torments. */
export type Plant = {
  /** Where the program takes observations. */
  origins: readonly string[];
  /** To one of its processes that serve. */
  readonly call: TestServer["call"];
  readonly standing: Standing;
  /** Resolves when everything acknowledged so far can be queried. */
  settled(): Promise<void>;
  eventsBy(): Promise<EventsBy>;
  /** What its processes said, for whoever looks into a failure. */
  output(): string;
};

export type ChaosOptions = {
  seed: number;
  minutes: number;
  machines: number;
  /** Between two batches of a machine. */
  every_ms: number;
  /** Each fault once, however long that takes, and no more. */
  once?: boolean;
  log: (line: string) => void;
};

export type Recovery = { fault: string; ms: number };

export type Outcome = {
  recoveries: Recovery[];
  /** What was not tried, and what it needs. */
  skipped: string[];
  /** What the program did that it must not do, and faults that it did not recover from. */
  failed: string[];
  tally: Tally;
  batches: number;
  observations: number;
  told_by_sources: number;
  silent: ReturnType<typeof silence>;
  health: { asked: number; unwell: string[] };
  verdict: Verdict;
};

/** Of the faults so many begin while the one before is not over. */
const OVERLAPPING = 0.3;
const PAUSE_MS = 500;
const HOUR_US = 3_600_000_000;

/** Torments the plant. @returns what was tried, and what is wrong in the end */
export async function chaos<P extends Plant>(
  plant: P,
  faults: readonly Fault<P>[],
  options: ChaosOptions,
): Promise<Outcome> {
  const run = new Run(plant, options);
  await run.begin();
  try {
    await run.torment(faults);
    return await run.end();
  } finally {
    await run.leave();
  }
}

const repeated = <P>(fault: Fault<P>): Fault<P>[] => Array.from({ length: fault.times ?? 1 }, () => fault);

class Run<P extends Plant> {
  readonly #plant: P;
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #ledger = new Ledger();
  readonly #tally: Tally = {
    "sent again": 0,
    "with another key": 0,
    late: 0,
    "out of order": 0,
    "no answer": 0,
  };
  readonly #writers: Writer[];
  readonly #t0_us: number;
  readonly #recoveries: Recovery[] = [];
  readonly #failed: string[] = [];
  readonly #skipped: string[] = [];
  #writing: Promise<unknown> = Promise.resolve();
  #sources: Sources | undefined;
  #watch: Watch | undefined;
  #begun_ms = 0;

  constructor(plant: P, options: ChaosOptions) {
    this.#plant = plant;
    this.#options = options;
    this.#random = randomOf(options.seed);
    // All of it is in the past when the run ends, on a slow machine too.
    const length_us = ((options.minutes * 60_000) / options.every_ms) * BATCH_US;
    this.#t0_us = Math.floor((Date.now() * 1_000 - length_us) / HOUR_US - 1) * HOUR_US;
    this.#writers = Array.from({ length: options.machines }, (_, n) => this.#writer(n));
  }

  #writer(n: number): Writer {
    return new Writer({
      machine: `chaos-${n}`,
      t0_us: this.#t0_us,
      every_ms: this.#options.every_ms,
      origins: () => this.#plant.origins,
      ledger: this.#ledger,
      // Of its own: what it draws does not depend on when the others do.
      random: randomOf(this.#options.seed + 1 + n),
      tally: this.#tally,
    });
  }

  async begin(): Promise<void> {
    const { call, origins } = this.#plant;
    for (const { machine } of this.#writers) {
      await call("POST", "/api/v1/machines", { id: machine, name: machine });
      const cycle_times = [{ valid_from: "2000-01-01T00:00:00Z", ideal_cycle_s: IDEAL_CYCLE_S }];
      await call("PUT", `/api/v1/machines/${machine}/cycle-times`, cycle_times);
    }
    // Until then a process would say that there is no such machine.
    for (const origin of origins)
      for (const { machine } of this.#writers)
        await until(async () => (await callTo(origin)("GET", `/api/v1/machines/${machine}`)).status === 200);
    this.#sources = await Sources.start(call);
    this.#watch = new Watch(() => this.#plant.standing);
    this.#begun_ms = performance.now();
    this.#writing = Promise.all(
      this.#writers.map((writer) => writer.run().catch((error: Error) => this.#failed.push(error.message))),
    );
  }

  /** Until the time is over, or each has been as often as it comes in a round. */
  async torment(faults: readonly Fault<P>[]): Promise<void> {
    const end_ms = this.#begun_ms + 60_000 * this.#options.minutes;
    const possible = this.#possible(faults);
    const round = this.#options.once ? possible : possible.flatMap(repeated);
    let under_way: { fault: Fault<P>; done: Promise<void> } | undefined;
    do {
      for (const fault of shuffled(round, this.#random)) {
        if (!this.#options.once && performance.now() > end_ms) break;
        const overlaps = this.#random() < OVERLAPPING && under_way?.fault !== fault;
        if (!overlaps) await under_way?.done;
        await pace(PAUSE_MS * this.#random());
        const before = under_way?.done;
        under_way = { fault, done: this.#undergo(fault) };
        await before;
      }
    } while (!this.#options.once && performance.now() < end_ms);
    await under_way?.done;
  }

  #possible(faults: readonly Fault<P>[]): Fault<P>[] {
    return faults.filter((fault) => {
      const lack = fault.lacks?.(this.#plant);
      if (lack === undefined) return true;
      this.#skipped.push(`${fault.name} (needs ${lack})`);
      this.#options.log(`skipped: ${fault.name} (needs ${lack})`);
      return false;
    });
  }

  async #undergo(fault: Fault<P>): Promise<void> {
    const at_s = ((performance.now() - this.#begun_ms) / 1_000).toFixed(1).padStart(6);
    // Of its own: the order of the faults does not depend on how long each takes.
    const random = randomOf(2 ** 32 * this.#random());
    try {
      const over_ms = await fault.run(this.#plant, random);
      await this.#recovered(over_ms);
      const ms = Math.round(performance.now() - over_ms);
      this.#recoveries.push({ fault: fault.name, ms });
      this.#options.log(`${at_s} s  ${fault.name}: recovered in ${ms} ms`);
    } catch (error) {
      this.#failed.push(`${fault.name}: ${(error as Error).message}`);
      this.#options.log(`${at_s} s  ${fault.name}: ${(error as Error).message}`);
    }
  }

  /** A batch that came after it is acknowledged and can be asked for, and no part of the program says that it is down. */
  async #recovered(over_ms: number): Promise<void> {
    const batch = await until(
      () => (this.#ledger.acknowledged_ms.at(-1) ?? 0) > over_ms && this.#ledger.last,
    );
    const at = (us: number): string => new Date(us / 1_000).toISOString();
    const from_us = batch.rows[0]?.ts_us ?? 0;
    const window = `from=${at(from_us)}&to=${at(from_us + 1_000)}&signal=execution&limit=1`;
    await until(async () => {
      const answer = await this.#get<{ rows: unknown[] }>(
        `/api/v1/machines/${batch.machine}/observations?${window}`,
      );
      return answer?.status === 200 && answer.body.rows.length === 1;
    });
    await until(async () => (await this.#get<{ down: unknown[] }>("/readyz"))?.body.down?.length === 0);
  }

  /** @returns undefined of a program that is not there */
  #get<T>(path: string) {
    return this.#plant.call<T>("GET", path).catch(() => undefined);
  }

  /** All that was held back is sent; then what there is is compared with what was acknowledged. */
  async end(): Promise<Outcome> {
    for (const writer of this.#writers) writer.stop();
    await this.#writing;
    const ended_ms = performance.now();
    await this.#watch?.stop();
    await this.#plant.settled();
    const off = await this.#sources?.settle(this.#plant.call);
    const verdict = this.#ledger.verdict(await this.#kept());
    verdict.different.push(...(off ?? []));
    const span = { from_us: this.#t0_us, to_us: Math.max(...this.#writers.map(({ end_us }) => end_us)) };
    for (const { machine } of this.#writers)
      verdict.different.push(...(await figuresOff(this.#plant.call, this.#ledger, machine, span)));
    return {
      recoveries: this.#recoveries,
      skipped: this.#skipped,
      failed: this.#failed,
      tally: this.#tally,
      batches: this.#ledger.batches,
      observations: this.#ledger.observations,
      told_by_sources: 2 * (this.#sources?.told ?? 0),
      silent: silence(this.#ledger.acknowledged_ms, this.#begun_ms, ended_ms),
      health: { asked: this.#watch?.asked ?? 0, unwell: this.#watch?.unwell ?? [] },
      verdict,
    };
  }

  async #kept(): Promise<Map<string, Kept>> {
    const events = await this.#plant.eventsBy();
    const kept = new Map<string, Kept>();
    for (const { machine } of this.#writers) {
      const path = `/sql/?query=${encodeURIComponent(rowsQuery(machine))}`;
      const text = await until(async () => {
        const answer = await this.#plant.call<string>("GET", path);
        return answer.status === 200 && answer.body;
      });
      kept.set(machine, { events: events.get(machine) ?? [], rows: text.split("\n").filter(Boolean) });
    }
    return kept;
  }

  async leave(): Promise<void> {
    for (const writer of this.#writers) writer.stop();
    await this.#watch?.stop();
    await this.#sources?.stop();
  }
}
