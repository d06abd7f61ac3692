// docs/clickhouse-analysts.sql: chDB makes no users, so it is held against the parser, and against the tables there are.
import { expect, test } from "bun:test";
import { literal } from "../engine/literal.ts";
import { testEngine } from "../testing/engine.ts";

const engine = await testEngine();
const FILE = new URL("../../docs/clickhouse-analysts.sql", import.meta.url);
const statements = (await Bun.file(FILE).text())
  .replaceAll(/^--.*$/gm, "")
  .split(";")
  .map((statement) => statement.trim())
  .filter(Boolean);

test("every statement is ClickHouse's", async () => {
  for (const statement of statements) {
    const [row] = await engine.query<{ printed: string }>(
      `SELECT formatQuerySingleLine(${literal(statement)}) AS printed`,
      {},
    );
    expect(row?.printed).toStartWith(statement.slice(0, 5));
  }
  await expect(engine.query("SELECT formatQuery('CREATE ROW POLICY')", {})).rejects.toThrow("Syntax error");
});

test("invariant 10: every table that has tenants' rows is granted, and only by the tenant's policy; no other is", async () => {
  const tables = await engine.query<{ table: string }>(
    `SELECT DISTINCT table FROM system.columns
     WHERE database = 'mtc' AND name = 'tenant_id' AND NOT endsWith(table, '_mv') ORDER BY table`,
    {},
  );
  const named = (of: RegExp): string[] =>
    statements.flatMap((statement) => of.exec(statement)?.[1] ?? []).sort();
  const all = tables.map(({ table }) => table);
  expect(all.length).toBeGreaterThan(10);
  expect(named(/^GRANT SELECT ON mtc\.(\S+) TO/)).toEqual(all);
  expect(named(/^CREATE ROW POLICY IF NOT EXISTS \S+ ON mtc\.(\w+) USING tenant_id = 'plant-1' TO/)).toEqual(
    all,
  );
});
