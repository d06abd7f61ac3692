// Runs generated machines by the sweep; what differs is narrowed to one machine, which is named by its seed and shrunk.
import fc from "fast-check";
import type { Engine } from "../engine/engine.ts";
import { SEED } from "./arrival.ts";
import { type Difference, differenceIn } from "./comparison.ts";
import { beginningOf, drawSweep, plantOf, type Sweep } from "./generated.ts";

/** After so many sweeps a line says that the run goes on. */
const PROGRESS = 5;
/** `MTC_TEST_MACHINE`, with the seed of its sweep, is the place of the one machine to look at. */
const ONLY = process.env.MTC_TEST_MACHINE;
/** How long a machine that differs is made smaller; longer where nothing else is asked for. */
const SHRINK_MS = ONLY ? 400_000 : 120_000;
/** `MTC_TEST_RUNS` asks for another number of sweeps. */
const RUNS = process.env.MTC_TEST_RUNS;

/**
 * Compares sweeps, each drawn from the run's seed and its own number, several at once.
 * @throws Error that names the seed, the machine and what is left of it
 */
export async function compareSweeps(
  engine: Engine,
  { sweeps, machines, at_once }: { sweeps: number; machines: number; at_once: number },
): Promise<void> {
  const all = ONLY ? 1 : Number(RUNS ?? sweeps);
  const began_ms = performance.now();
  console.info(`${all} sweeps of ${ONLY ? 1 : machines} machines: MTC_TEST_SEED=${SEED}`);
  let next = 0;
  let done = 0;
  let difference: Error | undefined;
  const oneAfterTheOther = async () => {
    while (next < all && !difference) {
      const found = await compareSweep(engine, SEED + next++, machines);
      difference ??= found;
      if (difference) return;
      const took_s = Math.round((performance.now() - began_ms) / 1_000);
      if (++done % PROGRESS === 0) console.info(`${done * machines} machines, none different, ${took_s} s`);
    }
  };
  await Promise.all(Array.from({ length: at_once }, oneAfterTheOther));
  if (difference) throw difference;
}

/** Where anything differs the machines are halved until one alone differs, and that one is shrunk. */
async function compareSweep(engine: Engine, seed: number, machines: number): Promise<Error | undefined> {
  const drawn = drawSweep(seed, ONLY ? Number(ONLY) + 1 : machines);
  const sweep = ONLY ? { ...drawn, plants: drawn.plants.slice(-1) } : drawn;
  const difference = await differenceIn(engine, sweep);
  return difference && new Error(await narrowed(engine, sweep, difference));
}

/** @returns what to read of a sweep that differs */
async function narrowed(engine: Engine, whole: Sweep, first: Difference): Promise<string> {
  let sweep = whole;
  let difference = first;
  for (let found = true; found && sweep.plants.length > 1; ) {
    found = false;
    const half = Math.ceil(sweep.plants.length / 2);
    for (const plants of [sweep.plants.slice(0, half), sweep.plants.slice(half)]) {
      const own = await differenceIn(engine, { ...sweep, plants }, difference.questions);
      if (!own) continue;
      [sweep, difference, found] = [{ ...sweep, plants }, own, true];
      break;
    }
  }
  const { seed, plants, ...shared } = sweep;
  const machines = plants.map(({ machine }) => machine);
  const again = `MTC_TEST_SEED=${seed}`;
  if (plants.length > 1) return `${again}: together ${machines.join()} differ\n${difference.error.message}`;
  const at = Number(machines[0]?.slice(1));
  const told = `${again} MTC_TEST_MACHINE=${at}: ${machines[0]} differs\n${difference.error.message}`;
  console.info(`${told}\nit is made smaller for ${SHRINK_MS / 1_000} s`);
  const details = await fc.check(
    fc.asyncProperty(plantOf(sweep), async (plant) => {
      const alone = { ...sweep, plants: [{ machine: `m${at}`, ...plant, rules: sweep.rules }] };
      const own = await differenceIn(engine, alone, difference.questions);
      if (own) throw own.error;
    }),
    { seed: beginningOf(seed), path: String(at), numRuns: 1, skipAllAfterTimeLimit: SHRINK_MS },
  );
  return [
    told,
    `shrunk: ${JSON.stringify(details.counterexample ?? plants)}`,
    `of: ${JSON.stringify(shared)}`,
    (details.errorInstance as Error | undefined)?.message,
  ].join("\n");
}
