// Scenarios that go on side by side: a roll-up costs the same for one machine as for all, so they share each of theirs.
import { beforeAll, test } from "bun:test";

type Phase = "write" | "read";

/**
 * Runs all scenarios of a file at once, each on machines of its own, and each as a test of its own: all of them write, then
 * `between` makes what was written fit to be read, then all of them read, and so on until the last has ended. A scenario is
 * written as if it were alone; it waits where the others are not so far.
 * @param between called before reads that follow writes: delivers what was written, and rolls it up for all
 */
export function sideBySide(between: () => Promise<void>) {
  const bodies = new Map<string, () => Promise<void>>();
  const outcomes = new Map<string, Promise<void>>();
  let phase: Phase = "write";
  let active = 0;
  let waiting = 0;
  let turned = Promise.withResolvers<void>();

  async function turnOver(): Promise<void> {
    if (waiting > active)
      throw new Error("a scenario that waits twice: what it asks at once must be of one kind");
    if (active === 0 || waiting < active) return;
    const { resolve, reject } = turned;
    turned = Promise.withResolvers();
    waiting = 0;
    try {
      if (phase === "write") await between();
      phase = phase === "write" ? "read" : "write";
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  async function run(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } finally {
      active--;
      void turnOver();
    }
  }

  beforeAll(() => {
    active = bodies.size;
    for (const [name, body] of bodies) {
      const outcome = run(body);
      // Its own test is told, when its turn has come.
      outcome.catch(() => undefined);
      outcomes.set(name, outcome);
    }
  });

  return {
    /** As `test`. */
    scenario(name: string, body: () => Promise<void>): void {
      if (bodies.has(name)) throw new Error(`two scenarios are named "${name}"`);
      bodies.set(name, body);
      test(name, () => outcomes.get(name));
    },
    /** Resolves when all scenarios that have not ended want the same: called before whatever a scenario writes or reads. */
    async toGo(wanted: Phase): Promise<void> {
      if (wanted === phase) return;
      waiting++;
      const { promise } = turned;
      await turnOver();
      await promise;
    },
  };
}
