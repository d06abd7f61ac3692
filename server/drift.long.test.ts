// An hour of the demo plant in a minute, under random faults: MTC says what the machines truly did, to the microsecond.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { driftRun } from "./testing/drift-run.ts";

const SPEED = 60;
const FAULTS_PER_MINUTE = 30;

type FaultyRun = { dialect: "1.4" | "2.x"; duration_s: number; seed: string };

/** MTC says what the machines truly did, from the moment on at which each agent was heard (invariants 2, 3 and 4). */
async function expectNoDrift({ dialect, duration_s, seed }: FaultyRun): Promise<void> {
  const { comparisons, faults } = await driftRun({
    duration_s,
    speed: SPEED,
    faults_per_minute: FAULTS_PER_MINUTE,
    seed,
    // A Monday morning: every machine is at work.
    start: "2026-01-12T07:00:00Z",
    // So small a buffer that six seconds of silence cost observations for good.
    simulate: ["--dialect", dialect, "--buffer", "600"],
  });
  console.log(`seed ${seed}: ${JSON.stringify(faults)}`);
  for (const { drifts, ...figures } of comparisons) console.log(JSON.stringify(figures));
  expect(comparisons.flatMap(({ drifts }) => drifts)).toEqual([]);
  // It would prove little if nothing had been done, broken, or lost.
  expect(comparisons.map(({ machine }) => machine).sort()).toEqual([
    "demo-hmc-1",
    "demo-integrex-1",
    "demo-press-1",
    "demo-quickturn-1",
    "demo-vmc-1",
  ]);
  const minutes = duration_s / 60;
  expect(Object.values(faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10 * minutes);
  // Each agent had dropped something by the time its first page was read; the press has none.
  for (const { machine, first_contact_s } of comparisons)
    if (machine !== "demo-press-1") expect(first_contact_s, machine).toBeGreaterThan(0);
  // A long fault may leave one machine with nothing done that anybody could know of.
  const sum = (of: "state_rows" | "parts") => comparisons.reduce((all, one) => all + one[of], 0);
  expect(sum("state_rows")).toBeGreaterThan(3 * comparisons.length);
  expect(sum("parts")).toBeGreaterThan(3 * comparisons.length * minutes);
}

// Both plants at once: they mostly wait.
for (const dialect of ["1.4", "2.x"] as const)
  test.concurrent(
    `invariants 2, 3 and 4: no drift from what a ${dialect} plant did, whatever its lines do`,
    () => expectNoDrift({ dialect, duration_s: 60, seed: `${dialect}-${Date.now()}` }),
    limit_ms(300),
  );
