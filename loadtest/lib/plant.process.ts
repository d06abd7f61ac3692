// A plant of simulated machines behind real agents, a process of its own: tells at a steady pace until it is stopped.
import { startAgent } from "../../ingest/sources/simulator/agent.ts";
import { deviceModel, tell } from "./devices.ts";
import { machineId } from "./observations.ts";
import { clock_ms, jobOf } from "./process.ts";

export type PlantJob = {
  machines: number;
  machines_per_agent: number;
  /** Observations of each machine. */
  per_s: number;
};
/** The agent of each machine; the device is called as the machine. */
export type Plant = { urls: string[] };

const TICK_MS = 5;

const { machines, machines_per_agent, per_s } = jobOf<PlantJob>();
const ids = Array.from({ length: machines }, (_, n) => machineId(n));
const agents = Array.from({ length: Math.ceil(machines / machines_per_agent) }, (_, i) =>
  startAgent({
    devices: ids.slice(i * machines_per_agent, (i + 1) * machines_per_agent).map(deviceModel),
  }),
);
const agentOf = (n: number) => agents[Math.floor(n / machines_per_agent)];

const began_ms = clock_ms();
let told = 0;
// Machines take turns, so that their changes are spread over each second as they are in a shop.
setInterval(() => {
  const due = Math.floor(((clock_ms() - began_ms) / 1_000) * per_s * machines);
  for (; told < due; told++) {
    const n = told % machines;
    const agent = agentOf(n);
    if (agent) tell(agent, ids[n] as string, Math.floor(told / machines), Math.round(clock_ms() * 1_000));
  }
}, TICK_MS);

console.log(JSON.stringify({ urls: ids.map((_, n) => agentOf(n)?.url ?? "") } satisfies Plant));
