// The list of functions against the engine's own: a new engine's new names are refused until somebody has looked.
import { expect, test } from "bun:test";
import { plainEngine } from "../testing/engine.ts";
import { ALLOWED, COMBINATORS, isRefused, mayCall, REFUSED } from "./functions.ts";
import { databaseOf } from "./views.ts";

const engine = await plainEngine();

const names = async (sql: string): Promise<string[]> =>
  (await engine.query<{ name: string }>(sql, {})).map(({ name }) => name);

test("every function and every combinator of the engine is known, allowed or refused, and no other", async () => {
  const all = (await names("SELECT name FROM system.functions WHERE origin = 'System'")).map((name) =>
    name.toLowerCase(),
  );
  expect(all.length).toBeGreaterThan(1_500);
  expect(all.filter((name) => ALLOWED.has(name) === REFUSED.has(name))).toEqual([]);
  const known = new Set(all);
  expect([...ALLOWED, ...REFUSED].filter((name) => !known.has(name))).toEqual([]);
  expect(await names("SELECT name FROM system.aggregate_function_combinators ORDER BY name")).toEqual(
    [...COMBINATORS].sort(),
  );
});

test("a name that nobody has looked at is refused, alone and with a combinator", () => {
  for (const name of ["sumIf", "quantilesArrayIf", "COUNT", "arrayMap", "lambda", "countDistinct"])
    expect([name, mayCall(name)]).toEqual([name, true]);
  for (const name of [
    "brandNew",
    "brandNewIf",
    "ForEach",
    "file",
    "FILE",
    "mtc_place",
    "printf",
    "sleepEachRow",
  ])
    expect([name, mayCall(name)]).toEqual([name, false]);
});

test("no column of a view has the name of a refused function", async () => {
  await engine.analyst("plant-1");
  const columns = await names(`SELECT name FROM system.columns WHERE database = '${databaseOf("plant-1")}'`);
  expect(columns.length).toBeGreaterThan(50);
  expect(columns.filter(isRefused)).toEqual([]);
});
