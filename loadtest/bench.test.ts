// The bench itself, at a size that proves nothing but that it works: every figure is there, every count is exact. All
// that load a server are in `bench.long.test.ts`.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { bench, expectFigures } from "./lib/tiny.ts";

test(
  "a bench says its figures",
  () =>
    expectFigures({
      reader: [["reader.generated", "MB/s"]],
    }),
  limit_ms(120),
);

test("a bench that is not known is said so", async () => {
  await expect(bench("nonsense")).rejects.toThrow("bun run bench [start]");
});
