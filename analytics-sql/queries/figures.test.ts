// Generated machines (SPEC 6 to 10): the SQL against an oracle in plain TypeScript, in any order of arrival, with everything doubled.
import { test } from "bun:test";
import { limit_ms } from "../../.ci/limits.ts";
import { plainEngine } from "../testing/engine.ts";
import { compareSweeps } from "../testing/sweep.ts";

const engine = await plainEngine();

test(
  "invariants 2, 3, 4 and 5: states and figures equal the oracle's",
  async () => {
    await compareSweeps(engine, { sweeps: 1, machines: 200, at_once: 1 });
  },
  limit_ms(900),
);
