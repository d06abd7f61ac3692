// Every fault that the embedded program is put through, once each in one run; `chaos.long.test.ts` does it for ten minutes.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { Embedded } from "./testing/chaos/embedded.ts";
import { EMBEDDED_FAULTS } from "./testing/chaos/faults/embedded.ts";
import { report } from "./testing/chaos/report.ts";
import { chaos } from "./testing/chaos/run.ts";

/** So much is posted meanwhile: each restart delivers and rolls up what came since. */
const LOAD = { minutes: 1, machines: 3, every_ms: 1_000 };

test.skipIf(process.platform !== "linux")(
  "invariants 1 to 6: everything that can happen to the program, once: nothing lost, nothing twice, no figure different",
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    console.log(`seed ${seed}`);
    const plant = await Embedded.start({ whole: false });
    try {
      const outcome = await chaos(plant, EMBEDDED_FAULTS, {
        ...LOAD,
        seed,
        once: true,
        log: console.log,
      });
      for (const line of report(outcome)) console.log(line);
      const { verdict, failed, health, recoveries, skipped } = outcome;
      expect({ ...verdict, failed, unwell: health.unwell }).toEqual({
        ...{ lost: [], doubled: [], different: [] },
        ...{ failed: [], unwell: [] },
      });
      expect(recoveries.length + skipped.length).toBe(EMBEDDED_FAULTS.length);
    } catch (error) {
      console.log(plant.output());
      throw error;
    } finally {
      await plant.end();
    }
  },
  limit_ms(300),
);
