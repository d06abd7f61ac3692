// The demo plant: CNCs behind simulated agents and a press wired to an ADAM-6050, with some days of history.
import type { Observation } from "../../event.ts";
import type { ModbusPoint } from "../modbus/map.ts";
import type { Dialect, SimulatedAgent } from "./agent.ts";
import { Cell } from "./plant/cell.ts";
import { type Cnc, cncs, type PlantMachine, PRESS } from "./plant/machines.ts";
import { PRESS_MAP, Press, pressPast } from "./plant/press.ts";
import { pressLife } from "./plant/press-day.ts";
import { type Truth, truthOf } from "./plant/segment.ts";
import { CALENDARS, PLANT_CALENDAR } from "./plant/shifts.ts";
import type { Log } from "./truth.ts";

const DAY_US = 86_400_000_000;
const LIVE_STEP_US = 150_000;
const TICK_MS = 100;
const LONG_TICK_US = 60_000_000;
/** History of more machines than this would not be ready in time: they start without. */
const MACHINES_WITH_HISTORY = 8;

export type PlantOptions = {
  /** The same seed tells the same days, whenever they are looked at. */
  seed?: string | number;
  /** How many CNCs; 4 without it. */
  cncs?: number;
  /** How many agents they are spread over; 1 without it. */
  agents?: number;
  /** Days of history, parts of days too; 3 without it, none for a large plant. */
  days?: number;
  /** How much faster than the wall clock the plant lives; it then runs ahead of it, so start in the past. */
  speed?: number;
  /** Port of the first agent; the others follow. */
  agentPort?: number;
  modbusPort?: number;
  hostname?: string;
  /** 2.x without it: 1.4 has no sets. */
  dialect?: Dialect;
  schema?: string;
  json_version?: 1 | 2;
  /** Observations each agent's ring holds; the history and an agent's usual size without it. */
  bufferSize?: number;
  /** The plant's time at the start, ms since 1970. */
  now?: number;
  /** Hears what becomes of the wired machine, whose time is the reader's. */
  log?: Log;
};

/** A CNC of the plant. */
export type PlantDevice = PlantMachine & { manufacturer: string; agent_url: string };

export type DemoPlant = {
  /** The first agent's. */
  agentUrl: string;
  agent: SimulatedAgent;
  cells: readonly Cell[];
  press: Press;
  devices: PlantDevice[];
  /** The wired machine and how its inputs are to be read. */
  modbus: { host: string; port: number; unit: number; map: ModbusPoint[] } & PlantMachine;
  /** What the press did in the days before the start: its module keeps no past, but a plant has notes. */
  pressPast(): Iterable<Observation>;
  /** From when on the plant has told, µs: the start of its history; the press's module has none. */
  started_us: { cncs: number; press: number };
  speed: number;
  /** The plant's own time, µs. */
  now_us(): number;
  /** What a machine (by uuid) truly did from its start until now or `to_us`, by the plant's time. */
  truth(uuid: string, to_us?: number): Truth;
  stop(): Promise<void>;
};

/**
 * Starts the plant. Its agents' buffers already hold the history, in the order of its timestamps, and go on
 * live without a seam; days are told from (seed, machine, date), so a plant started again tells the same past.
 */
export async function startDemoPlant(options: PlantOptions = {}): Promise<DemoPlant> {
  const { speed = 1, hostname = "127.0.0.1", now = Date.now(), dialect = "2.x" } = options;
  const seed = String(options.seed ?? "mtc");
  const machines = cncs(options.cncs ?? 4);
  const days = options.days ?? (machines.length <= MACHINES_WITH_HISTORY ? 3 : 0);
  const start_us = now * 1000;
  const history_us = start_us - Math.round(days * DAY_US);
  const begun_ms = Date.now();
  const now_us = () => start_us + Math.round((Date.now() - begun_ms) * 1000 * speed);

  let told_to_us = start_us;
  const cells = spread(machines, options.agents ?? 1).map(
    (cell, i) =>
      new Cell({
        cncs: cell,
        seed,
        history_us,
        start_us,
        hostname,
        // An agent's clock is not ahead of what it was told: else a header would claim to know what comes late.
        clock: () => told_to_us / 1000,
        ...(options.agentPort && { port: options.agentPort + i }),
        ...(options.bufferSize !== undefined && { buffer_size: options.bufferSize }),
        dialect,
        ...(options.schema !== undefined && { schema: options.schema }),
        ...(options.json_version !== undefined && { json_version: options.json_version }),
      }),
  );
  const log = options.log ?? (() => {});
  const at = { host: hostname, port: options.modbusPort ?? 0 };
  const press = await Press.start(at, { seed, from_us: start_us, log }).catch(async (error) => {
    await Promise.all(cells.map(({ agent }) => agent.stop()));
    throw error;
  });

  const timer = setInterval(() => {
    const to_us = now_us();
    // A computer that slept has hours to catch up with: they are told as thinly as history is.
    const slept = to_us - told_to_us > LONG_TICK_US * speed;
    for (const cell of cells)
      cell.advance(to_us, slept ? Number.POSITIVE_INFINITY : Math.ceil(LIVE_STEP_US * speed));
    press.advance(to_us);
    told_to_us = to_us;
  }, TICK_MS);

  const [first] = cells as [Cell];
  return {
    agentUrl: first.agent.url,
    agent: first.agent,
    cells,
    press,
    devices: cells.flatMap((cell) => cell.cncs.map((cnc) => plantDevice(cnc, cell.agent.url))),
    modbus: wired(press),
    pressPast: () => pressPast(seed, history_us, start_us),
    started_us: { cncs: history_us, press: start_us },
    speed,
    now_us,
    truth: (uuid, to_us = now_us()) => {
      if (uuid === PRESS.uuid) return truthOf(pressLife(seed, start_us), start_us, to_us);
      for (const cell of cells) {
        const truth = cell.truth(uuid, history_us, to_us);
        if (truth) return truth;
      }
      throw new Error(`the plant has no machine ${uuid}`);
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all([...cells.map(({ agent }) => agent.stop()), press.adam.stop()]);
    },
  };
}

/** Neighbours share an agent. */
function spread(machines: Cnc[], agents: number): Cnc[][] {
  const each = Math.ceil(machines.length / Math.max(1, Math.min(agents, machines.length)));
  const cells: Cnc[][] = [];
  for (let i = 0; i < machines.length; i += each) cells.push(machines.slice(i, i + each));
  return cells;
}

const plantDevice = ({ uuid, name, model, make, products, nights }: Cnc, agent_url: string): PlantDevice => ({
  uuid,
  name,
  model,
  agent_url,
  manufacturer: make.manufacturer,
  cycle_times: products.map(({ part_number, ideal_cycle_s }) => ({ part: part_number, ideal_cycle_s })),
  calendar: CALENDARS[nights],
});

function wired({ adam }: Press): DemoPlant["modbus"] {
  const { uuid, name, model, ideal_cycle_s } = PRESS;
  const { host, port, unit } = adam;
  // Its wires tell no part number: the time holds for any part.
  const cycle_times = [{ part: "", ideal_cycle_s }];
  return { host, port, unit, map: PRESS_MAP, uuid, name, model, cycle_times, calendar: PLANT_CALENDAR };
}
