// For tests: kill -9 at random moments while clients post, and a ledger of what was acknowledged against what is counted.
import { expect, test } from "bun:test";
import { limit_ms, pace } from "../../.ci/limits.ts";
import { discard, onCluster, startServer, type TestServer, tempDir } from "./server.ts";

const CLIENTS = 20;
/** How long a process lives at most. A server in MongoDB's place takes longer than SQLite for the same. */
const LIFE_MS = onCluster ? 2_000 : 320;
const SIGNALS_T0_MS = Date.parse("2026-01-05T06:00:00Z");

/** Posts one count after the other, each again (with its key) until it is acknowledged: what a good client does. */
class Client {
  readonly id: string;
  /** Every count up to this one was acknowledged. */
  acked = 0;
  /** Event ids by count, as acknowledged. */
  readonly ids = new Map<number, string>();

  constructor(n: number) {
    this.id = `client-${n}`;
  }

  /** Posts until the server dies. */
  async run(server: TestServer): Promise<void> {
    for (;;) {
      const count = this.acked + 1;
      const observation = { signal: "part_count", ts: this.time(count), value: count };
      try {
        const { status, body } = await server.call<{ event_id: string }>(
          "POST",
          `/internal/machines/${this.id}/data`,
          { observations: [observation] },
          { "idempotency-key": `${this.id}-${count}` },
        );
        if (status !== 202) throw new Error(`status ${status}`);
        this.acked = count;
        this.ids.set(count, body.event_id);
      } catch {
        return;
      }
    }
  }

  time = (count: number): string => new Date(SIGNALS_T0_MS + count * 1_000).toISOString();
}

/** Defines the test. @param rounds how often it is killed */
export const kills = (rounds: number): void =>
  test(
    `invariants 1 and 2: ${rounds} × kill -9 under ${CLIENTS} clients, every acknowledged event counted once`,
    async () => {
      const data_dir = tempDir();
      const clients = Array.from({ length: CLIENTS }, (_, n) => new Client(n));
      for (let round = 0; round < rounds; round++) {
        const server = await startServer({}, data_dir);
        if (round === 0) {
          for (const { id } of clients) await server.call("POST", "/api/v1/machines", { id, name: id });
          // A first value counts nothing: the counters start at a known 0.
          for (const { id, time } of clients) {
            const observations = [{ signal: "part_count", ts: time(0), value: 0 }];
            await server.call("POST", `/internal/machines/${id}/data`, { observations });
          }
        }
        const posting = clients.map((client) => client.run(server));
        await pace(20 + Math.random() * (LIFE_MS - 20));
        await server.kill();
        await Promise.all(posting);
      }

      const server = await startServer({}, data_dir);
      await server.settled();
      const acked = clients.reduce((sum, client) => sum + client.acked, 0);
      console.log(`${acked} events acknowledged over ${rounds} kills`);
      expect(acked).toBeGreaterThan(rounds * CLIENTS);
      const window = "from=2026-01-05T00:00:00Z&to=2026-01-07T00:00:00Z";
      const { body: oee } = await server.call<{ rows: { machine_id: string; total_count: number }[] }>(
        "GET",
        `/api/v1/oee?${window}&by=machine`,
      );
      const totals = new Map(oee.rows.map(({ machine_id, total_count }) => [machine_id, total_count]));
      for (const client of clients) {
        // The last one may be stored without its answer having come through; none before it may be missing.
        const { body } = await server.call<{ rows: { ts: string; value: number }[] }>(
          "GET",
          `/api/v1/machines/${client.id}/observations?${window}&signal=part_count&limit=100000`,
        );
        const counts = body.rows.map(({ value }) => value);
        expect(counts).toEqual(Array.from({ length: counts.length }, (_, n) => n));
        expect([client.acked, client.acked + 1]).toContain(counts.length - 1);
        expect(totals.get(client.id)).toBe(counts.length - 1);
        // A retry long after the crash still gets the first event's id.
        const count = Math.max(1, client.acked - 1);
        const again = await server.call<{ event_id: string }>(
          "POST",
          `/internal/machines/${client.id}/data`,
          { observations: [{ signal: "part_count", ts: client.time(count), value: count }] },
          { "idempotency-key": `${client.id}-${count}` },
        );
        expect(again.body.event_id).toBe(client.ids.get(count) ?? "");
      }
      await discard(server);
    },
    limit_ms(480),
  );
