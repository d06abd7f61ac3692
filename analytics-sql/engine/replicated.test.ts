// ON CLUSTER and replicated tables: every statement there is, held against ClickHouse's own parser. There is no Keeper here.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { viewStatements } from "../analyst/views.ts";
import { closeSource, openSource } from "../kafka/source.ts";
import { ALL_DAYS, clear, Shadow } from "../rebuild/shadow.ts";
import { withoutTtl } from "../schema/retention.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";
import { columns, event, joined, us } from "../testing/plant.ts";
import { openEmbedded } from "./embedded.ts";
import { EngineError } from "./engine.ts";
import { likeTable, replicated, whenCaughtUp } from "./replicated.ts";

const CLUSTER = "all-plants";
const path = mkdtempSync(join(tmpdir(), "mtc-replicated-"));
const engine = await openEmbedded({ path: join(path, "chdb"), rawRetentionDays: 36_500 });
afterAll(async () => {
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

/** Every statement that is run beside questions: of the schema, and what a rebuild and the Kafka source do. */
async function everyStatement(): Promise<string[]> {
  const own = [
    "CREATE DATABASE IF NOT EXISTS mtc ENGINE = Atomic",
    ...SCHEMA_STATEMENTS,
    withoutTtl("touched"),
  ];
  const said: string[] = [];
  const recording = {
    ...engine,
    maintain: (sql: string, params?: Record<string, unknown>) => {
      said.push(sql);
      return engine.maintain(sql, params);
    },
  };
  const seen = { signal: "execution", ts_us: us("2026-01-05T06:00:00Z"), seq: 0, value: "ACTIVE" };
  const log = [
    event("t", "m", "mtc.observations.v1", columns([seen])),
    event("t", "m", "mtc.machine.v1", { machine: { name: "m", deleted: false } }),
  ];
  await engine.insertEvents(joined(log));
  const shadow = await Shadow.open(recording, ALL_DAYS);
  await shadow.insert(joined(log));
  await shadow.gather("");
  const renamed = { machine: { name: "renamed", deleted: false } };
  await shadow.insert(joined([event("t", "m", "mtc.machine.v1", renamed)]));
  await shadow.absorb();
  await shadow.swap(() => {});
  await clear(recording);
  // Of Kafka's tables the text is enough: the engine has no broker, and once it was closed in a process it makes none.
  const noting = {
    query: async () => [],
    maintain: async (sql: string): Promise<void> => {
      said.push(sql);
    },
  };
  await openSource(noting, { brokers: ["127.0.0.1:9"], topic: "raw_data", group: "mtc", consumers: 1 });
  await closeSource(noting);
  return [
    ...own,
    ...said,
    ...viewStatements("t"),
    ...viewStatements("t", "S3('http://s3/bucket/*.parquet')"),
  ];
}

const parsed = async (sql: string): Promise<string> => {
  const [row] = await engine.query<{ sql: string }>("SELECT formatQuerySingleLine({sql:String}) AS sql", {
    sql,
  });
  return row?.sql ?? "";
};

test("invariant 9: every statement takes ON CLUSTER, every table is replicated, and nothing else of it changes", async () => {
  const all = [...new Set(await everyStatement())];
  const kinds = new Set<string>();
  for (const sql of all) {
    const [before, made] = [await parsed(sql), replicated(sql, CLUSTER)];
    const [own = "", ...more] = made.filter((one) => !one.startsWith("SYSTEM"));
    expect(more).toEqual([]);
    const after = await parsed(own);
    const kind = /^(\w+)(?: OR REPLACE)? (\w+)/.exec(before)?.slice(1).join(" ") ?? "";
    if (/^(INSERT|SELECT|WITH)/.test(kind)) {
      expect(made).toEqual([sql]);
      continue;
    }
    kinds.add(kind);
    expect(after).toMatch(/^(CREATE|DROP|ALTER|TRUNCATE) [\w ]+ [\w.`]+ ON CLUSTER `all-plants`/);
    const [, table = ""] = /^CREATE TABLE (?:IF NOT EXISTS )?([\w.]+)/.exec(before) ?? [];
    const place = table.startsWith("mtc.")
      ? `/clickhouse/tables/{shard}/mtc/${table.slice("mtc.".length)}`
      : "/clickhouse/tables/{uuid}/{shard}";
    const plain = after
      .replace(" ON CLUSTER `all-plants`", "")
      .replace(`MergeTree('${place}', '{replica}')`, "MergeTree")
      .replace(`MergeTree('${place}', '{replica}', `, "MergeTree(")
      .replace("ENGINE = Replicated", "ENGINE = ");
    expect(plain).toBe(before);
    expect(after).not.toMatch(/ENGINE = (?!Replicated)\w*MergeTree/);
    // What it takes is complete on each server before it, and what it made after it.
    const [, from] = /(?:ATTACH|REPLACE) PARTITION ID .* FROM ([\w.]+)\)?$/.exec(before) ?? [];
    const [, to] =
      /^(?:TRUNCATE|ALTER) TABLE ([\w.]+)( .* PARTITION|$)/.exec(before.replace(" SYNC", "")) ?? [];
    const synced = await Promise.all(made.filter((one) => one !== own).map(parsed));
    expect(synced).toEqual(
      [from, to].flatMap((table) =>
        table ? [`SYSTEM SYNC REPLICA ON CLUSTER \`all-plants\` ${table}`] : [],
      ),
    );
  }
  expect([...kinds].sort()).toEqual([
    "ALTER TABLE",
    "CREATE DATABASE",
    "CREATE FUNCTION",
    "CREATE MATERIALIZED",
    "CREATE TABLE",
    "CREATE VIEW",
    "DROP DATABASE",
    "DROP TABLE",
    "DROP VIEW",
    "TRUNCATE TABLE",
  ]);
  // Each of those that have rows, and none of those that only let them through.
  const tables = all.filter((sql) => /CREATE (OR REPLACE )?TABLE/.test(sql) && sql.includes("ENGINE ="));
  const engines = tables.map((sql) => /ENGINE = (\w+)/.exec(replicated(sql, CLUSTER).join())?.[1] ?? "");
  expect([...new Set(engines)].sort()).toEqual([
    "Kafka",
    "Null",
    "ReplicatedAggregatingMergeTree",
    "ReplicatedMergeTree",
    "ReplicatedReplacingMergeTree",
    "S3",
  ]);
});

test("a table like a replicated one has a place of its own, and all else of it", () => {
  const made = (engine: string): string => likeTable("mtc_rebuild.a", "mtc.a", engine);
  const rest =
    "PARTITION BY toDate(ts) ORDER BY (a, b) TTL toDateTime(ts) + toIntervalDay(30) SETTINGS x = 1";
  const place = "'/clickhouse/tables/{shard}/mtc/a', '{replica}'";
  expect(made(`ReplicatedReplacingMergeTree(${place}, version) ${rest}`)).toBe(
    `CREATE TABLE mtc_rebuild.a AS mtc.a ENGINE = ReplacingMergeTree(version) ${rest}`,
  );
  expect(made(`ReplicatedMergeTree(${place}) ${rest}`)).toBe(
    `CREATE TABLE mtc_rebuild.a AS mtc.a ENGINE = MergeTree ${rest}`,
  );
  for (const engine of [`ReplacingMergeTree(version) ${rest}`, `MergeTree ${rest}`])
    expect(made(engine)).toBe(`CREATE TABLE mtc_rebuild.a AS mtc.a ENGINE = ${engine}`);
  expect(replicated(made(`ReplicatedReplacingMergeTree(${place}, version)`), "all").join()).toContain(
    "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version)",
  );
});

test("one server's statements stay as they are; one that is not known is no guess", () => {
  expect(replicated("DROP TABLE mtc.rolls", undefined)).toEqual(["DROP TABLE mtc.rolls"]);
  for (const sql of [
    "RENAME TABLE mtc.a TO mtc.b",
    "EXCHANGE TABLES mtc.a AND mtc.b",
    "CREATE DICTIONARY mtc.d (a Int8)",
  ])
    expect(() => replicated(sql, CLUSTER)).toThrow("not known how a cluster runs this");
  expect(replicated("DROP TABLE mtc.a SYNC", "it's")).toEqual(["DROP TABLE mtc.a ON CLUSTER 'it\\'s' SYNC"]);
});

test("a change that a server is behind for is tried again, any other error is told at once", async () => {
  const failing = (code: number, times: number) => {
    let ran = 0;
    const run = async (): Promise<void> => {
      ran += 1;
      if (ran <= times) throw new EngineError("no", code, false, null);
    };
    return { run, ran: () => ran };
  };
  const behind = failing(517, 1);
  await whenCaughtUp(behind.run);
  expect(behind.ran()).toBe(2);
  const wrong = failing(36, 1);
  await expect(whenCaughtUp(wrong.run)).rejects.toThrow("no");
  expect(wrong.ran()).toBe(1);
});
