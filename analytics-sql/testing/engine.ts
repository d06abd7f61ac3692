// An engine of its own for a test file, in a directory that goes with it; what is inserted arrives twice and shuffled.
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "../engine/embedded.ts";
import type { Engine } from "../engine/engine.ts";
import { arrival, shuffled } from "./arrival.ts";
import { prepareEngine } from "./prepared.ts";

/** The engine to which every event comes twice, in a random order. */
export const testEngine = (rawRetentionDays?: number): Promise<Engine> =>
  plainEngine(rawRetentionDays).then(storm);

/**
 * Opens chDB for this process; it holds one data directory, so tests take machines of their own instead. For tests that
 * say themselves in which order events arrive.
 */
export async function plainEngine(rawRetentionDays = 36_500): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "mtc-analytics-"));
  const path = join(folder, "chdb");
  await prepareEngine(path);
  const engine = await openEmbedded({ path, rawRetentionDays });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return engine;
}

/**
 * The same engine, to which every event is delivered twice, each time among its neighbours in a random order: what
 * may happen to any event at any time must change no expectation of any test (invariants 2 and 3).
 */
function storm(engine: Engine): Engine {
  const random = arrival();
  return {
    ...engine,
    async insertEvents({ bytes, events }, into) {
      for (let times = 0; times < 2; times++)
        await engine.insertEvents({ bytes, events: shuffled([...events], random) }, into);
    },
  };
}
