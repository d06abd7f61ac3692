// What is generated is what its tables say: whoever changes a table runs `bun run generate`, and no file of it is changed by hand.
import { expect, test } from "bun:test";
import { withBlock } from "../analytics-sql/generated.ts";
import { generated } from "./generate.ts";
import { ROOT } from "./imports.ts";

const texts = await generated();

test.each([...texts])("%s is as `bun run generate` writes it", async (file, text) => {
  expect(await Bun.file(ROOT + file).text()).toBe(text);
});

test("a block without its marks is refused, not left out", () => {
  const block = { file: "a.sql", name: "sums", lines: ["1 AS a", "2 AS b"], goes_on: false };
  expect(withBlock("SELECT\n    -- <sums> here\n    old\n    -- </sums>\n", block)).toBe(
    "SELECT\n    -- <sums> here\n    1 AS a,\n    2 AS b\n    -- </sums>\n",
  );
  expect(() => withBlock("SELECT\n    -- <sums> here\n    old\n", block)).toThrow(
    "a.sql: there is no -- <sums>",
  );
});
