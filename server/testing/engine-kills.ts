// For tests: the engine's process killed again and again under load, and every figure held against what was acknowledged.
import { expect, test } from "bun:test";
import { limit_ms, pace, until } from "../../.ci/limits.ts";
import { Counters } from "./counters.ts";
import { killEngine } from "./engine-process.ts";
import { discard, metric, startServer } from "./server.ts";

type Load = {
  kills: number;
  /** Machines, each with a client that sends one batch a second. */
  clients: number;
  /** Observations of a batch. */
  rows: number;
  /** Of so many observations one is a part. */
  part_every?: number;
  /** Between two kills at most. */
  life_ms: number;
};

const T0_MS = Date.parse("2026-01-05T06:00:00Z");

/** Defines the test. */
export const engineKills = ({ kills, clients, rows, life_ms, part_every = 1 }: Load): void =>
  test.skipIf(process.platform !== "linux")(
    `invariants 1, 2 and 6: ${kills} × kill -9 of the engine at ${clients * rows} observations/s, no figure wrong, no second without acknowledgements`,
    async () => {
      const server = await startServer();
      const counters = await Counters.start(server, { clients, rows, part_every, t0_ms: T0_MS });
      for (let i = 0; i < kills; i++) {
        await pace(200 + Math.random() * (life_ms - 200));
        await until(() => killEngine(server.pid));
        // Reports say that they are to be asked again, and are answered again.
        await until(async () => {
          const { status, body, headers } = await server.call("GET", `/api/v1/oee?${counters.window}`);
          if (status === 200) return true;
          expect([status, body]).toEqual([503, body]);
          expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
          return false;
        });
      }
      const acknowledged = await counters.stop();
      // A 202 is never in danger.
      expect(acknowledged.refused).toBe(0);
      expect(await metric(server, "mtc_engine_restarts")).toBe(kills);
      await counters.expectAllThere();
      console.log(
        `${acknowledged.rows} observations acknowledged in ${acknowledged.seconds.toFixed(1)} s over ${kills} kills; ` +
          `longest time without an acknowledgement ${acknowledged.longest_wait_ms} ms`,
      );
      expect(acknowledged.longest_wait_ms).toBeLessThan(limit_ms() / 60);
      await discard(server);
    },
    limit_ms(60 + kills * 12),
  );
