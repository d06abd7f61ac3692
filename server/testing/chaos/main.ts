// Chaos by hand: `bun run chaos [--minutes N] [--seed S] [--profile embedded|cluster]`; what was tried, and what was lost.
import { parseArgs } from "node:util";
import { runCommand } from "../../command.ts";
import { Embedded } from "./embedded.ts";
import { EMBEDDED_FAULTS } from "./faults/embedded.ts";
import { isSound, report } from "./report.ts";
import { chaos } from "./run.ts";

const MACHINES = 6;
const EVERY_MS = 500;

runCommand(async () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      profile: { type: "string", default: "embedded" },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: must be a number above 0`);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed}: must be a whole number`);
  console.log(`seed ${seed}, ${minutes} min, ${values.profile}`);
  const options = { seed, minutes, machines: MACHINES, every_ms: EVERY_MS, log: console.log };
  const plant = await Embedded.start({ whole: true });
  try {
    const outcome = await chaos(plant, EMBEDDED_FAULTS, options);
    for (const line of report(outcome)) console.log(line);
    return isSound(outcome) ? 0 : 1;
  } finally {
    await plant.end();
  }
});
