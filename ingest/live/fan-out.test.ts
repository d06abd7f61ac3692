// Live values between replicas, over a real Redis.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { findRedis, redisCommand } from "../../.ci/redis.ts";
import { ColumnsBuilder } from "../columns.ts";
import { freePort } from "../free-ports.ts";
import { fanOut } from "./fan-out.ts";
import { LiveHub } from "./hub.ts";
import type { Numbered } from "./recent.ts";
import { Redis } from "./redis.ts";

const program = findRedis();
if (!program) console.warn("skipped: these tests need redis-server (Debian: redis-server)");

const OWNERS: Record<string, string> = { "mill-1": "plant-1", "mill-2": "plant-1" };
const port = freePort();
const logged: string[] = [];

let redis: Bun.Subprocess | undefined;
let joined: Redis[];
/** Two replicas; `other` knows mill-1 only. */
let one: LiveHub;
let other: LiveHub;
const told: Numbered[] = [];

function startRedis(): void {
  redis = Bun.spawn(redisCommand(program ?? "", port), { stdout: "ignore", stderr: "ignore" });
}

function say(hub: LiveHub, machine_id: string, signal: string, ts_us: number, value: number | string): void {
  const columns = new ColumnsBuilder();
  columns.add(signal, ts_us, 1, value);
  hub.apply(machine_id, columns.columns());
}

/** A word each way by Redis: whatever either had to say before has come by then. */
async function thereAndBack(n: number): Promise<void> {
  say(other, "mill-1", "marker", 2 * n, 2 * n);
  await until(() => seen(one, "mill-1")?.signals.marker?.value === 2 * n);
  say(one, "mill-1", "marker", 2 * n + 1, 2 * n + 1);
  await until(() => told.some(({ json }) => json.includes(`"marker":{"ts_us":${2 * n + 1},`)));
}

const seen = (hub: LiveHub, machine_id: string) => hub.snapshot([machine_id]).machines[0];

beforeAll(async () => {
  if (!program) return;
  startRedis();
  one = new LiveHub((id) => OWNERS[id]);
  other = new LiveHub((id) => (id === "mill-1" ? OWNERS[id] : undefined));
  other.watch({ tick: (tick) => void told.push(...tick), end: () => {} });
  const url = `redis://127.0.0.1:${port}`;
  joined = [one, other].map((hub) => {
    const link = new Redis(url, (message) => logged.push(message));
    fanOut(hub, link);
    return link;
  });
  // Whoever subscribed is told; until then words go nowhere.
  let n = 0;
  await until(() => {
    say(one, "mill-1", "feedrate", ++n, n);
    return seen(other, "mill-1")?.signals.feedrate !== undefined;
  });
});

afterAll(async () => {
  for (const one of joined ?? []) one.stop();
  redis?.kill();
  await redis?.exited;
});

describe.skipIf(!program)("two hubs at one Redis", () => {
  test("what one is told the other shows: values, state, since when, source", async () => {
    say(one, "mill-1", "execution", 5_000_000, "ACTIVE");
    one.source("mill-1", "streaming", 6_000);
    await until(() => seen(other, "mill-1")?.source === "streaming");
    const { heard_ms: _, ...there } = seen(other, "mill-1") ?? {};
    expect(there).toMatchObject({ state: "RUNNING", since_us: 5_000_000, source: "streaming" });
    expect(there).toMatchObject({ signals: { execution: { ts_us: 5_000_000, value: "ACTIVE" } } });
  });

  test("invariant 3: a late word of another replica changes nothing", async () => {
    say(other, "mill-1", "execution", 9_000_000, "READY");
    say(one, "mill-1", "execution", 8_000_000, "STOPPED");
    say(one, "mill-1", "spindle_speed", 8_000_000, 1);
    await until(() => seen(other, "mill-1")?.signals.spindle_speed !== undefined);
    expect(seen(other, "mill-1")).toMatchObject({ state: "IDLE", since_us: 9_000_000 });
    await until(() => seen(one, "mill-1")?.state === "IDLE");
  });

  test("invariant 10: a machine that a replica does not know is not shown there", async () => {
    told.length = 0;
    say(one, "mill-2", "execution", 1, "ACTIVE");
    say(one, "mill-1", "feedrate", 10_000_000, 7);
    await until(() => seen(other, "mill-1")?.signals.feedrate?.value === 7);
    expect(told.some(({ machine_id }) => machine_id === "mill-2")).toBe(false);
    expect(seen(other, "mill-2")).toBeUndefined();
  });

  test("what is heard is not told on: no word goes round", async () => {
    await thereAndBack(1);
    const before = told.length;
    say(one, "mill-1", "feedrate", 11_000_000, 8);
    await until(() => told.length > before);
    expect(seen(other, "mill-1")?.signals.feedrate?.value).toBe(8);
    await thereAndBack(2);
    // The word, the marker that it said itself, and the one that it heard.
    expect(told.slice(before).map(({ own }) => own)).toEqual([false, true, false]);
  });

  test("without Redis each goes on by itself and says so; when it is back they are joined again", async () => {
    redis?.kill();
    await redis?.exited;
    await until(() => {
      say(one, "mill-1", "feedrate", Date.now() * 1_000, 1);
      return logged.join().includes("each replica shows");
    });
    await until(() => joined.every((one) => one.state() === "lost"));
    say(one, "mill-1", "execution", 20_000_000, "ACTIVE");
    expect(seen(one, "mill-1")?.state).toBe("RUNNING");
    startRedis();
    await until(() => {
      say(one, "mill-1", "spindle_speed", Date.now() * 1_000, Date.now());
      if (joined.some((one) => one.state() === "lost")) return false;
      const [here, there] = [one, other].map((hub) => seen(hub, "mill-1")?.signals.spindle_speed?.ts_us ?? 0);
      return (there ?? 0) > 1_000_000_000 && (here ?? 0) - (there ?? 0) < 2_000_000;
    });
  });
});
