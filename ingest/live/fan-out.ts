// Live values between the program's replicas, over Redis: what one hub tells its watchers, the others' watchers are told too.
import type { LiveHub } from "./hub.ts";
import type { LiveDelta } from "./live.ts";
import type { Redis } from "./redis.ts";

/** One channel for all tenants: a hub shows only machines that it knows, each to its own tenant (invariant 10). */
const CHANNEL = "mtc:live";
/** Words that wait for a slow Redis; more are left out, and the next ones carry on (invariant 7). */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

type Word = { from: string; deltas: LiveDelta[] };

/**
 * Joins a hub to those of all other processes at the same Redis. Nothing is kept there: a replica that starts, or was cut
 * off, has its values from analytics, and what changes after that.
 * @returns the way to tell no more
 */
export function fanOut(hub: LiveHub, redis: Redis): () => void {
  const me = crypto.randomUUID();
  let waiting_bytes = 0;

  const tell = async (deltas: string[]): Promise<void> => {
    const word = `{"from":"${me}","deltas":[${deltas.join(",")}]}`;
    if (waiting_bytes + word.length > MAX_WAITING_BYTES) return;
    waiting_bytes += word.length;
    await redis.send("PUBLISH", [CHANNEL, word]).catch(() => {});
    waiting_bytes -= word.length;
  };

  redis.hear(CHANNEL, (message) => {
    const { from, deltas } = JSON.parse(message) as Word;
    if (from !== me) for (const delta of deltas) hub.merge(delta);
  });
  return hub.watch({
    tick: (tick) => {
      const own = tick.filter((delta) => delta.own).map(({ json }) => json);
      if (own.length > 0) void tell(own);
    },
  });
}
