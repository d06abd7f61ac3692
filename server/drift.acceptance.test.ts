// A quarter of an hour of the demo plant in a quarter of a minute, under faults: `drift.long.test.ts` in short.
import { test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { expectNoDrift } from "./testing/no-drift.ts";

// By this seed the agent's line breaks after its first page was read, the agent restarts, and no fault lasts: other seeds
// may take twice as long, or lose all that is compared.
test(
  "invariants 2, 3 and 4: no drift from what a plant did, from its agent's first contact on (SPEC 5.4)",
  () => expectNoDrift({ dialect: "2.x", duration_s: 15, seed: "short-3699" }),
  limit_ms(300),
);
