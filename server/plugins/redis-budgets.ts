// Budgets that all replicas share, kept in Redis by its own clock.
import { RedisClient } from "bun";
import { burstMs, intervalMs, type Rate } from "./gcra.ts";

/** `lost`: Redis does not answer, and each replica has budgets of its own. */
export type SharingState = "connected" | "lost";

/** An answer that takes longer never comes: the connection is made anew. */
const SILENT_MS = 2_000;

/**
 * KEYS: budgets; a value is when it is full again, in µs. ARGV: interval and burst in µs, whether all are taken or none,
 * then how many of each. What was spent already is written down in any case, as a debt of one more burst at the most.
 * @returns for each, how many ms until there is one
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, asks = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == 'ask'
local full, waits, refused = {}, {}, false
for i, key in ipairs(KEYS) do
  full[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) + ARGV[i + 3] * interval
  local wait = full[i] - now - burst
  if not asks then wait = wait + interval end
  if wait > 1 then refused = true end
  waits[i] = wait > 1 and math.ceil(wait / 1000) or 0
end
if asks and refused then return waits end
for i, key in ipairs(KEYS) do
  local left = math.min(full[i] - now, 2 * burst)
  if left > 0 then
    redis.call('SET', key, string.format('%.0f', now + left), 'PX', math.ceil(left / 1000))
  else
    redis.call('DEL', key)
  end
end
return waits
`;

export class RedisBudgets {
  readonly #url: string;
  readonly #log: (message: string) => void;
  #client: RedisClient;
  #said: SharingState | undefined;
  #stopped = false;

  /** @param url `redis://host:port` */
  constructor(url: string, log: (message: string) => void) {
    this.#url = url;
    this.#log = log;
    this.#client = this.#connect();
  }

  state(): SharingState {
    return this.#client.connected ? "connected" : "lost";
  }

  /** Says once what changed, as soon as the first connection has come or failed. */
  watch(): void {
    if (this.#said !== undefined) this.#logState();
  }

  #logState(): void {
    if (this.#stopped) return;
    const now = this.state();
    if (now === "lost" && this.#said !== "lost") this.#log("redis: lost; each replica limits by itself");
    if (now === "connected" && this.#said === "lost") this.#log("redis: limits are shared again");
    this.#said = now;
  }

  /** Takes one of each, or none. @returns how many ms until there is one; undefined where Redis cannot tell in time */
  async ask(rate: Rate, names: string[], within_ms: number): Promise<number | undefined> {
    const asked = this.#run(rate, "ask", new Map(names.map((name) => [name, 1])));
    const waits = await Promise.race([asked, Bun.sleep(within_ms).then(() => undefined)]);
    return waits && Math.max(...waits.values());
  }

  /** Writes down what was spent, or given back where it is negative. @returns for each, how many ms until there is one */
  tell(rate: Rate, spent: ReadonlyMap<string, number>): Promise<Map<string, number> | undefined> {
    return this.#run(rate, "tell", spent);
  }

  stop(): void {
    this.#stopped = true;
    this.#client.close();
  }

  async #run(
    rate: Rate,
    how: "ask" | "tell",
    counts: ReadonlyMap<string, number>,
  ): Promise<Map<string, number> | undefined> {
    const names = [...counts.keys()];
    const times = [intervalMs(rate), burstMs(rate)].map((ms) => String(ms * 1_000));
    const client = this.#client;
    const silent = setTimeout(() => this.#replace(client), SILENT_MS);
    try {
      const keys = names.map((name) => `mtc:limit:${name}`);
      const args = [
        SCRIPT,
        String(names.length),
        ...keys,
        ...times,
        how,
        ...[...counts.values()].map(String),
      ];
      const waits = (await client.send("EVAL", args)) as number[];
      return new Map(names.map((name, i) => [name, waits[i] ?? 0]));
    } catch {
      return undefined;
    } finally {
      clearTimeout(silent);
      this.#logState();
    }
  }

  /** A connection that says nothing may be cut without either end having been told. */
  #replace(silent: RedisClient): void {
    if (silent !== this.#client || this.#stopped) return;
    this.#client = this.#connect();
    silent.close();
  }

  #connect(): RedisClient {
    const client = new RedisClient(this.#url, {
      enableOfflineQueue: false,
      maxRetries: 2 ** 32 - 1,
      connectionTimeout: SILENT_MS,
    });
    const looked = () => this.#logState();
    client.connect().then(looked, looked);
    return client;
  }
}
