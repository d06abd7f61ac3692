// Budgets: by a clock of the test, and between replicas over a real Redis that stalls, dies and comes back.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { Registry } from "prom-client";
import { pace, until } from "../../.ci/limits.ts";
import { findRedis, redisCommand } from "../../.ci/redis.ts";
import { freePort } from "../../ingest/free-ports.ts";
import { Redis } from "../../ingest/live/redis.ts";
import { clientAddress } from "./client-address.ts";
import { Problem } from "./errors.ts";
import { Budgets } from "./gcra.ts";
import { RateLimits } from "./rate-limit.ts";

const program = findRedis();
if (!program) console.warn("skipped: these tests need redis-server (Debian: redis-server)");

/** A clock that stands until it is moved. */
const clock = (): { now_ms: () => number; wait(ms: number): void } => {
  let at_ms = 1_000;
  return { now_ms: () => at_ms, wait: (ms) => void (at_ms += ms) };
};
const alone = (per_s: number, now_ms?: () => number) =>
  new RateLimits({ per_s, redis: undefined, metrics: new Registry(), ...(now_ms && { now_ms }) });

const refusal = (ask: () => unknown): Problem | undefined => {
  try {
    ask();
    return undefined;
  } catch (error) {
    return error as Problem;
  }
};
const signInRefusal = (limits: RateLimits, ...names: string[]): Promise<Problem | undefined> =>
  limits.signIn(...names).then(
    () => undefined,
    (error: Problem) => error,
  );
/** How many of so many requests are let in. */
const admitted = (limits: RateLimits, id: string, n: number): number =>
  Array.from({ length: n }, () => refusal(() => limits.request(id))).filter((no) => !no).length;

describe("a budget", () => {
  test("a burst is there at once, then one at a time as it refills; names do not share", () => {
    const { now_ms, wait } = clock();
    const budgets = new Budgets({ burst: 3, per_s: 10 }, now_ms);
    const take = () => budgets.take("a");
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 100]);
    expect(budgets.take("b")).toBe(0);
    wait(60);
    expect(take()).toBeCloseTo(40);
    wait(40);
    expect([take(), take()]).toEqual([0, 100]);
    wait(10_000);
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 100]);
  });

  test("what is given back can be taken again, and never more than that", () => {
    const { now_ms, wait } = clock();
    const budgets = new Budgets({ burst: 2, per_s: 1 }, now_ms);
    budgets.take("a");
    budgets.giveBack("a");
    budgets.giveBack("nobody");
    wait(5_000);
    expect([budgets.take("a"), budgets.take("a"), budgets.take("a")]).toEqual([0, 0, 1_000]);
  });

  test("at any pace no more than burst + rate × time is let in, and whoever waits as told is let in", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        pauses,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (gaps, burst, per_s) => {
          const { now_ms, wait } = clock();
          const budgets = new Budgets({ burst, per_s }, now_ms);
          const [start_ms, ok] = [now_ms(), { n: 0 }];
          for (const gap of gaps) {
            wait(gap);
            if (budgets.take("a") === 0) ok.n += 1;
            expect(ok.n).toBeLessThanOrEqual(burst + ((now_ms() - start_ms) * per_s) / 1_000 + 0.001);
          }
          const told_ms = budgets.take("a");
          wait(told_ms);
          if (told_ms > 0) expect(budgets.take("a")).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("invariant 7: of many names the oldest are forgotten", () => {
    const budgets = new Budgets({ burst: 1, per_s: 0.001 }, clock().now_ms);
    budgets.take("a");
    expect(budgets.take("a")).toBeGreaterThan(0);
    for (let i = 0; i < 10_000; i++) budgets.take(`b${i}`);
    expect(budgets.take("a")).toBe(0);
  });
});

describe("a process by itself", () => {
  test("a refused request is told when to come again, and counted", async () => {
    const { now_ms, wait } = clock();
    const metrics = new Registry();
    const limits = new RateLimits({ per_s: 5, redis: undefined, metrics, now_ms });
    expect(admitted(limits, "a", 7)).toBe(5);
    const no = refusal(() => limits.request("a"));
    expect(no).toBeInstanceOf(Problem);
    expect(no).toMatchObject({
      status: 429,
      headers: {
        "retry-after": "1",
        "ratelimit-policy": '"requests";q=5;w=1',
        ratelimit: '"requests";r=0;t=1',
      },
    });
    expect(await metrics.metrics()).toContain('mtc_rate_limited_requests_total{limit="requests"} 3');
    wait(1_000);
    expect(admitted(limits, "a", 7)).toBe(5);
  });

  test("invariant 7: ten sign-ins of an address fail, or of a name from anywhere; those that are right do not count", async () => {
    const { now_ms, wait } = clock();
    const limits = alone(1, now_ms);
    for (let i = 0; i < 30; i++) (await limits.signIn("address:1", "name:eva"))();
    for (let i = 0; i < 10; i++) await limits.signIn("address:1", `name:${i}`);
    expect(await signInRefusal(limits, "address:1", "name:eva")).toMatchObject({
      status: 429,
      message: "10 sign-ins failed; try again in 6 s",
      headers: { "retry-after": "6", "ratelimit-policy": '"sign-ins";q=10;w=60' },
    });
    // The address was refused: that says nothing of the name.
    for (let i = 0; i < 10; i++)
      expect(await signInRefusal(limits, `address:2${i}`, "name:eva")).toBeUndefined();
    expect(await signInRefusal(limits, "address:3", "name:eva")).toBeInstanceOf(Problem);
    wait(6_000);
    expect(await signInRefusal(limits, "address:1", "name:anna")).toBeUndefined();
    expect(await signInRefusal(limits, "address:1", "name:anna")).toBeInstanceOf(Problem);
  });
});

test.each([
  [0, "1.2.3.4", "9.9.9.9", "1.2.3.4"],
  [0, "::ffff:1.2.3.4", null, "1.2.3.4"],
  [1, "1.2.3.4", "9.9.9.9", "9.9.9.9"],
  [1, "1.2.3.4", "6.6.6.6, 9.9.9.9:5123", "9.9.9.9"],
  [2, "1.2.3.4", "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9"],
  [2, "1.2.3.4", "9.9.9.9", "1.2.3.4"],
  [1, "1.2.3.4", "not an address", "1.2.3.4"],
  [1, "1.2.3.4", "[2001:db8:0:7:1::5]:80", "2001:db8:0:7::/64"],
  [0, "2001:0db8::7:1:2:3:4", null, "2001:db8:0:7::/64"],
  [0, "2001:db8:1:2:3:4:5:6", null, "2001:db8:1:2::/64"],
  [0, "::1", null, "0:0:0:0::/64"],
  [0, "64:ff9b::1.2.3.4", null, "64:ff9b:0:0::/64"],
])("behind %i proxies a request from %s, forwarded for %s, is of %s", (proxies, peer, forwarded, address) => {
  const headers: Record<string, string> = forwarded === null ? {} : { "x-forwarded-for": forwarded };
  const request = new Request("http://mtc/", { headers });
  expect(clientAddress({ requestIP: () => ({ address: peer }) }, request, proxies)).toBe(address);
});

describe.skipIf(!program)("two replicas at one Redis", () => {
  const port = freePort();
  const logged: string[] = [];
  const LOST = "redis: lost; each replica shows and limits what it sees itself";
  let redis: Bun.Subprocess | undefined;
  let links: Redis[] = [];
  let replicas: RateLimits[];
  let other: RateLimits;

  function startRedis(): void {
    redis = Bun.spawn(redisCommand(program ?? "", port), {
      cwd: tmpdir(),
      stdout: "ignore",
      stderr: "ignore",
    });
  }

  const areAll = (state: string): boolean => links.every((redis) => redis.state() === state);

  /** What is let in when all replicas are asked without end for so long. */
  async function flood(id: string, seconds: number): Promise<number> {
    const end = performance.now() + seconds * 1_000;
    let n = 0;
    while (performance.now() < end) {
      for (const limits of replicas) n += admitted(limits, id, 5);
      await pace(2);
    }
    return n;
  }

  beforeAll(async () => {
    startRedis();
    const link = () => new Redis(`redis://127.0.0.1:${port}`, (message) => void logged.push(message));
    links = [link(), link()];
    replicas = links.map((redis) => new RateLimits({ per_s: 200, redis, metrics: new Registry() }));
    other = replicas[1] as RateLimits;
    await until(() => areAll("connected"));
  });

  afterAll(async () => {
    for (const limits of replicas ?? []) await limits.stop();
    for (const redis of links) redis.stop();
    redis?.kill("SIGKILL");
    await redis?.exited;
  });

  test("together they let in what one may; another key is not touched", async () => {
    const began = performance.now();
    const n = await flood("a", 1.5);
    const seconds = (performance.now() - began) / 1_000;
    // A burst and what refilled; what one replica spends between two batches may come on top. By themselves: twice as much.
    const budget = 200 + 200 * seconds;
    expect(n).toBeGreaterThan(budget * 0.7);
    expect(n).toBeLessThan(budget + 60);
    expect(admitted(other, "b", 100)).toBe(100);
  });

  test("invariant 7: failed sign-ins count wherever they fail; a right one gives its own back everywhere", async () => {
    const names = ["address:7", "name:eva"];
    const [one = other] = replicas;
    for (let i = 0; i < 12; i++) (await (i % 2 ? one : other).signIn(...names))();
    for (let i = 0; i < 10; i++) await (i % 2 ? one : other).signIn(...names);
    for (const limits of replicas) {
      expect(await signInRefusal(limits, ...names)).toMatchObject({ status: 429 });
      expect(await signInRefusal(limits, "address:8", "name:eva")).toMatchObject({ status: 429 });
      expect(await signInRefusal(limits, "address:8", "name:anna")).toBeUndefined();
    }
  });

  test("a Redis that says nothing costs a request no time, and a sign-in little", async () => {
    redis?.kill("SIGSTOP");
    const began = performance.now();
    // It is no promise that could wait; what refills meanwhile may come on top.
    expect(admitted(other, "c", 1_000)).toBeWithin(200, 201 + (200 * (performance.now() - began)) / 1_000);
    // A sign-in has its answer while Redis still is a silent one that was not given up.
    expect(await signInRefusal(other, "address:9", "name:hanna")).toBeUndefined();
    expect(logged).not.toContain(LOST);
    await until(() => logged.includes(LOST));
    redis?.kill("SIGCONT");
    await until(() => areAll("connected"));
  });

  test("killed: requests go on, each replica limits by itself and says so once; back: they share again", async () => {
    await until(() => areAll("connected"));
    logged.length = 0;
    redis?.kill("SIGKILL");
    await redis?.exited;
    await until(() => areAll("lost"));
    const began = performance.now();
    const n = await flood("d", 1);
    const own = 200 + (200 * (performance.now() - began)) / 1_000;
    expect(n).toBeWithin(own * 1.5, own * 2 + 10);
    for (let i = 0; i < 10; i++) await other.signIn("address:10", "name:ida");
    expect(await signInRefusal(other, "address:10", "name:ida")).toMatchObject({ status: 429 });
    expect(logged).toEqual([LOST, LOST]);

    startRedis();
    await until(() => areAll("connected"));
    await until(() => logged.filter((line) => line.startsWith("redis: connected")).length === 2);
    const again = performance.now();
    const shared = await flood("e", 1);
    expect(shared).toBeLessThan(260 + (200 * (performance.now() - again)) / 1_000);
  });
});
