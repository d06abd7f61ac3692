// One SQL dialect: every statement we have, held against what both chDB and a ClickHouse server accept; values bound.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "chdb";
import { viewStatements } from "./analyst/views.ts";
import { openEmbedded } from "./engine/embedded.ts";
import type { Engine } from "./engine/engine.ts";
import { literal } from "./engine/literal.ts";
import { refused } from "./kafka/refused.ts";
import { sourceStatements } from "./kafka/source.ts";
import { folderStorage } from "./lake/folder.ts";
import { Lake } from "./lake/lake.ts";
import { s3Storage } from "./lake/s3.ts";
import { LakeWriter } from "./lake/writer.ts";
import { known } from "./move/known.ts";
import { printsOf } from "./move/tables.ts";
import { asset, assets } from "./queries/assets.ts";
import { lots, rejects } from "./queries/entries.ts";
import { explain, signalsBehind } from "./queries/explain/explain.ts";
import { stateAt } from "./queries/explain/state-at.ts";
import { filters } from "./queries/filters.ts";
import { gaps } from "./queries/gaps.ts";
import { history } from "./queries/history.ts";
import { latest } from "./queries/latest.ts";
import { losses } from "./queries/losses.ts";
import { observations } from "./queries/observations.ts";
import { OEE_CUTS, oee } from "./queries/oee.ts";
import { policies } from "./queries/policies.ts";
import { spikes } from "./queries/spikes.ts";
import { states } from "./queries/states.ts";
import { clear, Shadow } from "./rebuild/shadow.ts";
import { Roller } from "./rollup/roller.ts";
import { SCHEMA_STATEMENTS } from "./schema/schema.ts";
import { Dialect } from "./testing/dialect.ts";
import { DIALECT, type Kind } from "./testing/dialect-names.ts";
import { columns, event, joined, us } from "./testing/plant.ts";

/** Ends a string, a statement and a comment, and is a parameter itself; no statement may hold any of it. */
const HOSTILE = "4711'); DROP TABLE mtc.rolls_v2; -- \\' {q:String} $` $& `";
const TENANT = `tenant ${HOSTILE}`;
const MACHINES = [`mill ${HOSTILE}`, `lathe ${HOSTILE}`];
const FROM_US = us("2026-01-05T00:00:00Z") + 4_711;
const WINDOW = {
  tenant: TENANT,
  machines: MACHINES,
  from_us: FROM_US,
  to_us: FROM_US + 2 * 86_400_000_000,
  as_of_us: us("2026-02-01T00:00:00Z"),
};

const path = mkdtempSync(join(tmpdir(), "mtc-dialect-"));
const engine = await openEmbedded({ path: join(path, "chdb"), rawRetentionDays: 36_500 });
const session = new Session(join(path, "parser"));
const dialect = new Dialect(session);
afterAll(async () => {
  session.close();
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

/** Everything that was asked of the engine, with the schema, which a start asks. */
const asked = new Set<string>();
const recorder: Engine = {
  ...engine,
  query: (sql, params) => engine.query(noted(sql), params),
  run: (sql, params) => engine.run(noted(sql), params),
  maintain: (sql, params) => engine.maintain(noted(sql), params),
  aside: {
    query: (sql, params) => engine.aside.query(noted(sql), params),
    run: (sql, params) => engine.aside.run(noted(sql), params),
  },
};
function noted(sql: string): string {
  asked.add(sql);
  return sql;
}

/** Before the door, where events come from Kafka. */
const SOURCE = sourceStatements({
  brokers: [HOSTILE],
  topic: HOSTILE,
  group: HOSTILE,
  consumers: 1,
  security: { tls: true, sasl: { mechanism: "plain", username: HOSTILE, password: HOSTILE } },
});

/** Views take no parameters: a tenant's have its name in them. */
const VIEWS = viewStatements(TENANT);

/** A plant whose names are all hostile, and every question that the program can ask of it. */
beforeAll(async () => {
  for (const statement of SCHEMA_STATEMENTS) dialect.used(statement);
  const seen = [
    { signal: `s ${HOSTILE}`, ts_us: FROM_US, seq: 1, value: HOSTILE },
    { signal: "execution", ts_us: FROM_US, seq: 2, value: "ACTIVE" },
    { signal: "part_count", ts_us: FROM_US + 1_000_000, seq: 3, value: 4_711 },
  ];
  const observed = MACHINES.map((machine) => event(TENANT, machine, "mtc.observations.v1", columns(seen)));
  await recorder.insertEvents(joined(observed));
  const roller = new Roller(recorder);
  await roller.exact(WINDOW);
  // What came since: the second time there is something to look for.
  await recorder.insertEvents(joined(observed));
  await roller.exact(WINDOW);
  await roller.past(TENANT, MACHINES);
  for (const by of OEE_CUTS) await oee(recorder, { ...WINDOW, by, groups: MACHINES });
  await Promise.all(
    [states, gaps, spikes, policies, losses, rejects, lots, filters].map((ask) => ask(recorder, WINDOW)),
  );
  const [machine = ""] = MACHINES;
  const one = { tenant: TENANT, machine };
  for (const by of OEE_CUTS) {
    const own = { ...WINDOW, machines: [machine], by, groups: [machine] };
    for (const { key } of (await oee(engine, own)).rows.slice(-1)) {
      await explain(recorder, { ...own, figure: "oee", key }, { after_us: 0, limit: 4_711 });
    }
  }
  await signalsBehind(recorder, WINDOW);
  await stateAt(recorder, { ...one, at_us: FROM_US });
  await asset(recorder, { ...one, asset: HOSTILE });
  await assets(recorder, { ...one, after: HOSTILE, limit: 4_711 });
  await latest(recorder, { tenant: TENANT, machines: MACHINES, recent_us: FROM_US });
  await history(recorder, { ...one, ...WINDOW, signals: [`s ${HOSTILE}`], points: 60 });
  await useTheLake({ ...one, signal: `s ${HOSTILE}`, limit: 4_711, cursor: null });
  await engine.maintain(SOURCE[0] ?? "");
  await refused(recorder, 4_711, 4_711);
  await known(recorder);
  asked.add(printsOf({ name: "observations", columns: ["tenant_id", "machine_id", "num"] }));
  const shadow = await Shadow.open(recorder, { from: "2026-01-05", to: "2026-01-06" });
  await shadow.insert(joined(observed));
  await shadow.gather("4711");
  await shadow.absorb();
  await shadow.swap(() => {});
  await clear(recorder);
});

async function useTheLake(page: {
  tenant: string;
  machine: string;
  signal: string;
  limit: number;
  cursor: null;
}) {
  const lake = new Lake(folderStorage(join(path, "lake")), 1);
  const writer = () => new LakeWriter(lake, recorder, { scratch: join(path, "scratch"), version: "test" });
  const day = { from_us: WINDOW.from_us, to_us: WINDOW.to_us };
  const late = { signal: "late", ts_us: FROM_US, seq: 9, value: 1 };
  await writer().run(us("2026-01-06T12:00:00Z") / 1_000);
  await recorder.insertEvents(
    joined([event(page.tenant, page.machine, "mtc.observations.v1", columns([late]))]),
  );
  await writer().run(us("2026-01-08T00:00:00Z") / 1_000);
  await observations(recorder, { ...page, ...day }, lake);
  const bucket = {
    endpoint: "http://127.0.0.1:1",
    region: "x",
    bucket: HOSTILE,
    prefix: "",
    access_key: HOSTILE,
  };
  asked.add(`SELECT * FROM ${s3Storage({ ...bucket, secret_key: HOSTILE }).table(HOSTILE).sql}`);
}

test("invariant 9: every statement of the schema and of the views is of the dialect, and may run again", () => {
  const wrong = [...SCHEMA_STATEMENTS, ...VIEWS, ...SOURCE].map((sql) => ({
    sql: sql.slice(0, 100),
    wrong: dialect.violations(sql, true),
  }));
  expect(wrong.filter((one) => one.wrong.length > 0)).toEqual([]);
});

test("invariant 9: every statement that the program asks is of the dialect", () => {
  const wrong = [...asked].map((sql) => ({ sql: sql.slice(-200), wrong: dialect.violations(sql) }));
  expect(wrong.filter((one) => one.wrong.length > 0)).toEqual([]);
});

test("no .sql file slips by: all of each is in a statement that was held against the dialect", async () => {
  const statements = [...SCHEMA_STATEMENTS, ...VIEWS, ...SOURCE, ...asked].map(flat);
  const files = [...new Bun.Glob("**/*.sql").scanSync({ cwd: import.meta.dir })];
  expect(files.length).toBeGreaterThan(50);
  const missing: string[] = [];
  for (const file of files) {
    const text = await Bun.file(join(import.meta.dir, file)).text();
    // A numbered file of the schema is many statements; in all others, and where one leaves a place, something may be put.
    const numbered = /^schema\/\d/.test(file);
    const parts = (numbered ? text.split(/;\s*$/m) : [text]).map(flat).filter((part) => part !== "");
    const isHeld = (part: string): boolean =>
      numbered && !LEFT.test(part)
        ? statements.includes(part)
        : statements.some((statement) => part.split(LEFT).every((piece) => statement.includes(piece)));
    if (!parts.every(isHeld)) missing.push(file);
  }
  expect(missing).toEqual([]);
});

/** A file of the lake as a table, a query in a view, and in a view every value. */
const LEFT = /\b(?:lake_file|hot_and_cold)\b|-- states|\{\w+:[^}]*\}/;
const flat = (sql: string): string => sql.replaceAll(/\s+/g, " ").trim();

test("values are bound: nothing that a user, a machine or an agent said is in the text of a statement", async () => {
  expect(asked.size).toBeGreaterThan(30);
  const holding = [...asked].filter((sql) => /4711|DROP TABLE mtc/.test(sql));
  expect(holding).toEqual([]);
  const views = [
    ...VIEWS.map((sql) => sql.replaceAll(literal(TENANT), () => "")),
    ...SOURCE.map((sql) => sql.replaceAll(literal(HOSTILE), () => "")),
  ];
  expect(views.filter((sql) => /4711|DROP TABLE mtc|\{\w+:/.test(sql))).toEqual([]);
  const analyst = await engine.analyst(TENANT);
  const count = "SELECT count(), uniqExact(machine_id) FROM observations WHERE signal = 'execution'";
  const { bytes } = await analyst.ask({ query: count, params: {}, format: () => "TSV" });
  expect(new TextDecoder().decode(bytes).trim()).toBe("2\t2");
  // The hostile names went all the way: they are in the tables, and the table that they would drop is there.
  const [rolled] = await engine.query<{ rows: number }>(
    "SELECT count() AS rows FROM mtc.rolls_v2 WHERE tenant_id LIKE '%4711%' AND tenant_id LIKE '%DROP%'",
    {},
  );
  expect(rolled?.rows).toBeGreaterThan(0);
});

/** What may be put into a statement's text: SQL of ours, names of ours, partitions' ids as the engine gave them. */
const COMPOSED: Record<string, RegExp> = {
  "analyst/gate.ts": /^literal\(query\)$/,
  "analyst/views.ts":
    /^(\[allMachines, .*|key|columns|allMachines|gapIntervals|gaps|filled\(stateIntervals, \{ states |database|databaseOf\(tenant\)|name|text|digest|LAKE_COLUMNS|lake_engine|literal\(tenant\))$/,
  "backup/tables.ts": /^(BESIDE|beside|name|rows|which|literal\(partition\)|listOf\(columns\))$/,
  "engine/clickhouse.ts": /^(into|format)$/,
  "engine/host/host.ts":
    /^(into|columns \?\? "\*"|literal\(file\)|literal\(format\)|literal\(lane\.name\)|bound\.join\(", "\))$/,
  "engine/host/lanes.ts": /^(value|setting|literal\(value\))$/,
  "engine/replicated.ts": /^(made|like|engine)$/,
  "kafka/source.ts": /^table$/,
  "move/tables.ts":
    /^([A-Z]+|table|name|table\.name|beside|literal\(partition\)|listOf\(columns\)|columns\.includes\("machine_id"\) \? "toString\(machine_id\)" : "''")$/,
  "queries/explain/explain.ts": /^(summed|columns)$/,
  "queries/said.ts": /^(downtime|said)$/,
  // Keys from a table of constants, by a name of the API's list.
  "queries/figures/cuts.ts": /^(name|CUTS\[by\]\.k2?|key|rows \? ` WHERE \$\{rows)$/,
  "queries/figures/judged.ts": /^(\[.*\]\.join\(",\\n"\)|CELLS\.fine|select)$/,
  "queries/gaps.ts": /^(intervals|sql)$/,
  "queries/oee.ts": /^columns$/,
  "queries/policies.ts": /^(inForce|sql)$/,
  "queries/spikes.ts": /^(counters|sql)$/,
  "queries/timeline/timeline.ts": /^(\[\.\.\.SWEEP, \.\.\.more\]\.join\(",\\n"\)|select)$/,
  "rebuild/shadow.ts": /^([A-Z]+|made|name|own|next|live|inside|which|table|from|partition)$/,
  "schema/turn.ts": /^literal\(token\)$/,
  "schema/retention.ts": /^(table|day)$/,
  "rollup/roll.ts": /^overTimeline\(roll_, names, pieces\)$/,
};

test("a template with SQL in it takes nothing but what is known here", async () => {
  const strange: string[] = [];
  for (const file of new Bun.Glob("**/*.ts").scanSync({ cwd: import.meta.dir })) {
    // What is generated is checked in, and looked at as SQL.
    if (/\.test\.ts$|^(testing|generate)\//.test(file)) continue;
    const text = await Bun.file(join(import.meta.dir, file)).text();
    for (const taken of takenBySql(text))
      if (!COMPOSED[file]?.test(taken)) strange.push(`${file}: \${${taken}}`);
  }
  expect(strange).toEqual([]);
  expect(takenBySql(["const q = `SELECT 1 FROM t WHERE a = '$", "{name}'`"].join(""))).toEqual(["name"]);
});

/** What the templates with a statement's words in them take. */
const takenBySql = (text: string): string[] =>
  [...text.matchAll(/`(?:\\.|\$\{[^}]*\}|[^`\\])*`/g)]
    .map(([template]) => template)
    .filter((template) =>
      /\b(SELECT|INSERT|ALTER|CREATE|DROP|TRUNCATE|WITH|FROM|WHERE|SET|PARTITION)\b/.test(template),
    )
    .flatMap((template) => [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, taken = ""]) => taken));

/** Names by kind, as the engine itself documents them, without what is deprecated, experimental or its own affair. */
const LISTED: Record<Kind, string> = {
  // `grouping` is resolved by the analyzer before any function is looked for, so it is in no list.
  functions: `SELECT name FROM system.functions WHERE origin = 'System'
    AND NOT match(description, '(?i)deprecated|experimental feature|allow_experimental|used internally')
    UNION ALL SELECT 'grouping'`,
  table_functions: "SELECT name FROM system.table_functions",
  engines: "SELECT name FROM system.table_engines UNION ALL SELECT name FROM system.database_engines",
  types: "SELECT name FROM system.data_type_families WHERE alias_to = ''",
  // What a Kafka table is set to is in no list, but in the documentation of its engine.
  settings: `SELECT name FROM system.settings WHERE tier = 'Production' UNION ALL
    SELECT name FROM system.merge_tree_settings WHERE tier = 'Production' UNION ALL
    SELECT arrayJoin(arrayMap(name -> concat('kafka_', name), ['broker_list', 'topic_list', 'group_name', 'format',
      'handle_error_mode', 'num_consumers', 'thread_per_consumer', 'poll_max_batch_size', 'poll_timeout_ms',
      'max_block_size', 'flush_interval_ms', 'security_protocol', 'sasl_mechanism', 'sasl_username', 'sasl_password']))`,
  codecs: "SELECT name FROM system.codecs WHERE NOT is_experimental",
  indices: "SELECT arrayJoin(['minmax', 'set', 'bloom_filter']) AS name",
};

test("what may be used is what ClickHouse documents, and no experiment", () => {
  for (const kind of Object.keys(DIALECT) as Kind[]) {
    const listed = new Set(dialect.column(LISTED[kind]));
    expect([kind, DIALECT[kind].filter((name) => !listed.has(name))]).toEqual([kind, []]);
  }
});

test("the guard refuses what is of one of them only, deprecated, experimental, or not the same twice", () => {
  const bad: [sql: string, wrong: string][] = [
    ["SELECT runningDifference(ts) FROM mtc.observations", "functions: runningDifference"],
    ["SELECT neighbor(ts, 1) FROM mtc.observations", "functions: neighbor"],
    ["SELECT sumIf(runningAccumulate(x), x > 1) FROM t", "functions: runningAccumulate"],
    ["SELECT * FROM python('reader')", "table_functions: python"],
    ["SELECT * FROM url('http://x/y.csv')", "table_functions: url"],
    ["SELECT * FROM merge('mtc', '.*')", "table_functions: merge"],
    ["INSERT INTO FUNCTION remote('h', 'd.t') SELECT 1", "table_functions: remote"],
    [
      "SELECT max(ts) FROM mtc.observations SETTINGS allow_experimental_analyzer = 0",
      "settings: allow_experimental_analyzer",
    ],
    ["CREATE TABLE IF NOT EXISTS mtc.t (x JSON) ENGINE = MergeTree ORDER BY ()", "types: JSON"],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x Array(Nullable(BFloat16))) ENGINE = MergeTree ORDER BY ()",
      "types: BFloat16",
    ],
    ["SELECT {x:Dynamic} AS x", "types: Dynamic"],
    ["SELECT x::Variant(String, Int64) FROM t", "types: Variant"],
    ["SELECT accurateCastOrNull(x, 'BFloat16') FROM t", "types: BFloat16"],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x AggregateFunction(windowFunnel(3), DateTime('UTC'), UInt8)) ENGINE = MergeTree ORDER BY ()",
      "functions: windowFunnel",
    ],
    ["CREATE TABLE IF NOT EXISTS mtc.t (x Int64 CODEC(ALP)) ENGINE = MergeTree ORDER BY x", "codecs: ALP"],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x Int64) ENGINE = EmbeddedRocksDB PRIMARY KEY x",
      "engines: EmbeddedRocksDB",
    ],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x Int64, INDEX i x TYPE hypothesis) ENGINE = MergeTree ORDER BY x",
      "indices: hypothesis",
    ],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x Int64) ENGINE = MergeTree ORDER BY x SETTINGS enable_block_number_column = 1",
      "settings: enable_block_number_column",
    ],
    ["CREATE TABLE mtc.t (x Int64) ENGINE = Null", "CREATE that cannot run again"],
    ["CREATE FUNCTION f AS x -> x", "CREATE that cannot run again"],
    ["CREATE MATERIALIZED VIEW mtc.v TO mtc.t AS SELECT 1", "CREATE that cannot run again"],
    [
      "CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.v ENGINE = Null AS SELECT 1 AS x",
      "materialized view without TO",
    ],
    ["CREATE DATABASE IF NOT EXISTS x", "database that is not Atomic"],
    ["CREATE DATABASE IF NOT EXISTS x ENGINE = Memory", "database that is not Atomic"],
    ["CREATE TABLE IF NOT EXISTS mtc.t (x DateTime64(6)) ENGINE = Null", "DateTime64 without a time zone"],
    [
      "CREATE TABLE IF NOT EXISTS mtc.t (x Array(Tuple(a Int8, b DateTime))) ENGINE = Null",
      "DateTime without a time zone",
    ],
    ["SELECT {x:DateTime64(6)} AS x", "DateTime64 without a time zone"],
    ["SELECT now() AS x", "now without a time zone"],
    ["SELECT max(fromUnixTimestamp64Micro(x)) FROM t", "fromUnixTimestamp64Micro without a time zone"],
    ["SELECT 1 FORMAT JSON", "FORMAT in the statement"],
  ];
  for (const [sql, wrong] of bad)
    expect([sql, dialect.violations(sql, true)]).toEqual([sql, expect.arrayContaining([wrong])]);
  expect(dialect.violations("-- only a comment")[0]).toContain("Empty query");
  expect(dialect.violations("SELEC 1")[0]).toContain("Syntax error");
  expect(dialect.violations("SELECT 1; SELECT 2")).not.toEqual([]);
  // What is said in a string or a comment is not said in SQL.
  expect(dialect.violations("SELECT 'SETTINGS a = 1, now()' AS x -- neighbor(x)")).toEqual([]);
});
