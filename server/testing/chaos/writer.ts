// For tests: a client that posts batches for one machine through whatever happens, each until it is acknowledged.
import { limit_ms, pace } from "../../../.ci/limits.ts";
import { shuffled } from "../../../analytics-sql/testing/arrival.ts";
import { columns, type Seen } from "../../../analytics-sql/testing/plant.ts";
import { TEST_KEY } from "../server.ts";
import type { Random } from "./fault.ts";
import type { Batch, Ledger } from "./ledger.ts";

/** Event time of a batch: it goes faster than the clock, so that there is something to count. */
export const BATCH_US = 10_000_000;
const LOADS = 4;
/** Of the batches: sent again with its key, with another key, and held back for some others. */
const AGAIN = 0.15;
const OTHER_KEY = 0.05;
const LATE = 0.1;
const LATEST_BATCHES = 30;
/** So many gather at most, and leave in any order. */
const GATHERED = 3;
/** Whoever has no answer, or is told to come again, does so. */
const AGAIN_MS = 100;
/** A request without an answer for so long is given up, and sent again. */
const ANSWER_MS = 10_000;

export type Tally = Record<"sent again" | "with another key" | "late" | "out of order" | "no answer", number>;

export type WriterOptions = {
  machine: string;
  t0_us: number;
  every_ms: number;
  /** Where the program takes observations; the next one is tried where one gives no answer. */
  origins: () => readonly string[];
  ledger: Ledger;
  random: Random;
  tally: Tally;
};

export class Writer {
  readonly #options: WriterOptions;
  #made = 0;
  #parts = 0;
  #turn = 0;
  #running = true;
  #gathered: Batch[] = [];
  #held: { batch: Batch; until: number }[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get machine(): string {
    return this.#options.machine;
  }

  /** Event time after all of its batches. */
  get end_us(): number {
    return this.#options.t0_us + this.#made * BATCH_US;
  }

  /** Posts until it is stopped, then what it still has. @throws where a batch is refused, or never acknowledged */
  async run(): Promise<void> {
    const { every_ms, random } = this.#options;
    while (this.#running) {
      const next_ms = performance.now() + every_ms;
      this.#make();
      if (this.#gathered.length > Math.floor(GATHERED * random())) await this.#send();
      await pace(Math.max(0, next_ms - performance.now()));
    }
    this.#gathered.push(...this.#held.splice(0).map(({ batch }) => batch));
    await this.#send();
  }

  stop(): void {
    this.#running = false;
  }

  #make(): void {
    const { random, tally } = this.#options;
    const batch = this.#next();
    const due = this.#held.filter(({ until }) => until <= this.#made);
    this.#held = this.#held.filter(({ until }) => until > this.#made);
    this.#gathered.push(...due.map((one) => one.batch));
    if (random() < LATE) {
      tally.late += 1;
      this.#held.push({ batch, until: this.#made + 5 + Math.floor(LATEST_BATCHES * random()) });
    } else this.#gathered.push(batch);
  }

  /** What the machine does next: it goes on, stops, fails or falls silent, and makes parts while it runs. */
  #next(): Batch {
    const { machine, t0_us, random } = this.#options;
    const n = this.#made++;
    const from_us = t0_us + n * BATCH_US;
    const seen = (signal: string, after_us: number, value: Seen["value"]): Seen => ({
      signal,
      ts_us: from_us + after_us,
      seq: 0,
      value,
    });
    const execution = EXECUTIONS[Math.floor(EXECUTIONS.length * random())] ?? "ACTIVE";
    if (execution === "ACTIVE") this.#parts += 1 + Math.floor(2 * random());
    const rows = [
      seen("execution", 0, execution),
      seen("part_count", Math.floor(BATCH_US / 2), this.#parts),
      seen("condition:drive", Math.floor(BATCH_US / 4), random() < 0.1 ? "FAULT" : "NORMAL"),
      ...Array.from({ length: LOADS }, (_, i) => seen("load", i * 1_000_000 + 1, n * LOADS + i)),
    ];
    return { machine, key: `${machine}-${n}`, rows };
  }

  /** All that has gathered, at once and in any order. */
  async #send(): Promise<void> {
    const { random, tally } = this.#options;
    const batches = shuffled(this.#gathered.splice(0), random);
    if (batches.length > 1) tally["out of order"] += batches.length;
    await Promise.all(batches.map((batch) => this.#deliver(batch)));
  }

  async #deliver(batch: Batch): Promise<void> {
    const { random, tally } = this.#options;
    await this.#post(batch);
    if (random() < AGAIN) {
      tally["sent again"] += 1;
      await this.#post(batch);
    }
    if (random() < OTHER_KEY) {
      tally["with another key"] += 1;
      await this.#post({ ...batch, key: `${batch.key}-other` });
    }
  }

  /** Until there is a 202, however often it takes. */
  async #post(batch: Batch): Promise<void> {
    const { ledger, origins, tally } = this.#options;
    const end_ms = performance.now() + limit_ms(120);
    for (;;) {
      const all = origins();
      const origin = all[this.#turn % all.length] ?? "";
      const answer = await ask(origin, batch).catch(() => undefined);
      if (answer?.status === 202) {
        ledger.acknowledge(batch, answer.event_id);
        return;
      }
      const again = answer === undefined || answer.status === 503 || answer.status === 429;
      if (!again) throw new Error(`${batch.key} is refused: ${JSON.stringify(answer)}`);
      if (performance.now() > end_ms) throw new Error(`${batch.key} is not acknowledged for minutes`);
      this.#turn += 1;
      tally["no answer"] += 1;
      await pace(AGAIN_MS);
    }
  }
}

const EXECUTIONS = ["ACTIVE", "ACTIVE", "ACTIVE", "READY", "STOPPED", "INTERRUPTED", "UNAVAILABLE"];

async function ask(origin: string, { machine, key, rows }: Batch) {
  const response = await fetch(`${origin}/internal/machines/${machine}/data`, {
    method: "POST",
    headers: { "x-api-key": TEST_KEY, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(columns(rows)),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const body = (await response.json()) as { event_id: string; code?: string };
  return { status: response.status, ...body };
}
