// The embedded engine's process killed again and again at full rate.
import { engineKills } from "./testing/engine-kills.ts";

engineKills({ kills: 50, clients: 20, rows: 1_000, life_ms: 3_000 });
