// For tests: the engine's process killed again and again under load, and every figure held against what was acknowledged.
import { expect, test } from "bun:test";
import { limit_ms, pace, until } from "../../.ci/limits.ts";
import { killEngine } from "./engine-process.ts";
import { discard, metric, startServer, type TestServer } from "./server.ts";

type Load = {
  kills: number;
  /** Machines, each with a client that sends one batch a second. */
  clients: number;
  /** Observations of a batch. */
  rows: number;
  /** Between two kills at most. */
  life_ms: number;
};

const T0_MS = Date.parse("2026-01-05T06:00:00Z");
const WINDOW = "from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z";
const SIGNAL = "part_count";

/** Sends a counter that goes up by one with each observation. */
class Client {
  readonly id: string;
  readonly #rows: number;
  batches = 0;
  /** When batches were acknowledged, ms. */
  readonly acked_ms: number[] = [];

  readonly #offset_ms: number;

  constructor(n: number, of: number, rows: number) {
    this.id = `counter-${n}`;
    this.#offset_ms = (1_000 * n) / of;
    this.#rows = rows;
  }

  /** One batch a second, each again until it is acknowledged: of a second that was missed none is left out. */
  async run(server: TestServer, running: () => boolean): Promise<void> {
    await pace(this.#offset_ms);
    const begun_ms = Date.now();
    while (running()) {
      const next_ms = begun_ms + 1_000 * (this.acked_ms.length + 1);
      const { status, body } = await server.call(
        "POST",
        `/internal/machines/${this.id}/data`,
        this.#batch(this.batches),
        { "idempotency-key": `${this.id}-${this.batches}` },
      );
      // A 202 is never in danger.
      expect([status, body]).toEqual([202, body]);
      this.batches += 1;
      this.acked_ms.push(Date.now());
      await pace(Math.max(0, next_ms - Date.now()));
    }
  }

  #batch(n: number): object {
    const each = Array.from({ length: this.#rows }, (_, i) => i);
    return {
      signals: [SIGNAL],
      signal: each.map(() => 0),
      t0: (T0_MS + n * 1_000) * 1_000,
      dt: each.map((i) => i * Math.floor(1_000_000 / this.#rows)),
      num: each.map((i) => n * this.#rows + i),
    };
  }

  /** The last value, which is the count of parts: the first one is 0. */
  get total(): number {
    return this.batches * this.#rows - 1;
  }
}

/** Defines the test. */
export const engineKills = ({ kills, clients: n, rows, life_ms }: Load): void =>
  test.skipIf(process.platform !== "linux")(
    `invariants 1, 2 and 6: ${kills} × kill -9 of the engine at ${n * rows} observations/s, no figure wrong, no second without acknowledgements`,
    async () => {
      const server = await startServer();
      const clients = Array.from({ length: n }, (_, i) => new Client(i, n, rows));
      for (const { id } of clients) await server.call("POST", "/api/v1/machines", { id, name: id });
      let running = true;
      const sending = Promise.all(clients.map((client) => client.run(server, () => running)));
      const begun_ms = Date.now();
      for (let i = 0; i < kills; i++) {
        await pace(200 + Math.random() * (life_ms - 200));
        await until(() => killEngine(server.pid));
        // Reports say that they are to be asked again, and are answered again.
        await until(async () => {
          const { status, body, headers } = await server.call("GET", `/api/v1/oee?${WINDOW}`);
          if (status === 200) return true;
          expect([status, body]).toEqual([503, body]);
          expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
          return false;
        });
      }
      running = false;
      await sending;
      const ended_ms = Date.now();
      expect(await metric(server, "mtc_engine_restarts")).toBe(kills);

      await server.settled();
      const { body: oee } = await server.call<{ rows: { machine_id: string; total_count: number }[] }>(
        "GET",
        `/api/v1/oee?${WINDOW}&by=machine`,
      );
      const counted = Object.fromEntries(oee.rows.map((row) => [row.machine_id, row.total_count]));
      expect(counted).toEqual(Object.fromEntries(clients.map(({ id, total }) => [id, total])));
      for (const { id, batches } of clients) {
        const query = `SELECT count(), uniqExact(num) FROM observations WHERE machine_id = '${id}'`;
        const { body } = await server.call("GET", `/sql/?query=${encodeURIComponent(query)}`);
        expect([id, body]).toEqual([id, `${batches * rows}\t${batches * rows}\n`]);
      }
      const acked_ms = clients.flatMap((client) => client.acked_ms).sort((a, b) => a - b);
      const waits = acked_ms.map((at_ms, i) => at_ms - (acked_ms[i - 1] ?? begun_ms));
      const seconds = (ended_ms - begun_ms) / 1_000;
      console.log(
        `${acked_ms.length * rows} observations acknowledged in ${seconds.toFixed(1)} s over ${kills} kills; ` +
          `longest time without an acknowledgement ${Math.max(...waits)} ms`,
      );
      expect(Math.max(...waits)).toBeLessThan(limit_ms() / 60);
      await discard(server);
    },
    limit_ms(60 + kills * 12),
  );
