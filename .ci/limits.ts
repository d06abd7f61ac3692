// How long tests wait: limits of a quiet machine's time, multiplied by how much slower this one is.

/** By how much this machine is slower than a quiet one: `.ci/test.ts` measures it once, at the start of a run. */
export const SLOWNESS = Number(process.env.TEST_SLOWNESS ?? 1);

/** No test has less: how fast something is, `bun run bench` measures, never a test's limit. */
export const LEAST_S = 60;

/** What something that is waited for has; a test waits for several things one after the other. */
const UNTIL_S = 120;

/** @param quiet_s how long it may take on a quiet machine, at least 60 s @returns ms on this machine */
export function limit_ms(quiet_s: number = LEAST_S): number {
  if (quiet_s < LEAST_S) throw new Error(`a limit of ${quiet_s} s: no test has one below ${LEAST_S} s`);
  return 1_000 * quiet_s * SLOWNESS;
}

/** Between two times of asking: at least, and as long as asking took twice over, so that it leaves the machine to the rest. */
const REST_MS = 20;
const REST_TIMES = 2;
const LONGEST_REST_MS = 1_000;

/** Asks again until there is an answer: anything but undefined and false. @throws after the limit */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  quiet_s: number = UNTIL_S,
): Promise<T> {
  const end_ms = performance.now() + limit_ms(quiet_s);
  for (;;) {
    const asked_ms = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end_ms) throw new Error(`nothing within ${quiet_s} s of a quiet machine: ${ask}`);
    const took_ms = performance.now() - asked_ms;
    await Bun.sleep(Math.min(LONGEST_REST_MS, Math.max(REST_MS, REST_TIMES * took_ms)));
  }
}

/** The pace of a load, the moment of a kill, a time that a client was told to stay away: nothing is waited for. */
export const pace = (ms: number): Promise<void> => Bun.sleep(ms);
