// An hour of the demo plant in a minute, under random faults: MTC says what the machines truly did, to the microsecond.
import { test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { expectNoDrift } from "./testing/no-drift.ts";

// Both plants at once: they mostly wait.
for (const dialect of ["1.4", "2.x"] as const)
  test.concurrent(
    `invariants 2, 3 and 4: no drift from what a ${dialect} plant did, whatever its lines do`,
    () => expectNoDrift({ dialect, duration_s: 60, seed: `${dialect}-${Date.now()}` }),
    limit_ms(300),
  );
