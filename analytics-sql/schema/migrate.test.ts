// Migrations: each runs once, by one process; a start that changes nothing writes nothing, and no program works with what it cannot know.
import { expect, test } from "bun:test";
import { type Engine, EngineError } from "../engine/engine.ts";
import { sourceStatements } from "../kafka/source.ts";
import { plainEngine } from "../testing/engine.ts";
import { event, joined, us } from "../testing/plant.ts";
import { migrate } from "./migrate.ts";
import { withoutTtl } from "./retention.ts";
import { MIGRATIONS, SCHEMA_NAMES, SCHEMA_STATEMENTS, SCHEMA_VERSION } from "./schema.ts";
import { compare, parseVersion, textOf } from "./version.ts";

const engine = await plainEngine();

/** What a start does. */
async function start(shared = false, over: Partial<Engine> = {}) {
  const [said, logged]: [string[], string[]] = [[], []];
  let again = 0;
  const maintain: Engine["maintain"] = (sql, params) => {
    said.push(sql);
    return (over.maintain ?? engine.maintain)(sql, params);
  };
  await migrate(
    { query: engine.query, maintain },
    { shared, again: async () => void again++, log: (line) => logged.push(line) },
  );
  return { said, logged, again };
}

const versions = async (): Promise<string[]> =>
  (
    await engine.query<{ value: string }>(
      "SELECT value FROM mtc.meta FINAL WHERE name = 'schema_version' ORDER BY value",
      {},
    )
  ).map(({ value }) => value);
const note = (value: string): Promise<void> =>
  engine.maintain("INSERT INTO mtc.meta SELECT 'schema_version', {value:String}, now64(6, 'UTC')", { value });
const notes = async (): Promise<number> =>
  (await engine.query<{ n: number }>("SELECT count() AS n FROM mtc.touched WHERE machine_id = ''", {}))[0]
    ?.n ?? 0;
const views = async (): Promise<string[]> =>
  (
    await engine.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'mtc' ORDER BY name",
      {},
    )
  ).map(({ name }) => name);

const ALL = MIGRATIONS.map(({ version }) => textOf(version));

test("a start that changes nothing says nothing but questions", async () => {
  expect(await versions()).toEqual(ALL);
  expect(await start()).toEqual({ said: [], logged: [], again: 0 });
  expect(await start(true)).toEqual({ said: [], logged: [], again: 0 });
});

test("what a newer release added is left as it is; what it made otherwise is refused, and nothing is touched", async () => {
  await note(`${SCHEMA_VERSION.major}.${SCHEMA_VERSION.minor + 7}`);
  // It may have retired what this one knows.
  await engine.maintain("DROP VIEW mtc.assets_v2_mv SYNC");
  expect(await start()).toEqual({ said: [], logged: [], again: 0 });
  await note(`${SCHEMA_VERSION.major + 1}.0`);
  const said: string[] = [];
  const refused = start(false, { maintain: async (sql) => void said.push(sql) });
  await expect(refused).rejects.toThrow(/newer release of MTC; this program knows 1\.1/);
  expect(said).toEqual([]);
  await engine.maintain("TRUNCATE TABLE mtc.meta SYNC");
});

test("invariant 6: a release that noted no version is adopted once; views that it did not have see what came before as changed", async () => {
  await engine.maintain("INSERT INTO mtc.rolls_v2 SELECT 'plant-1', 'mill-1', 1, 1, 1, 1");
  // The test before took one away.
  const first = await start();
  expect(first).toMatchObject({
    again: 0,
    logged: [expect.any(String), "schema: brought to 1.0", "schema: brought to 1.1"],
  });
  expect(await views()).toEqual(expect.arrayContaining(SCHEMA_NAMES.filter((name) => name.endsWith("_mv"))));
  expect(await notes()).toBe(1);
  expect(await versions()).toEqual(ALL);
  expect((await start()).said).toEqual([]);
  // One that has all of them is only noted.
  await engine.maintain("TRUNCATE TABLE mtc.meta SYNC");
  await engine.maintain("TRUNCATE TABLE mtc.touched SYNC");
  await start();
  expect([await notes(), await versions()]).toEqual([0, ALL]);
});

test("invariant 6: what is gone is made again, and all of the log is asked for before", async () => {
  await engine.maintain("DROP TABLE mtc.entries_in SYNC");
  await engine.maintain("DROP FUNCTION mtc_place");
  const { again, said } = await start();
  expect([again, said.length > SCHEMA_STATEMENTS.length]).toEqual([1, true]);
  expect((await start()).said).toEqual([]);
});

test("invariant 2: of processes that start at once one migrates, and inserts beside them are all noted", async () => {
  await engine.maintain("TRUNCATE TABLE mtc.meta SYNC");
  await engine.maintain("TRUNCATE TABLE mtc.touched SYNC");
  const machines = Array.from({ length: 60 }, (_, i) => `beside-${i}`);
  const rejects = { ts_us: us("2026-01-05T06:00:00Z"), count: 1, reason: "" };
  const inserting = (async () => {
    for (const machine of machines)
      await engine.insertEvents(joined([event("plant-1", machine, "mtc.rejects.v1", { rejects })]));
  })();
  const starts = await Promise.all([start(true), start(true), start(true)]);
  await inserting;
  const ran = starts.filter(({ said }) => said.includes(SCHEMA_STATEMENTS[0] ?? ""));
  expect(ran).toHaveLength(1);
  for (const table of ["rejects", "touched"]) {
    const rows = await engine.query<{ machine_id: string }>(
      `SELECT DISTINCT machine_id FROM mtc.${table} WHERE startsWith(machine_id, 'beside-')`,
      {},
    );
    expect([table, rows.length]).toEqual([table, machines.length]);
  }
});

test("a start that fails gives its turn back; a TTL of a release before, too, is taken away by one process alone", async () => {
  await engine.maintain("TRUNCATE TABLE mtc.meta SYNC");
  const failing = start(true, {
    maintain: (sql, params) =>
      sql === SCHEMA_STATEMENTS.at(-1)
        ? Promise.reject(new EngineError("no", 1, false, null))
        : engine.maintain(sql, params),
  });
  await expect(failing).rejects.toThrow("no");
  expect(await views()).not.toContain("migrating");
  expect(await versions()).toEqual([]);
  await start();
  expect(await versions()).toEqual(ALL);
  await engine.maintain(
    "ALTER TABLE mtc.observations MODIFY TTL toDateTime64(ts, 0, 'UTC') + INTERVAL 7 DAY",
  );
  const starts = await Promise.all([start(true), start(true)]);
  expect(starts.flatMap(({ said }) => said).filter((sql) => sql === withoutTtl("observations"))).toHaveLength(
    1,
  );
  expect(await views()).not.toContain("migrating");
});

test("versions rise, and what was released stays: a change of a table or of the source is a migration of its own", () => {
  const known = MIGRATIONS.map(({ version }) => version);
  expect(known.toSorted(compare)).toEqual(known);
  expect(known.map(textOf).map(parseVersion)).toEqual(known);
  expect(["", "1", "1.", "v1.0", "1.0.0", "-1.0", "1.0 2"].map(parseVersion)).toEqual(
    Array(7).fill(undefined),
  );
  const source = sourceStatements({ brokers: ["b"], topic: "t", group: "g", consumers: 1 });
  const plain = (sql: string): string => sql.replaceAll(/--[^\n]*/g, "").replaceAll(/\s+/g, " ");
  const digest = (statements: readonly string[]): string =>
    Bun.CryptoHasher.hash("sha256", statements.map(plain).join(";"), "hex").slice(0, 16);
  const released = MIGRATIONS.map(({ version, statements }) => [textOf(version), digest(statements)]);
  expect(released).toEqual([
    ["1.0", "513dbaf61ad78d10"],
    ["1.1", "e3b0c44298fc1c14"],
  ]);
  expect([textOf(SCHEMA_VERSION), digest(source)]).toEqual(["1.1", "93b8b90bf5bad796"]);
});
