// The embedded engine's process killed now and then; `engine-killed.long.test.ts` does it more often, at full rate.
import { engineKills } from "./testing/engine-kills.ts";

engineKills({ kills: 3, clients: 4, rows: 100, life_ms: 1_000 });
