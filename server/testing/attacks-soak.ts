// For tests: all attacks at once for long beside observations at full rate, and what must hold meanwhile and at the end.
import { expect, test } from "bun:test";
import { limit_ms, pace, SLOWNESS, until } from "../../.ci/limits.ts";
import { type Acknowledged, Counters } from "./counters.ts";
import { askSql, codeOf } from "./hostile-sql.ts";
import { quantile } from "./quantile.ts";
import { discard, metric, startServer, TEST_KEY, type TestServer } from "./server.ts";
import { Besieged } from "./siege.ts";
import { CODES } from "./siege-attacks.ts";
import { type Memory, VitalSigns } from "./vital-signs.ts";

export type Soak = { seconds: number; observations_per_s: number };

const CLIENTS = 20;
/** Of so many observations one is a part, as in what machines say all day. */
const PART_EVERY = 200;
const HEALTH_P99_MS = 250;
/** The longest time without an acknowledgement, quiet. */
const WAIT_MS = 5_000;
/** Of the program and its engine together. */
const RESIDENT_BYTES = 1.2e9;
/** What the engine may hold beyond that, while analysts ask for more than they may have: two of them at once, 1 GiB each. */
const GREEDY_BYTES = 2 * 1024 ** 3;
/** Until memory that a question took is the system's again: the engine's allocator keeps what is free for some seconds. */
const GIVEN_BACK_MS = 15_000;
const AFTERWARDS_S = 900;

/** Defines the test. */
export const attacksSoak = ({ seconds, observations_per_s }: Soak): void =>
  test.skipIf(process.platform !== "linux")(
    `invariants 1, 2 and 7: ${seconds} s of all attacks at once at ${observations_per_s} observations/s: nothing lost, answered on, within its memory`,
    async () => {
      const server = await startServer();
      const counters = await Counters.start(server, {
        clients: CLIENTS,
        rows: observations_per_s / CLIENTS,
        part_every: PART_EVERY,
        t0_ms: Math.floor(Date.now() / 1_000) * 1_000,
      });
      const signs = new VitalSigns(server);
      const besieged = new Besieged(server);
      await pace(1_000 * seconds);
      const acknowledged = await counters.stop();
      await besieged.stop();
      await until(async () => (await metric(server, "mtc_engine_up")) === 1);
      await signs.stop();
      print(acknowledged, signs, besieged);
      await counters.expectAllThere();
      await expectRestartsTold(server, signs);
      await expectOnlyOffendersShutOut(server, besieged);
      expectEffective(besieged);
      expectBounds(acknowledged, signs, besieged);
      await discard(server);
    },
    limit_ms(seconds + AFTERWARDS_S),
  );

const total = ({ server_bytes, engine_bytes }: Memory): number => server_bytes + engine_bytes;
const mb = (bytes: number): number => Math.round(bytes / 1e6);

/** Over the bound, while nobody asked the engine for more than they may have, nor just before. */
const unexcused = (memory: Memory[], { greedy }: Besieged): Memory[] =>
  memory.filter(
    (one) =>
      total(one) > RESIDENT_BYTES &&
      !greedy.some(({ from_ms, to_ms }) => one.at_ms >= from_ms && one.at_ms <= to_ms + GIVEN_BACK_MS),
  );

function print(acknowledged: Acknowledged, signs: VitalSigns, besieged: Besieged): void {
  const { rows, seconds, refused, longest_wait_ms } = acknowledged;
  const { health_ms, memory, engines, unwell } = signs;
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(health_ms, q).toFixed(0));
  const peak = memory.reduce((most, one) => (total(one) > total(most) ? one : most));
  const over = memory.filter((one) => total(one) > RESIDENT_BYTES).length / memory.length;
  const answers = [...besieged.tally].map(
    ([who, own]) => `${who} ${[...own].map((one) => one.join(" × ")).join(", ")}`,
  );
  console.log(
    [
      `${rows} observations acknowledged in ${seconds.toFixed(0)} s, ${refused} batches told to come again`,
      `longest time without an acknowledgement ${longest_wait_ms} ms`,
      `/healthz p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms, ${unwell.length} without an answer`,
      `memory at most ${mb(total(peak))} MB (server ${mb(peak.server_bytes)}, engine ${mb(peak.engine_bytes)}), median ${mb(quantile(memory.map(total), 0.5))} MB, over ${mb(RESIDENT_BYTES)} MB ${(100 * over).toFixed(1)} % of the time, ${unexcused(memory, besieged).length} times without a greedy question`,
      `engine started again ${engines.length - 1} ×, ${besieged.shut_out.length} keys shut out`,
      ...answers,
    ].join("; "),
  );
}

/** The health page, /metrics and whoever watched the processes have counted the same. */
async function expectRestartsTold(server: TestServer, { engines }: VitalSigns): Promise<void> {
  const restarts = engines.length - 1;
  expect(restarts).toBeGreaterThan(0);
  expect(await metric(server, "mtc_engine_restarts")).toBe(restarts);
  const { body } = await server.call<string>("GET", "/admin/health/figures");
  expect(body).toContain(`started again ${restarts} ×`);
}

async function expectOnlyOffendersShutOut(server: TestServer, besieged: Besieged): Promise<void> {
  const offender = await askSql(server.origin, besieged.shut_out.at(-1) ?? "", "SELECT 1");
  expect([offender.status, codeOf(offender)]).toEqual([429, CODES.shut_out]);
  expect(Number(offender.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await (await askSql(server.origin, TEST_KEY, "SELECT 1")).text()).toBe("1\n");
  // Reports of others were never refused for the flood, nor anybody else's questions for those that ended the engine.
  expect(besieged.count("wall", "429")).toBe(0);
  expect(besieged.count("analyst", CODES.shut_out)).toBe(0);
  expect(besieged.count("wall", "200")).toBeGreaterThan(0);
  expect(besieged.count("analyst", "200")).toBeGreaterThan(0);
}

/** Each attack did what it is there for, and met with no failure of the program. */
function expectEffective(besieged: Besieged): void {
  for (const [who, outcome] of [
    ["pattern", CODES.late],
    ["pattern", CODES.shut_out],
    ["greedy", CODES.denied],
    ["greedy", CODES.memory],
    ["greedy", "left"],
    ["agents", "all asked"],
    ["settings", "200"],
    ["settings", "201"],
    ["odd reports", "200"],
    ["half a body", "408"],
    ["half a form", "408"],
    ["streams", "200"],
    ["streams", "429"],
    ["reports", "200"],
    ["reports", "429"],
    ["wrong keys", "401"],
    ["wrong keys", "429"],
    ["wrong sign-ins", "401"],
    ["wrong sign-ins", "429"],
  ] as const)
    expect([who, outcome, besieged.count(who, outcome) > 0]).toEqual([who, outcome, true]);
  for (const [who, own] of besieged.tally) expect([who, own.get("500") ?? 0]).toEqual([who, 0]);
}

function expectBounds(acknowledged: Acknowledged, signs: VitalSigns, besieged: Besieged): void {
  expect(signs.unwell).toEqual([]);
  expect(quantile(signs.health_ms, 0.99)).toBeLessThan(HEALTH_P99_MS * SLOWNESS);
  expect(acknowledged.longest_wait_ms).toBeLessThan(WAIT_MS * SLOWNESS);
  expect(unexcused(signs.memory, besieged).map(total).map(mb)).toEqual([]);
  expect(Math.max(...signs.memory.map(total))).toBeLessThan(RESIDENT_BYTES + GREEDY_BYTES);
}
