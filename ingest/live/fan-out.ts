// Live values between the program's replicas, over Redis: what one hub tells its watchers, the others' watchers are told too.
import { RedisClient } from "bun";
import type { LiveHub } from "./hub.ts";
import type { LiveDelta } from "./live.ts";

/** One channel for all tenants: a hub shows only machines that it knows, each to its own tenant (invariant 10). */
const CHANNEL = "mtc:live";
/** Words that wait for a slow Redis; more are left out, and the next ones carry on (invariant 7). */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

type Word = { from: string; deltas: LiveDelta[] };

export type FanOut = {
  /** `lost`: each replica shows what it took in itself, until Redis is back. */
  state(): "connected" | "lost";
  stop(): void;
};

/**
 * Joins a hub to those of all other processes at the same Redis. Nothing is kept there: a replica that starts, or was cut
 * off, has its values from analytics, and what changes after that.
 * @param url `redis://host:port`
 */
export function fanOut(hub: LiveHub, url: string, log: (message: string) => void): FanOut {
  const me = crypto.randomUUID();
  // What cannot be told now is old by the time it could.
  const options = { enableOfflineQueue: false, maxRetries: 2 ** 32 - 1 };
  const told = new RedisClient(url, options);
  const heard = new RedisClient(url, options);
  const state = () => (told.connected && heard.connected ? "connected" : "lost");
  let waiting_bytes = 0;
  let said: ReturnType<typeof state> | undefined;
  const logState = (): void => {
    const now = state();
    if (now === "lost" && said !== "lost") log("redis: lost; live values stay within each replica");
    if (now === "connected" && said === "lost") log("redis: connected");
    said = now;
  };

  const tell = async (deltas: string[]): Promise<void> => {
    const word = `{"from":"${me}","deltas":[${deltas.join(",")}]}`;
    if (waiting_bytes + word.length > MAX_WAITING_BYTES) return;
    waiting_bytes += word.length;
    await told.publish(CHANNEL, word).catch(() => {});
    waiting_bytes -= word.length;
    logState();
  };

  const hear = (message: string): void => {
    const { from, deltas } = JSON.parse(message) as Word;
    if (from !== me) for (const delta of deltas) hub.merge(delta);
  };

  // A connection that was made anew is subscribed to nothing.
  heard.onconnect = () => {
    heard.subscribe(CHANNEL, hear).then(logState, logState);
  };
  for (const client of [told, heard]) client.connect().catch(logState);
  const unwatch = hub.watch({
    tick: (tick) => {
      const own = tick.filter((delta) => delta.own).map(({ json }) => json);
      if (own.length > 0) void tell(own);
    },
    end: () => {},
  });

  return {
    state,
    stop() {
      unwatch();
      told.close();
      heard.close();
    },
  };
}
