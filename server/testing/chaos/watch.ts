// For tests: what somebody sees who looks at /healthz all the while, and for how long nothing was acknowledged.
import { pace } from "../../../.ci/limits.ts";

const LOOK_MS = 250;
/** A process that answers later than this is not well. */
const ANSWER_MS = 10_000;

/** Processes that should answer; `life` is another number each time that they change. */
export type Standing = { origins: string[]; life: number };

/** Looks at the health of all that should be there. */
export class Watch {
  /** Answers, and those that were none, or not 200, though the process was there. */
  asked = 0;
  readonly unwell: string[] = [];
  readonly #standing: () => Standing;
  readonly #done: Promise<void>;
  #watching = true;

  constructor(standing: () => Standing) {
    this.#standing = standing;
    this.#done = this.#look();
  }

  async stop(): Promise<void> {
    this.#watching = false;
    await this.#done;
  }

  async #look(): Promise<void> {
    while (this.#watching) {
      const { origins, life } = this.#standing();
      for (const origin of origins) {
        const answer = await healthOf(origin);
        // Killed while it was asked: it owes nobody an answer.
        if (this.#standing().life !== life) break;
        this.asked += 1;
        if (answer !== "200") this.unwell.push(`${new Date().toISOString()} ${origin}: ${answer}`);
      }
      await pace(LOOK_MS);
    }
  }
}

async function healthOf(origin: string): Promise<string> {
  try {
    const answer = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.text();
    return String(answer.status);
  } catch (error) {
    return String(error);
  }
}

/** Of the seconds between both times those without an acknowledgement, and the longest time without one. */
export function silence(acknowledged_ms: readonly number[], from_ms: number, to_ms: number) {
  const all = [from_ms, ...acknowledged_ms.filter((at) => at > from_ms && at < to_ms), to_ms];
  const waits_ms = all.slice(1).map((at, i) => at - (all[i] ?? at));
  const heard = new Set(all.slice(1, -1).map((at) => Math.floor((at - from_ms) / 1_000)));
  const seconds = Math.floor((to_ms - from_ms) / 1_000);
  return {
    seconds,
    silent_s: seconds - [...heard].filter((second) => second < seconds).length,
    longest_ms: Math.max(...waits_ms),
  };
}
