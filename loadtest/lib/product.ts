// The product under test: started as its users start it, asked through its own API, its data counted at the end.
import { discard, emptied, startServer, TEST_KEY, type TestServer } from "../../server/testing/server.ts";
import type { Count, CountJob } from "./count.process.ts";
import { type Load, type LoadJob, sendLoad } from "./load.ts";
import { machineId, type Series } from "./observations.ts";
import { clock_ms, runProcess } from "./process.ts";

export type Product = {
  server: TestServer;
  /** Sends batches with our key. */
  load(job: Omit<LoadJob, "origin" | "key">): Promise<Load>;
  /** Waits until everything acknowledged can be queried. @returns when that was, ms since 1970 */
  settled_ms(): Promise<number>;
};

/** How many machines are created at once. */
const CREATE_AT_ONCE = 50;
/** Longer than any test would wait. */
const SETTLES_S = 3_600;

/** Starts the product for `use`, with so many machines that take HTTP, and takes everything away afterwards. */
export async function withProduct<T>(machines: number, use: (product: Product) => Promise<T>): Promise<T> {
  const server = await startServer();
  try {
    await createMachines(server, machines, () => ({ kind: "http" }));
    return await use({
      server,
      load: (job) => sendLoad({ ...job, origin: server.origin, key: TEST_KEY }),
      async settled_ms() {
        await emptied(server.call, SETTLES_S);
        return clock_ms();
      },
    });
  } finally {
    await discard(server);
  }
}

/** Makes the machines `bench-0000` … with a source each. */
export async function createMachines(
  server: TestServer,
  count: number,
  source: (n: number) => object,
): Promise<void> {
  for (let first = 0; first < count; first += CREATE_AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(CREATE_AT_ONCE, count - first) }, async (_, i) => {
        const id = machineId(first + i);
        const { status } = await server.call("POST", "/api/v1/machines", {
          id,
          name: id,
          source: source(first + i),
        });
        if (status !== 201) throw new Error(`machine ${id} was answered with ${status}`);
      }),
    );
  }
}

/** Stops the product and counts what its analytics hold. @throws where that is not exactly `rows` */
export async function expectRows({ server }: Product, rows: number): Promise<void> {
  await server.stop();
  const counted = await runProcess<CountJob, Count>("count.process.ts", { data_dir: server.data_dir });
  if (counted.rows !== rows)
    throw new Error(`${counted.rows} observations are there, ${rows} were acknowledged`);
}

/** Yesterday's midnight, UTC: all of a bench's time lies behind us, and on one day. */
export const yesterday_us = (): number => (Math.floor(Date.now() / 86_400_000) - 1) * 86_400_000_000;

/** A hundred machines' telemetry in batches of 500. */
export const telemetry = (rows = 500): Series => ({
  kind: "telemetry",
  machines: 100,
  rows,
  base_us: yesterday_us(),
});
