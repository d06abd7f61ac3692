// For tests: clients that count, one batch a second each, and a ledger of what was acknowledged held against analytics.
import { expect } from "bun:test";
import { pace, SLOWNESS, until } from "../../.ci/limits.ts";
import type { TestServer } from "./server.ts";

export type Counting = {
  /** Machines, each with a client. */
  clients: number;
  /** Observations of a batch. */
  rows: number;
  /** Of so many observations one is a part; the others are samples of a load. */
  part_every: number;
  /** Time of the first observation. */
  t0_ms: number;
};

const DAY_MS = 86_400_000;
const SIGNALS = ["part_count", "load"];
/** Whoever is told to come again does so, as long as this and no longer. */
const PATIENCE_MS = 60_000;

/** Sends counters that go up by one with each observation: a part's, and a load's. */
class Client {
  readonly id: string;
  readonly #counting: Counting;
  readonly #offset_ms: number;
  batches = 0;
  /** How often it was told to come again. */
  refused = 0;
  /** When batches were acknowledged, ms. */
  readonly acked_ms: number[] = [];

  constructor(n: number, counting: Counting) {
    this.id = `counter-${n}`;
    this.#counting = counting;
    this.#offset_ms = (1_000 * n) / counting.clients;
  }

  /** One batch a second, each again until it is acknowledged: of a second that was missed none is left out. */
  async run(server: TestServer, running: () => boolean): Promise<void> {
    await pace(this.#offset_ms);
    const begun_ms = Date.now();
    while (running()) {
      const next_ms = begun_ms + 1_000 * (this.acked_ms.length + 1);
      await this.#send(server);
      this.batches += 1;
      this.acked_ms.push(Date.now());
      await pace(Math.max(0, next_ms - Date.now()));
    }
  }

  /** @throws where it is not acknowledged, and not told when to come again */
  async #send(server: TestServer): Promise<void> {
    const [path, batch] = [`/internal/machines/${this.id}/data`, this.#batch(this.batches)];
    const key = { "idempotency-key": `${this.id}-${this.batches}` };
    const until_ms = Date.now() + PATIENCE_MS * SLOWNESS;
    for (;;) {
      const { status, body, headers } = await server.call("POST", path, batch, key);
      if (status === 202) return;
      this.refused += 1;
      const again_s = Number(headers.get("retry-after"));
      expect([status, again_s > 0, body]).toEqual([503, true, body]);
      if (Date.now() > until_ms) throw new Error(`${this.id}: refused for ${PATIENCE_MS / 1_000} s`);
      await pace(1_000 * again_s);
    }
  }

  #batch(n: number): object {
    const { rows, t0_ms } = this.#counting;
    const each = Array.from({ length: rows }, (_, i) => n * rows + i);
    return {
      signals: SIGNALS,
      signal: each.map((i) => (this.#isPart(i) ? 0 : 1)),
      t0: (t0_ms + n * 1_000) * 1_000,
      dt: each.map((_, i) => i * Math.floor(1_000_000 / rows)),
      num: each.map((i) => (this.#isPart(i) ? this.#partsBefore(i) : i)),
    };
  }

  #isPart = (i: number): boolean => i % this.#counting.part_every === 0;
  /** Of the observations before that one. */
  #partsBefore = (i: number): number => Math.ceil(i / this.#counting.part_every);

  get rows(): number {
    return this.batches * this.#counting.rows;
  }

  /** What is in the log of it: by signal how many, how many different ones, and their sum. */
  get ledger(): string {
    const parts = this.#partsBefore(this.rows);
    const sum_of_parts = (parts * (parts - 1)) / 2;
    const loads = this.rows - parts;
    const sum_of_loads = (this.rows * (this.rows - 1)) / 2 - this.#counting.part_every * sum_of_parts;
    const lines = [
      ["load", loads, loads, sum_of_loads],
      ["part_count", parts, parts, sum_of_parts],
    ];
    return lines
      .filter(([, count]) => count !== 0)
      .map((line) => `${line.join("\t")}\n`)
      .join("");
  }

  /** The last value, which is the count of parts: the first one is 0. */
  get total(): number {
    return this.#partsBefore(this.rows) - 1;
  }
}

/** What was acknowledged while clients counted. */
export type Acknowledged = { rows: number; refused: number; longest_wait_ms: number; seconds: number };

/** Many clients that count, until they are stopped. */
export class Counters {
  readonly #server: TestServer;
  readonly #clients: Client[];
  readonly #t0_ms: number;
  #running = true;
  #sending: Promise<unknown> = Promise.resolve();
  #begun_ms = 0;

  private constructor(server: TestServer, counting: Counting) {
    this.#server = server;
    this.#t0_ms = counting.t0_ms;
    this.#clients = Array.from({ length: counting.clients }, (_, n) => new Client(n, counting));
  }

  /** Makes their machines, and has all of them count. */
  static async start(server: TestServer, counting: Counting): Promise<Counters> {
    const made = new Counters(server, counting);
    for (const { id } of made.#clients) await server.call("POST", "/api/v1/machines", { id, name: id });
    made.#begun_ms = Date.now();
    made.#sending = Promise.all(made.#clients.map((client) => client.run(server, () => made.#running)));
    // It is told where they are stopped, however early one of them failed.
    made.#sending.catch(() => {});
    return made;
  }

  /** From the first observation's day to the last one's, both whole. */
  get window(): string {
    const day = (ms: number): string => new Date(Math.floor(ms / DAY_MS) * DAY_MS).toISOString();
    const last_ms = this.#t0_ms + 1_000 * Math.max(...this.#clients.map(({ batches }) => batches));
    return `from=${day(this.#t0_ms)}&to=${day(last_ms + DAY_MS)}`;
  }

  /** @throws what a client met with */
  async stop(): Promise<Acknowledged> {
    this.#running = false;
    await this.#sending;
    const ended_ms = Date.now();
    const acked_ms = this.#clients.flatMap((client) => client.acked_ms).sort((a, b) => a - b);
    const waits_ms = acked_ms.map((at_ms, i) => at_ms - (acked_ms[i - 1] ?? this.#begun_ms));
    return {
      rows: this.#clients.reduce((sum, { rows }) => sum + rows, 0),
      refused: this.#clients.reduce((sum, { refused }) => sum + refused, 0),
      longest_wait_ms: Math.max(...waits_ms),
      seconds: (ended_ms - this.#begun_ms) / 1_000,
    };
  }

  /** Holds figures and rows of each machine against the ledger: all that was acknowledged, once. */
  async expectAllThere(): Promise<void> {
    await this.#server.settled();
    const report = `/api/v1/oee?${this.window}&by=machine`;
    const { body: oee } = await until(async () => {
      const answer = await this.#server.call<{ rows: { machine_id: string; total_count: number }[] }>(
        "GET",
        report,
      );
      return answer.status === 200 && answer;
    });
    const own = new Set(this.#clients.map(({ id }) => id));
    const counted = oee.rows.filter(({ machine_id }) => own.has(machine_id));
    expect(Object.fromEntries(counted.map((row) => [row.machine_id, row.total_count]))).toEqual(
      Object.fromEntries(this.#clients.map(({ id, total }) => [id, total])),
    );
    for (const { id, ledger } of this.#clients) {
      const query = `SELECT signal, count(), uniqExact(num), toUInt64(sum(num)) FROM observations WHERE machine_id = '${id}' GROUP BY signal ORDER BY signal`;
      const { body } = await this.#server.call("GET", `/sql/?query=${encodeURIComponent(query)}`);
      expect([id, body]).toEqual([id, ledger]);
    }
  }
}
