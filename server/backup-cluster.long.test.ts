// A cluster is backed up while it takes events, and restored into an empty cluster and an embedded directory (SPEC 14.9).
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { startClickHouseStandIn } from "../analytics-sql/testing/clickhouse-http.ts";
import { lookAtKafka } from "../ingest/outbox/kafka.ts";
import { lookAtMongo } from "../ingest/store/mongo.ts";
import type { Manifest } from "./backup/manifest.ts";
import { KAFKA_DEFAULTS } from "./cluster-config.ts";
import { ROLES } from "./config.ts";
import { CLUSTER_OF, type Cluster, lacking, startCluster } from "./testing/cluster.ts";
import { begin, run } from "./testing/commands.ts";
import { startServer, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(400));
if (lacking.length > 0) console.warn(`skipped: a cluster needs ${lacking.join(", ")}`);
const folder = mkdtempSync(`${tmpdir()}/mtc-backup-cluster-`);
const clusters: Cluster[] = [];
const embedded: TestServer[] = [];
afterAll(async () => {
  for (const server of embedded) await server.kill();
  for (const cluster of clusters) await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const DAY_MS = 86_400_000;
const T0_MS = (Math.floor(Date.now() / DAY_MS) - 3) * DAY_MS;
const at = (second: number): string => new Date(T0_MS + second * 1_000).toISOString();
const WINDOW = `from=${at(0)}&to=${at(86_400)}`;
const CLIENTS = 4;

async function madeCluster(): Promise<Cluster> {
  const cluster = await startCluster();
  clusters.push(cluster);
  return cluster;
}

async function fill({ call }: TestServer): Promise<void> {
  const ids = ["fixed", ...Array.from({ length: CLIENTS }, (_, n) => `ledger-${n}`)];
  for (const id of ids) await call("POST", "/api/v1/machines", { id, name: id, group: "hall" });
  await call("PUT", "/api/v1/machines/fixed/calendar", {
    timezone: "Europe/Berlin",
    shifts: [
      { name: "early", days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], start: "01:00", end: "9:00" },
    ],
  });
  await call("PUT", "/api/v1/machines/fixed/cycle-times", [
    { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 30 },
  ]);
  await call("POST", "/api/v1/users", { name: "Olga", password: "correct horse battery", role: "operator" });
  const observations = Array.from({ length: 40 }, (_, i) => [
    { signal: "execution", ts: at(600 * i), value: i % 3 === 0 ? "READY" : "ACTIVE" },
    { signal: "part_count", ts: at(600 * i + 1), value: 7 * i },
  ]).flat();
  const key = { "idempotency-key": "once" };
  await call("POST", "/internal/machines/fixed/data", { observations }, key);
  await call("POST", "/api/v1/machines/fixed/rejects", { ts: at(3_000), count: 2 });
}

async function figures(server: TestServer): Promise<unknown> {
  await server.settled();
  const answers = [];
  for (const what of ["oee?by=hour&", "oee?by=shift&", "states?", "gaps?", "losses?"]) {
    const { status, body } = await server.call("GET", `/api/v1/machines/fixed/${what}${WINDOW}`);
    expect([what, status]).toEqual([what, 200]);
    answers.push(body);
  }
  return answers;
}

/** Clients that post 1, 2, 3 … each to a machine of its own, the next one when the one before was acknowledged. */
class Ledger {
  readonly acked: number[];
  #running = true;
  readonly #done: Promise<unknown>;

  constructor({ call }: TestServer, from: readonly number[]) {
    this.acked = [...from];
    this.#done = Promise.all(
      from.map(async (_, n) => {
        while (this.#running) {
          const next = (this.acked[n] ?? 0) + 1;
          const observations = [{ signal: "part_count", ts: at(next), value: next }];
          const { status } = await call("POST", `/internal/machines/ledger-${n}/data`, { observations });
          if (status === 202) this.acked[n] = next;
          await pace(20);
        }
      }),
    );
  }

  async end(): Promise<number[]> {
    this.#running = false;
    await this.#done;
    return this.acked;
  }
}

/** Of each client, how far it came, where no number is missing or there twice; else the numbers. */
async function countsOf(server: TestServer): Promise<(number | number[])[]> {
  await server.settled();
  const all = Array.from({ length: CLIENTS }, async (_, n) => {
    const path = `/api/v1/machines/ledger-${n}/observations?${WINDOW}&signal=part_count&limit=100000`;
    const { body } = await server.call<{ rows: { value: number }[] }>("GET", path);
    const counts = body.rows.map(({ value }) => value).sort((a, b) => a - b);
    return counts.every((count, i) => count === i + 1) ? counts.length : counts;
  });
  return Promise.all(all);
}

describe.skipIf(lacking.length > 0)(`a cluster of ${CLUSTER_OF}`, () => {
  const to = `${folder}/monday`;
  const [own_dir, embedded_dir] = [`${folder}/own`, `${folder}/embedded`];
  let before: unknown;
  let first_id: string;
  let acked: number[] = [];
  let counted: (number | number[])[] = [];
  let cut_ms = 0;

  const envOf = ({ settings }: Cluster): Record<string, string> => ({
    ...settings,
    MTC_DATA_DIR: own_dir,
    MTC_RAW_RETENTION_DAYS: "36500",
  });
  const onceMore = async ({ call }: TestServer): Promise<string> => {
    const key = { "idempotency-key": "once" };
    const observations = Array.from({ length: 40 }, (_, i) => [
      { signal: "execution", ts: at(600 * i), value: i % 3 === 0 ? "READY" : "ACTIVE" },
      { signal: "part_count", ts: at(600 * i + 1), value: 7 * i },
    ]).flat();
    const { body } = await call<{ event_id: string }>(
      "POST",
      "/internal/machines/fixed/data",
      { observations },
      key,
    );
    return body.event_id;
  };

  test("invariant 1: backed up while it takes events; it is not restored over itself", async () => {
    const source = await madeCluster();
    const server = await source.start(ROLES);
    await fill(server);
    before = await figures(server);
    first_id = await onceMore(server);
    const ledger = new Ledger(server, new Array(CLIENTS).fill(0));
    await until(() => ledger.acked.every((count) => count > 20));
    await pace(5);
    cut_ms = Date.now();
    await pace(5);
    await until(() => ledger.acked.every((count) => count > 40));
    const surely = [...ledger.acked];
    const made = await run("backup", ["--to", to], envOf(source));
    expect(made).toEqual({ code: 0, output: expect.stringContaining(`done: ${to}`) });
    acked = await ledger.end();
    expect(readdirSync(folder)).not.toContain("monday.partial");
    const { log, tables } = JSON.parse(readFileSync(`${to}/manifest.json`, "utf8")) as Manifest;
    expect(log.delivered).toBeGreaterThan(surely.length);
    expect(tables.length).toBeGreaterThan(3);
    const refused = await run("restore", ["--from", to], envOf(source));
    expect(refused).toEqual({
      code: 1,
      output: expect.stringContaining("MTC_MONGO_URL: the database is not empty"),
    });
    const other = { ...envOf(source), MTC_MONGO_URL: `${source.settings.MTC_MONGO_URL}_other` };
    const ahead = await run("restore", ["--from", to], other);
    expect(ahead).toEqual({
      code: 1,
      output: expect.stringContaining("MTC_CLICKHOUSE_URL: the database mtc is not empty"),
    });
    const clickhouse = startClickHouseStandIn();
    const topic = await run("restore", ["--from", to], { ...other, MTC_CLICKHOUSE_URL: clickhouse.url });
    expect(topic).toEqual({ code: 1, output: expect.stringContaining("the topic raw_data is not empty") });
    await clickhouse.stop();
    expect(existsSync(`${own_dir}/restore-scratch`)).toBe(false);
    acked = acked.map((count, n) => Math.max(count, surely[n] ?? 0));
    counted = surely;
    await clusters.pop()?.stop();
  });

  test("invariants 2 and 6: restored into an embedded directory, every figure is the same", async () => {
    const restored = await run("restore", ["--from", to], { MTC_DATA_DIR: embedded_dir });
    expect(restored).toEqual({ code: 0, output: expect.stringContaining("start the server on") });
    const server = await startServer({}, embedded_dir);
    embedded.push(server);
    expect(await figures(server)).toEqual(before);
    const surely = counted;
    counted = await countsOf(server);
    for (const [n, count] of counted.entries()) {
      expect(count).toBeGreaterThanOrEqual(surely[n] as number);
      expect(count).toBeLessThanOrEqual(acked[n] as number);
    }
    expect(await onceMore(server)).toBe(first_id);
    await server.stop();
  });

  test("invariants 2 and 6: restored into an empty cluster, killed on the way; it goes on where the backup ended", async () => {
    const target = await madeCluster();
    const env = envOf(target);
    const cut = begin("restore", ["--from", to], env);
    await until(async () => (await lookAtMongo(env.MTC_MONGO_URL ?? "")).moved !== undefined);
    cut.kill();
    await cut.ended;
    await expect(target.start(ROLES)).rejects.toThrow("run `bun run restore` again");
    expect(await run("backup", ["--to", `${folder}/half`], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining("run `bun run restore` again"),
    });
    const restored = await run("restore", ["--from", to], env);
    expect(restored).toEqual({ code: 0, output: expect.stringContaining("done: start the cluster") });
    expect(readdirSync(own_dir)).not.toContain("restore-scratch");

    const server = await target.start(ROLES);
    expect(await figures(server)).toEqual(before);
    expect(await countsOf(server)).toEqual(counted);
    expect(await onceMore(server)).toBe(first_id);
    const { body } = await server.call("GET", "/api/v1/users");
    expect(JSON.stringify(body)).toContain("Olga");
    const ledger = new Ledger(server, counted as number[]);
    await until(() => ledger.acked.every((count, n) => count > 10 + (counted[n] as number)));
    const now = await ledger.end();
    expect(await countsOf(server)).toEqual(now);
    expect(await figures(server)).toEqual(before);
    await clusters.pop()?.stop();
  });

  test("invariant 3: an embedded installation's backup up to a time into a cluster", async () => {
    const saved = `${folder}/tuesday`;
    expect(await run("backup", ["--to", saved], { MTC_DATA_DIR: embedded_dir, MTC_PORT: "1" })).toMatchObject(
      { code: 0 },
    );
    const target = await madeCluster();
    const env = envOf(target);
    const restored = await run("restore", ["--from", saved, "--until", new Date(cut_ms).toISOString()], env);
    expect(restored).toEqual({ code: 0, output: expect.stringContaining("done: start the cluster") });
    const kafka = { ...KAFKA_DEFAULTS, brokers: target.brokers.addresses };
    expect(await lookAtKafka(kafka)).toBeUndefined();
    const server = await target.start(ROLES);
    expect(await figures(server)).toEqual(before);
    for (const [n, count] of (await countsOf(server)).entries()) {
      expect(count).toBeGreaterThanOrEqual(20);
      expect(count).toBeLessThan(counted[n] as number);
    }
  });
});
