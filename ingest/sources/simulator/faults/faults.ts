// Faults at random, the same for the same seed, on the lines of a demo plant; what each costs is told as truth.
import type { Cell } from "../plant/cell.ts";
import { type Random, random } from "../plant/random.ts";
import type { DemoPlant } from "../plant.ts";
import type { Log } from "../truth.ts";
import { Line } from "./line.ts";
import { Reader } from "./reader.ts";

export type FaultOptions = {
  /** On average so many faults a minute of the wall clock, over the whole plant. */
  per_minute: number;
  /** The agents' lines are dead until `plugIn`; then their first page is held back until their buffer has moved on. */
  unplugged?: boolean;
  seed: string;
  log: Log;
  /** Where clients connect; 0 is any free port. Further agents follow the first. */
  agentPort: number;
  modbusPort: number;
  hostname?: string;
};

export type FaultyPlant = {
  agent_urls: string[];
  modbus: { host: string; port: number };
  /** Of an unplugged plant; its faults begin with it. */
  plugIn(): Promise<void>;
  stop(): Promise<void>;
};

/** A simulator with the line in front of it. */
type Target = { line: Line; disturbed(): void };
type Behind = Target & { cell: Cell; reader: Reader };
type Module = Target & { powerOn(): void };

/** Most faults pass in a second or two; one in twenty lasts, longer than a client's patience. */
function duration_ms(chance: Random): number {
  return Math.round(chance.chance(0.05) ? chance.between(15_000, 30_000) : 100 + chance.about(1_500));
}

/** How long adapters need to find a restarted agent again. */
const RECONNECT_MS = 500;
const DRIBBLE_BYTES_PER_S = 4_000;

type Fault<T> = [weight: number, name: string, (target: T, ms: number, plant: DemoPlant) => unknown];

const OF_LINES: Fault<Target>[] = [
  [3, "fin", ({ line }) => line.cut("fin")],
  [3, "rst", ({ line }) => line.cut("rst")],
  [2, "silence", ({ line }, ms) => line.silence(ms)],
  [2, "dead", ({ line }, ms) => line.dead(ms)],
];
const OF_AGENTS: Fault<Behind>[] = [
  ...OF_LINES,
  [2, "dribble", ({ line }, ms) => line.dribble(ms, DRIBBLE_BYTES_PER_S)],
  [2, "torn part", ({ line }, ms) => line.tear(ms)],
  [2, "lying Content-length", ({ line }, ms) => line.lie(ms)],
  [2, "agent restart", restartAgent],
];
const OF_MODULES: Fault<Module>[] = [...OF_LINES, [3, "power cycle", powerCycle]];

/** The agent's machines are told again to a new instance; what nobody had read of the old one is lost. */
async function restartAgent({ cell, reader }: Behind, _ms: number, plant: DemoPlant): Promise<void> {
  const back_us = plant.now_us() + RECONNECT_MS * 1000 * plant.speed;
  reader.forgotten(back_us);
  await cell.restart(back_us);
}

async function powerCycle({ line, powerOn }: Module, ms: number): Promise<void> {
  await line.dead(ms);
  powerOn();
}

/** Puts lines in front of the plant's agents and module, and begins to break them. */
export async function startFaults(plant: DemoPlant, options: FaultOptions): Promise<FaultyPlant> {
  const { per_minute, unplugged = false, seed, log, agentPort, modbusPort, hostname = "127.0.0.1" } = options;
  const agents = await Promise.all(
    plant.cells.map((cell, i) =>
      behindLine(cell, { hostname, port: agentPort && agentPort + i, log, holds: unplugged }),
    ),
  );
  if (unplugged) await Promise.all(agents.map(({ line }) => line.unplug()));
  const { press } = plant;
  press.deferred = true;
  const tap = { asked: () => {}, offered: () => {}, answered: () => press.delivered() };
  const line = await Line.open({ to: press.adam, host: hostname, port: modbusPort, tap: () => tap });
  const module: Module = {
    line,
    disturbed: () => press.disturbed(),
    powerOn: () => press.powerOn(),
  };
  const chance = random(`faults/${seed}`);
  let timer: Timer | undefined;
  const next = (): void => {
    timer = setTimeout(strike, chance.about(60_000 / per_minute));
  };
  const strike = (): void => {
    const ms = duration_ms(chance);
    const place = Math.floor(chance.between(0, agents.length + 1));
    const agent = agents[place];
    if (agent) inflict(agent, OF_AGENTS, ms);
    else inflict(module, OF_MODULES, ms);
    next();
  };
  const inflict = <T extends Target>(target: T, faults: Fault<T>[], ms: number): void => {
    const [, name, happen] = drawn(faults, chance);
    log({ kind: "fault", at_us: Date.now() * 1000, fault: name, duration_ms: ms });
    target.disturbed();
    // A second fault of one line may find it dead already.
    void Promise.resolve(happen(target, ms, plant)).catch((error: unknown) => console.error(name, error));
  };
  if (!unplugged) next();
  return {
    plugIn: async () => {
      await Promise.all(agents.map(({ line }) => line.plugIn()));
      next();
    },
    agent_urls: agents.map(({ line: { host, port } }) => `http://${host}:${port}`),
    modbus: { host: line.host, port: line.port },
    stop: async () => {
      clearTimeout(timer);
      await Promise.all([...agents, module].map((target) => target.line.close()));
    },
  };
}

/** Resolves when the agent has dropped all that was before now, be it that it was restarted. */
async function movedOn({ agent }: Cell): Promise<void> {
  const { instance_id } = agent;
  // What it is told next may be of a moment before now as well.
  for (const reached of ["next_sequence", "first_sequence"] as const) {
    const { next_sequence } = agent;
    while (agent.instance_id === instance_id && agent[reached] <= next_sequence) await Bun.sleep(50);
  }
}

async function behindLine(
  cell: Cell,
  { hostname, port, log, holds }: { hostname: string; port: number; log: Log; holds: boolean },
): Promise<Behind> {
  const machines = cell.cncs.map(({ uuid }) => uuid);
  let line: Line | undefined;
  const reader = new Reader({
    lost: (lost) => log({ kind: "lost", machines, ...lost, why: "agent restart or overrun" }),
    heard: (at_us) => {
      log({ kind: "heard", machines, at_us });
      if (holds) line?.hold(movedOn(cell));
    },
  });
  const to = { host: hostname, port: cell.agent.port };
  line = await Line.open({ to, host: hostname, port, tap: () => reader.tap() });
  return { line, cell, reader, disturbed: () => {} };
}

function drawn<T>(faults: Fault<T>[], chance: Random): Fault<T> {
  let at = chance.between(
    0,
    faults.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const fault of faults) {
    at -= fault[0];
    if (at < 0) return fault;
  }
  return faults[0] as Fault<T>;
}
