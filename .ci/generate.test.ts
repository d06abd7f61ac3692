// What is generated is what its tables say: whoever changes a table runs `bun run generate`, and no file of it is changed by hand.
import { expect, test } from "bun:test";
import { blocksIn, withBlock } from "../analytics-sql/generate/blocks.ts";
import { statePattern } from "../domain/state.ts";
import { BLOCKS, generated } from "./generate.ts";
import { ROOT } from "./imports.ts";

const texts = await generated();

test.each([...texts])("invariant 5: %s is as `bun run generate` writes it", async (file, text) => {
  expect(await Bun.file(ROOT + file).text()).toBe(text);
});

test("every mark in SQL is a block's: what no table stands behind is not called generated", async () => {
  const marks: string[] = [];
  for (const file of new Bun.Glob("analytics-sql/**/*.sql").scanSync({ cwd: ROOT }))
    for (const name of blocksIn(await Bun.file(ROOT + file).text())) marks.push(`${file}: ${name}`);
  expect(marks.sort()).toEqual(BLOCKS.map(({ file, name }) => `${file}: ${name}`).sort());
});

test("a block without its marks is refused, not left out", () => {
  const block = { file: "a.sql", name: "sums", lines: ["1 AS a,", "2 AS b"] };
  expect(withBlock("SELECT\n    -- generated: sums\n    old\n    -- end of generated\n", block)).toBe(
    "SELECT\n    -- generated: sums\n    1 AS a,\n    2 AS b\n    -- end of generated\n",
  );
  for (const text of ["SELECT\n    -- generated: sums\n    old\n", "SELECT 1\n"])
    expect(() => withBlock(text, block)).toThrow('a.sql: there is no "-- generated: sums"');
});

test("what is kept of observations for years are the signals that make up states (SPEC 6.1), and alarms", async () => {
  const schema = await Bun.file(`${ROOT}analytics-sql/schema/020_signal_points.sql`).text();
  expect(schema).toContain(`WHERE match(signal, '${statePattern("alarms")}')\n`);
});
