// The embedded engine's process killed again and again at full rate.
import { engineKills } from "./testing/engine-kills.ts";

// Of fifty observations one is a part: a report after each kill sweeps all parts of the day, and is to be there within seconds.
engineKills({ kills: 50, clients: 20, rows: 1_000, life_ms: 3_000, part_every: 50 });
