// Twenty thousand generated machines: what `figures.test.ts` does with two hundred.
import { test } from "bun:test";
import { limit_ms } from "../../.ci/limits.ts";
import { plainEngine } from "../testing/engine.ts";
import { compareSweeps } from "../testing/sweep.ts";

const engine = await plainEngine();

test(
  "invariants 2, 3, 4 and 5: states and figures equal the oracle's, of 20,000 machines",
  async () => {
    // Planning is the work of one core, and there are two.
    await compareSweeps(engine, { sweeps: 100, machines: 200, at_once: 2 });
  },
  limit_ms(3600),
);
