// For tests: a chaos run of a profile, from its start to its end.
import { Embedded } from "./embedded.ts";
import { EMBEDDED_FAULTS } from "./faults/embedded.ts";
import { isSound } from "./report.ts";
import { type ChaosOptions, chaos, type Outcome, type Plant } from "./run.ts";

const LOAD = { machines: 6, every_ms: 500 };

type Torment = Pick<ChaosOptions, "seed" | "minutes" | "log">;

/**
 * Starts what is to be tormented, torments it with every fault that there is for it, and ends it. What its processes said is
 * told where something is wrong.
 * @throws where there is no such profile, or its parts are not there
 */
export async function tormented(profile: string, torment: Torment): Promise<Outcome> {
  const options = { ...LOAD, ...torment };
  if (profile === "embedded") {
    const plant = await Embedded.start({ whole: true });
    return ended(plant, chaos(plant, EMBEDDED_FAULTS, options), torment);
  }
  if (profile !== "cluster") throw new Error(`--profile ${profile}: must be embedded or cluster`);
  // Only then: these parts are not everywhere.
  const [{ lacking }, { Clustered }, { CLUSTERED_FAULTS }] = await Promise.all([
    import("../cluster.ts"),
    import("./clustered.ts"),
    import("./faults/clustered.ts"),
  ]);
  if (lacking.length > 0) throw new Error(`a cluster needs ${lacking.join(", ")}`);
  const plant = await Clustered.start();
  return ended(plant, chaos(plant, CLUSTERED_FAULTS, options), torment);
}

async function ended(
  plant: Plant & { end(): Promise<void> },
  running: Promise<Outcome>,
  { log }: Torment,
): Promise<Outcome> {
  let is_sound = false;
  try {
    const outcome = await running;
    is_sound = isSound(outcome);
    return outcome;
  } finally {
    if (!is_sound) log(plant.output());
    await plant.end();
  }
}
