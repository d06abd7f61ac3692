// Budgets that all replicas share, kept in Redis by its own clock.
import type { Redis } from "../../ingest/live/redis.ts";
import { burstMs, intervalMs, type Rate } from "./gcra.ts";

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
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
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

  async #run(
    rate: Rate,
    how: "ask" | "tell",
    counts: ReadonlyMap<string, number>,
  ): Promise<Map<string, number> | undefined> {
    const names = [...counts.keys()];
    const keys = names.map((name) => `mtc:limit:${name}`);
    const times = [intervalMs(rate), burstMs(rate)].map((ms) => String(ms * 1_000));
    const args = [SCRIPT, String(names.length), ...keys, ...times, how, ...[...counts.values()].map(String)];
    try {
      const waits = (await this.#redis.send("EVAL", args)) as number[];
      return new Map(names.map((name, i) => [name, waits[i] ?? 0]));
    } catch {
      return undefined;
    }
  }
}
