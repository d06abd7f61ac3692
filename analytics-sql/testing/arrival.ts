// In which order things arrive in tests: random, by a seed that is printed and can be set.

/** `MTC_TEST_SEED` repeats a run; its number is printed with each. */
export const SEED = Number(process.env.MTC_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
let told = false;

/** mulberry32: the same numbers for the same seed, 0 ≤ n < 1. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The run's own random numbers; says the seed, once a process, so that a failure can be repeated. */
export function arrival(): () => number {
  if (!told) console.info(`arrival in random order, twice: MTC_TEST_SEED=${SEED}`);
  told = true;
  return randomOf(SEED);
}

/** A copy in another order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
