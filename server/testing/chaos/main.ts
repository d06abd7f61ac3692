// Chaos by hand: `bun run chaos [--minutes N] [--seed S] [--profile embedded|cluster]`; what was tried, and what was lost.
import { parseArgs } from "node:util";
import { runCommand } from "../../command.ts";
import { isSound, report } from "./report.ts";
import { tormented } from "./tormented.ts";

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
  const outcome = await tormented(values.profile, { seed, minutes, log: console.log });
  for (const line of report(outcome)) console.log(line);
  return isSound(outcome) ? 0 : 1;
});
