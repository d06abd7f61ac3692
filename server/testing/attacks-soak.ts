// For tests: all attacks at once for long beside observations at full rate, and what must hold meanwhile and at the end.
import { expect, test } from "bun:test";
import { limit_ms, SLOWNESS, until } from "../../.ci/limits.ts";
import { type Acknowledged, Counters } from "./counters.ts";
import { askSql, codeOf } from "./hostile-sql.ts";
import { quantile } from "./quantile.ts";
import { discard, metric, startServer, TEST_KEY, type TestServer } from "./server.ts";
import { Siege, type Told } from "./siege.ts";
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
/** What the engine may hold beyond that while an analyst asks for more than they may have: 1 GiB is theirs (SPEC 16.4). */
const GREEDY_BYTES = 1024 ** 3;
/** Until memory that a question took is the system's again: the engine's allocator keeps what is free for some seconds. */
const GIVEN_BACK_MS = 15_000;
/** Of the time; else nothing would be said of it. */
const LEAST_MODEST = 0.1;
/** What the log says of an engine that was started and did not come up: once for each cause. */
const FAILED_START = "engine: it does not start";
/** Of the log, where something does not hold: what led to it is not found again. */
const LOG_CHARACTERS = 20_000;
const AFTERWARDS_S = 900;

/** Defines the test. */
export const attacksSoak = ({ seconds, observations_per_s }: Soak): void =>
  test.skipIf(process.platform !== "linux")(
    `invariants 1, 2 and 7: ${seconds} s of all attacks at once at ${observations_per_s} observations/s: nothing lost, answered on, within its memory`,
    async () => {
      const server = await startServer();
      const siege = await Siege.prepare(server);
      const counters = await Counters.start(server, {
        clients: CLIENTS,
        rows: observations_per_s / CLIENTS,
        part_every: PART_EVERY,
        t0_ms: Math.floor(Date.now() / 1_000) * 1_000,
      });
      const signs = new VitalSigns(server);
      await siege.lay(1_000 * seconds);
      const told = await siege.end();
      const acknowledged = await counters.stop();
      await until(async () => (await metric(server, "mtc_engine_up")) === 1);
      await signs.stop();
      print(acknowledged, signs, told);
      try {
        await counters.expectAllThere();
        await expectRestartsTold(server, signs);
        await expectOnlyOffendersShutOut(server, told);
        expectEffective(told);
        expectBounds(acknowledged, signs, told);
      } catch (error) {
        console.log(server.output().slice(-LOG_CHARACTERS));
        throw error;
      }
      await discard(server);
    },
    limit_ms(seconds + AFTERWARDS_S),
  );

const total = ({ server_bytes, engine_bytes }: Memory): number => server_bytes + engine_bytes;
const mb = (bytes: number): number => Math.round(bytes / 1e6);

const countOf = ({ tally }: Told, who: string, outcome: string): number => tally[who]?.[outcome] ?? 0;

/**
 * While nobody asked the engine for more than they may have, nor just before. At the other times a question has its own
 * bound, and the watch looks at it, so what is held then is held against both together.
 */
const modest = (memory: Memory[], { greedy }: Told): number[] =>
  memory
    .filter(
      ({ at_ms }) => !greedy.some(({ from_ms, to_ms }) => at_ms >= from_ms && at_ms <= to_ms + GIVEN_BACK_MS),
    )
    .map(total);

function print(acknowledged: Acknowledged, signs: VitalSigns, told: Told): void {
  const { rows, seconds, refused, longest_wait_ms } = acknowledged;
  const { health_ms, memory, engines, unwell } = signs;
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(health_ms, q).toFixed(0));
  const peak = memory.reduce((most, one) => (total(one) > total(most) ? one : most));
  const own = modest(memory, told);
  const answers = Object.entries(told.tally).map(([who, outcomes]) => {
    const each = Object.entries(outcomes).map(([outcome, times]) => `${outcome} × ${times}`);
    return `${who} ${each.join(", ")}`;
  });
  console.log(
    [
      `${rows} observations acknowledged in ${seconds.toFixed(0)} s, ${refused} batches told to come again`,
      `longest time without an acknowledgement ${longest_wait_ms} ms`,
      `/healthz p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms, ${unwell.length} without an answer`,
      `memory at most ${mb(Math.max(...own))} MB, with greedy questions ${mb(total(peak))} MB (server ${mb(peak.server_bytes)}, engine ${mb(peak.engine_bytes)}), median ${mb(quantile(memory.map(total), 0.5))} MB`,
      `engine started again ${engines.length - 1} ×, ${told.shut_out.length} keys shut out`,
      ...answers,
    ].join("; "),
  );
}

/** The health page, /metrics and whoever watched the processes have counted the same; a start that failed is none. */
async function expectRestartsTold(server: TestServer, { engines }: VitalSigns): Promise<void> {
  const restarts = await metric(server, "mtc_engine_restarts");
  expect(restarts).toBeGreaterThan(0);
  const started = engines.length - 1;
  if (server.output().includes(FAILED_START)) expect(started).toBeGreaterThanOrEqual(restarts);
  else expect(started).toBe(restarts);
  const { body } = await server.call<string>("GET", "/admin/health/figures");
  expect(body).toContain(`started again ${restarts} ×`);
}

async function expectOnlyOffendersShutOut(server: TestServer, told: Told): Promise<void> {
  const offender = await askSql(server.origin, told.shut_out.at(-1) ?? "", "SELECT 1");
  expect([offender.status, codeOf(offender)]).toEqual([429, CODES.shut_out]);
  expect(Number(offender.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await (await askSql(server.origin, TEST_KEY, "SELECT 1")).text()).toBe("1\n");
  // Reports of others were never refused for the flood, nor anybody else's questions for those that ended the engine.
  expect(countOf(told, "wall", "429")).toBe(0);
  expect(countOf(told, "analyst", CODES.shut_out)).toBe(0);
  expect(countOf(told, "wall", "200")).toBeGreaterThan(0);
  expect(countOf(told, "analyst", "200")).toBeGreaterThan(0);
}

/** Each attack did what it is there for, and met with no failure of the program. */
function expectEffective(told: Told): void {
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
    expect([who, outcome, countOf(told, who, outcome) > 0]).toEqual([who, outcome, true]);
  for (const [who, own] of Object.entries(told.tally)) expect([who, own[500] ?? 0]).toEqual([who, 0]);
}

function expectBounds(acknowledged: Acknowledged, signs: VitalSigns, told: Told): void {
  expect(signs.unwell).toEqual([]);
  expect(quantile(signs.health_ms, 0.99)).toBeLessThan(HEALTH_P99_MS * SLOWNESS);
  expect(acknowledged.longest_wait_ms).toBeLessThan(WAIT_MS * SLOWNESS);
  const own = modest(signs.memory, told);
  expect(own.length / signs.memory.length).toBeGreaterThan(LEAST_MODEST);
  expect(Math.max(...own)).toBeLessThan(RESIDENT_BYTES);
  expect(Math.max(...signs.memory.map(total))).toBeLessThan(RESIDENT_BYTES + GREEDY_BYTES);
}
