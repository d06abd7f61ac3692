// Ten minutes of everything that can happen to the program: half of them embedded, half of them as a cluster.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { report } from "./testing/chaos/report.ts";
import { tormented } from "./testing/chaos/tormented.ts";
import { lacking } from "./testing/cluster.ts";

const MINUTES = 5;
/** Before it and behind it: parts start, what was held back is sent, figures are made. */
const AROUND_S = 600;

if (lacking.length > 0) console.warn(`skipped: chaos in a cluster needs ${lacking.join(", ")}`);

async function expectSound(profile: "embedded" | "cluster"): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`bun run chaos --profile ${profile} --minutes ${MINUTES} --seed ${seed}`);
  const outcome = await tormented(profile, { seed, minutes: MINUTES, log: console.log });
  for (const line of report(outcome)) console.log(line);
  const { verdict, failed, health, recoveries } = outcome;
  expect({ ...verdict, failed, unwell: health.unwell }).toEqual({
    ...{ lost: [], doubled: [], different: [] },
    ...{ failed: [], unwell: [] },
  });
  expect(recoveries.length).toBeGreaterThan(0);
}

test.skipIf(process.platform !== "linux")(
  "invariants 1 to 6: five minutes of faults at the embedded program: nothing lost, nothing twice, no figure different",
  () => expectSound("embedded"),
  limit_ms(60 * MINUTES + AROUND_S),
);

test.skipIf(process.platform !== "linux" || lacking.length > 0)(
  "invariants 1 to 6: five minutes of faults at a cluster's roles and parts: nothing lost, nothing twice, no figure different",
  () => expectSound("cluster"),
  limit_ms(60 * MINUTES + AROUND_S),
);
