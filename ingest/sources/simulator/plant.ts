// The demo plant: CNCs behind one simulated agent and a press wired to an ADAM-6050, with some days of history.

import type { CalendarInput } from "../../calendar.ts";
import type { ModbusPoint } from "../modbus/map.ts";
import { startAdam6050 } from "./adam6050.ts";
import { type SimulatedAgent, startAgent } from "./agent.ts";
import { cncLife } from "./plant/cnc-day.ts";
import { type Cnc, cncs, deviceModel, PRESS } from "./plant/machines.ts";
import { pressLife } from "./plant/press-day.ts";
import { type Segment, type Told, type Truth, truthOf } from "./plant/segment.ts";
import { PLANT_CALENDAR, UNATTENDED_CALENDAR } from "./plant/shifts.ts";
import { Teller, type Telling } from "./plant/teller.ts";

const DAY_US = 86_400_000_000;
/** Between two samples of a machine that cuts. */
const HISTORY_STEP_US = 45_000_000;
const LIVE_STEP_US = 150_000;
const TICK_MS = 100;
const LONG_TICK_US = 60_000_000;
/** History of more machines than this would not be ready in time: they start without. */
const MACHINES_WITH_HISTORY = 8;
/** Room in the agent's ring beside the history: the agent's usual size. */
const LIVE_BUFFER = 131_072;

export type PlantOptions = {
  /** The same seed tells the same days, whenever they are looked at. */
  seed?: string | number;
  /** How many CNCs; 4 without it. */
  cncs?: number;
  /** Days of history, parts of days too; 3 without it, none for a large plant. */
  days?: number;
  /** How much faster than the wall clock the plant lives; it then runs ahead of it, so start in the past. */
  speed?: number;
  agentPort?: number;
  modbusPort?: number;
  hostname?: string;
  /** The plant's time at the start, ms since 1970. */
  now?: number;
};

/** A CNC of the plant, with what is needed to make a machine of it. */
export type PlantDevice = {
  uuid: string;
  name: string;
  manufacturer: string;
  model: string;
  cycle_times: { part: string; ideal_cycle_s: number }[];
  calendar: CalendarInput;
};

export type DemoPlant = {
  agentUrl: string;
  agent: SimulatedAgent;
  devices: PlantDevice[];
  /** The wired machine and how its inputs are to be read. */
  modbus: { host: string; port: number; unit: number; map: ModbusPoint[] } & Omit<
    PlantDevice,
    "manufacturer"
  >;
  /** From when on the plant has told, µs: the start of its history; the press has none. */
  started_us: { cncs: number; press: number };
  /** The plant's own time, µs. */
  now_us(): number;
  /** What a machine (by uuid) truly did from its start until now or `to_us`. */
  truth(uuid: string, to_us?: number): Truth;
  stop(): Promise<void>;
};

/** DI 0 runs, DI 1 faults, counter 0 counts strokes, counter 1 bad ones. */
const PRESS_MAP: ModbusPoint[] = [
  { signal: "execution", kind: "di", address: 0, type: "bit", words: ["READY", "ACTIVE"] },
  { signal: "condition:fault", kind: "di", address: 1, type: "bit", words: ["NORMAL", "FAULT"] },
  { signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" },
  { signal: "part_count_bad", kind: "holding", address: 2, type: "uint32", word_order: "low-first" },
];

/**
 * Starts the plant. Its agent's buffer already holds the history, in the order of its timestamps, and goes on
 * live without a seam; days are told from (seed, machine, date), so a plant started again tells the same past.
 */
export async function startDemoPlant(options: PlantOptions = {}): Promise<DemoPlant> {
  const { seed = "mtc", speed = 1, hostname = "127.0.0.1", now = Date.now() } = options;
  const machines = cncs(options.cncs ?? 4);
  const days = options.days ?? (machines.length <= MACHINES_WITH_HISTORY ? 3 : 0);
  const start_us = now * 1000;
  const history_us = start_us - Math.round(days * DAY_US);
  const begun_ms = Date.now();
  const now_us = () => start_us + Math.round((Date.now() - begun_ms) * 1000 * speed);

  const life = (cnc: Cnc) => cncLife(cnc, String(seed), history_us);
  const tellers = machines.map((cnc) => new Teller(cnc, life(cnc), history_us));
  const history = inOrder(tellers.flatMap((teller) => teller.advance(start_us, HISTORY_STEP_US)));
  const agent = startAgent({
    devices: machines.map(deviceModel),
    hostname,
    ...(options.agentPort !== undefined && { port: options.agentPort }),
    buffer_size: history.length + LIVE_BUFFER,
    started_us: history_us,
    clock: () => now_us() / 1000,
  });
  tell(agent, history);
  const press = await startPress(String(seed), start_us, {
    host: hostname,
    port: options.modbusPort ?? 0,
  }).catch(async (error) => {
    await agent.stop();
    throw error;
  });

  let told_to_us = start_us;
  const timer = setInterval(() => {
    const to_us = now_us();
    // A computer that slept has hours to catch up with: they are told as thinly as history is.
    const step_us =
      to_us - told_to_us > LONG_TICK_US * speed ? HISTORY_STEP_US : Math.ceil(LIVE_STEP_US * speed);
    tell(agent, inOrder(tellers.flatMap((teller) => teller.advance(to_us, step_us))));
    press.advance(to_us);
    told_to_us = to_us;
  }, TICK_MS);

  const by_uuid = new Map(machines.map((cnc) => [cnc.uuid, cnc]));
  return {
    agentUrl: agent.url,
    agent,
    devices: machines.map(plantDevice),
    modbus: press.modbus,
    started_us: { cncs: history_us, press: start_us },
    now_us,
    truth: (uuid, to_us = now_us()) => {
      if (uuid === PRESS.uuid) return truthOf(pressLife(String(seed), start_us), start_us, to_us);
      const cnc = by_uuid.get(uuid);
      if (!cnc) throw new Error(`the plant has no machine ${uuid}`);
      return truthOf(life(cnc), history_us, to_us);
    },
    stop: async () => {
      clearInterval(timer);
      await agent.stop();
      await press.stop();
    },
  };
}

const inOrder = (tellings: Telling[]): Telling[] => tellings.sort((a, b) => a.ts_us - b.ts_us);

function tell(agent: SimulatedAgent, tellings: Telling[]): void {
  for (const { ts_us, uuid, item } of tellings)
    if (item) agent.add(uuid, item.id, ts_us, item.value);
    else agent.setUnavailable(uuid, ts_us);
}

const plantDevice = ({ uuid, name, model, make, products, unattended }: Cnc): PlantDevice => ({
  uuid,
  name,
  model,
  manufacturer: make.manufacturer,
  cycle_times: products.map(({ part_number, ideal_cycle_s }) => ({ part: part_number, ideal_cycle_s })),
  calendar: unattended ? UNATTENDED_CALENDAR : PLANT_CALENDAR,
});

/** The press behind its module: inputs and counters as its segments have them. */
async function startPress(seed: string, from_us: number, at: { host: string; port: number }) {
  const adam = await startAdam6050(at);
  const segments = pressLife(seed, from_us);
  let segment: Segment | undefined;
  const signals: Told = {};
  const advance = (to_us: number): void => {
    while (!segment || segment.to_us <= to_us) {
      segment = segments.next().value as Segment;
      Object.assign(signals, segment.tell);
    }
    adam.setInput(0, signals.execution === "ACTIVE");
    adam.setInput(1, signals.system === "FAULT");
    adam.setCounter(0, Number(signals.part_count));
    adam.setCounter(1, Number(signals.bad_count));
  };
  advance(from_us);
  const { uuid, name, model, ideal_cycle_s } = PRESS;
  // Its wires tell no part number: the time holds for any part.
  const cycle_times = [{ part: "", ideal_cycle_s }];
  const modbus = {
    host: adam.host,
    port: adam.port,
    unit: adam.unit,
    map: PRESS_MAP,
    uuid,
    name,
    model,
    cycle_times,
    calendar: PLANT_CALENDAR,
  };
  return { modbus, advance, stop: () => adam.stop() };
}
