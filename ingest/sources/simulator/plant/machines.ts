// The demo plant's machines: makes, products, programs, and the device model each shows in probe.
import type { CalendarInput } from "../../../calendar.ts";
import type { Dialect } from "../dialect.ts";
import type { ComponentModel, DataItemModel, DeviceModel } from "../model.ts";
import type { Nights } from "./shifts.ts";

/** What is needed to make a machine of it. */
export type PlantMachine = {
  uuid: string;
  name: string;
  model: string;
  cycle_times: { part: string; ideal_cycle_s: number }[];
  calendar: CalendarInput;
};

/** One operation of a program: a tool at work. */
export type Operation = {
  tool: number;
  rpm: number;
  feed_mm_s: number;
  load_percent: number;
  /** Of the cycle's time; the shares of a program add up to 1. */
  share: number;
};

export type Product = {
  part_number: string;
  program: string;
  comment: string;
  ideal_cycle_s: number;
  /** Loading and unloading between two cycles, on average. */
  handling_s: number;
  operations: Operation[];
};

/** How a controller names things: Fanuc adapters never send FEED_HOLD or PROGRAM_COMPLETED. */
export type Make = {
  manufacturer: string;
  feed_hold: string;
  completed: string;
  interrupted: string;
  faults: { tool: Alarm; axis: Alarm; estop: Alarm; coolant: Alarm; load: Alarm };
  names: Record<Signal, string>;
};
type Alarm = { native_code: string; text: string };

/** What a CNC of the plant tells. */
export const SIGNALS = [
  "availability",
  "estop",
  "execution",
  "mode",
  "functional_mode",
  "program",
  "comment",
  "part_number",
  "part_count",
  "bad_count",
  "block",
  "message",
  "variables",
  "offsets",
  "tool",
  "speed",
  "load",
  "load_profile",
  "feed",
  "override",
  "system",
  "logic",
  "motion",
] as const;
export type Signal = (typeof SIGNALS)[number];

export type Cnc = {
  uuid: string;
  name: string;
  model: string;
  make: Make;
  products: Product[];
  nights: Nights;
};

const FANUC: Make = {
  manufacturer: "Fanuc",
  feed_hold: "INTERRUPTED",
  completed: "READY",
  interrupted: "STOPPED",
  faults: {
    tool: { native_code: "EX1015", text: "TOOL BREAKAGE DETECTED" },
    axis: { native_code: "SV0411", text: "EXCESS ERROR (MOVING) X AXIS" },
    estop: { native_code: "EX1000", text: "EMERGENCY STOP" },
    coolant: { native_code: "EX2044", text: "COOLANT LEVEL LOW" },
    load: { native_code: "SV0438", text: "SPINDLE LOAD HIGH" },
  },
  names: {
    availability: "avail",
    estop: "estop",
    execution: "execution",
    mode: "mode",
    functional_mode: "functional_mode",
    program: "program",
    comment: "program_comment",
    part_number: "part_no",
    part_count: "part_count",
    bad_count: "part_count_bad",
    block: "block",
    message: "message",
    variables: "macro_variables",
    offsets: "tool_offsets",
    load_profile: "S1load_profile",
    tool: "tool_id",
    speed: "S1speed",
    load: "S1load",
    feed: "path_feedrate",
    override: "Fovr",
    system: "system",
    logic: "logic",
    motion: "motion",
  },
};

const MAZAK: Make = {
  manufacturer: "Mazak",
  feed_hold: "FEED_HOLD",
  completed: "PROGRAM_COMPLETED",
  interrupted: "INTERRUPTED",
  faults: {
    tool: { native_code: "256", text: "TOOL BREAKAGE" },
    axis: { native_code: "52", text: "SERVO ERROR Z AXIS EXCESS ERROR" },
    estop: { native_code: "3", text: "EMERGENCY STOP" },
    coolant: { native_code: "383", text: "COOLANT LEVEL LOW" },
    load: { native_code: "130", text: "SPINDLE LOAD HIGH" },
  },
  names: {
    availability: "avail",
    estop: "estop",
    execution: "execution",
    mode: "mode",
    functional_mode: "functionalmode",
    program: "program",
    comment: "program_cmt",
    part_number: "part_number",
    part_count: "PartCountAct",
    bad_count: "PartCountBad",
    block: "Block",
    message: "Message",
    variables: "Variables",
    offsets: "ToolOffsets",
    load_profile: "Sload_profile",
    tool: "Tool_number",
    speed: "Srpm",
    load: "Sload",
    feed: "Fact",
    override: "Fovr",
    system: "system_cond",
    logic: "logic_cond",
    motion: "motion_cond",
  },
};

/** Operations from [tool, rpm, mm/s, load %, weight] rows. */
function operations(rows: [number, number, number, number, number][]): Operation[] {
  const total = rows.reduce((sum, row) => sum + row[4], 0);
  return rows.map(([tool, rpm, feed_mm_s, load_percent, weight]) => ({
    tool,
    rpm,
    feed_mm_s,
    load_percent,
    share: weight / total,
  }));
}

const HOUSING = operations([
  [1, 6000, 30, 55, 4],
  [4, 9500, 24, 38, 3],
  [7, 3200, 8, 24, 2],
  [9, 800, 11, 42, 1],
]);
const PLATE = operations([
  [2, 7500, 42, 61, 3],
  [5, 12000, 28, 33, 3],
  [11, 2600, 6, 21, 1],
]);
const FLANGE = operations([
  [1, 1800, 9, 66, 4],
  [3, 2400, 6, 35, 2],
  [6, 3000, 5, 28, 2],
]);
const SHAFT = operations([
  [1, 2200, 11, 58, 3],
  [2, 2800, 7, 31, 3],
  [8, 900, 15, 44, 1],
]);
const IMPELLER = operations([
  [12, 8500, 36, 52, 3],
  [14, 14000, 48, 36, 4],
  [15, 16000, 30, 25, 4],
  [17, 4000, 12, 30, 1],
]);

/** The four kinds of machine that the plant is made of; a larger plant repeats them. */
const KINDS: (Omit<Cnc, "uuid" | "name"> & { prefix: string })[] = [
  {
    prefix: "VMC",
    model: "Robodrill a-D21MiB5",
    make: FANUC,
    nights: "rest",
    products: [
      product("HSG-2041", "O2041", "PUMP HOUSING OP10", 154, 22, HOUSING),
      product("HSG-2057", "O2057", "VALVE HOUSING OP10", 208, 26, HOUSING),
    ],
  },
  {
    prefix: "Integrex",
    model: "Integrex i-200S",
    make: MAZAK,
    nights: "crewed",
    products: [
      product("IMP-8807", "IMP8807", "IMPELLER 5-AXIS", 412, 35, IMPELLER),
      product("FLG-3310", "FLG3310", "FLANGE DN50", 236, 24, FLANGE),
    ],
  },
  {
    prefix: "HMC",
    model: "Alpha-T21iFb, 8 pallets",
    make: FANUC,
    nights: "alone",
    products: [
      product("PLT-1120", "O1120", "BASE PLATE", 96, 16, PLATE),
      product("PLT-1135", "O1135", "COVER PLATE", 128, 18, PLATE),
      product("HSG-2099", "O2099", "GEAR HOUSING", 305, 30, HOUSING),
    ],
  },
  {
    prefix: "QuickTurn",
    model: "Quick Turn 250 bar feed",
    make: MAZAK,
    nights: "alone",
    products: [
      product("SHF-0416", "SHF0416", "SHAFT D16", 74, 6, SHAFT),
      product("SHF-0425", "SHF0425", "SHAFT D25", 118, 8, SHAFT),
    ],
  },
];

function product(
  part_number: string,
  program: string,
  comment: string,
  ideal_cycle_s: number,
  handling_s: number,
  steps: Operation[],
): Product {
  return { part_number, program, comment, ideal_cycle_s, handling_s, operations: steps };
}

/** The plant's CNCs: VMC-1, Integrex-1, HMC-1, QuickTurn-1, VMC-2 … */
export function cncs(count: number): Cnc[] {
  return Array.from({ length: count }, (_, i) => {
    const { prefix, ...kind } = KINDS[i % KINDS.length] as (typeof KINDS)[number];
    const name = `${prefix}-${Math.floor(i / KINDS.length) + 1}`;
    return { ...kind, name, uuid: `demo-${name.toLowerCase()}` };
  });
}

/** The wired machine: its inputs are all that is known of it. */
export const PRESS = {
  uuid: "demo-press-1",
  name: "Press-1",
  model: "Eccentric press 63 t",
  part_number: "BRK-5500",
  ideal_cycle_s: 6,
};

export const itemId = (cnc: Cnc, signal: Signal): string => `${cnc.uuid}-${signal}`;

/** What a machine can tell an agent of that generation: 1.4 knows no sets. */
export const signalsFor = (dialect: Dialect): readonly Signal[] =>
  dialect === "1.4" ? SIGNALS.filter((signal) => signal !== "offsets" && signal !== "variables") : SIGNALS;

/** The device model a machine shows in probe. */
export function deviceModel(cnc: Cnc, dialect: Dialect): DeviceModel {
  const known = signalsFor(dialect);
  // What is an attribute of its own now was a representation once.
  const discrete: Record<string, string> =
    dialect === "1.4" ? { representation: "DISCRETE" } : { discrete: "true" };
  const item = (
    signal: Signal,
    category: DataItemModel["category"],
    type: string,
    more: Partial<DataItemModel> = {},
  ) => ({
    id: itemId(cnc, signal),
    name: cnc.make.names[signal],
    category,
    type,
    ...more,
  });
  const component = (
    element: string,
    id: string,
    items: DataItemModel[],
    components: ComponentModel[] = [],
  ) => ({
    element,
    id: `${cnc.uuid}-${id}`,
    name: id,
    items: items.filter((one) => known.some((signal) => one.id === itemId(cnc, signal))),
    components,
  });
  const actual = (units: string) => ({ subType: "ACTUAL", attributes: { units } });
  const path = component("Path", "path", [
    item("execution", "EVENT", "EXECUTION"),
    item("mode", "EVENT", "CONTROLLER_MODE"),
    item("functional_mode", "EVENT", "FUNCTIONAL_MODE"),
    item("program", "EVENT", "PROGRAM"),
    item("comment", "EVENT", "PROGRAM_COMMENT"),
    item("part_number", "EVENT", "PART_NUMBER"),
    item("part_count", "EVENT", "PART_COUNT", { subType: "ALL" }),
    item("bad_count", "EVENT", "PART_COUNT", { subType: "BAD" }),
    item("block", "EVENT", "BLOCK", { attributes: discrete }),
    item("message", "EVENT", "MESSAGE", { attributes: discrete }),
    item("variables", "EVENT", "VARIABLE", { attributes: { representation: "DATA_SET" } }),
    item("offsets", "EVENT", "TOOL_OFFSET", { attributes: { representation: "TABLE" } }),
    item("tool", "EVENT", "TOOL_NUMBER"),
    item("feed", "SAMPLE", "PATH_FEEDRATE", actual("MILLIMETER/SECOND")),
    item("override", "EVENT", "PATH_FEEDRATE_OVERRIDE", { subType: "PROGRAMMED" }),
    item("motion", "CONDITION", "MOTION_PROGRAM"),
  ]);
  const spindle = component("Rotary", "S", [
    item("speed", "SAMPLE", "ROTARY_VELOCITY", actual("REVOLUTION/MINUTE")),
    item("load", "SAMPLE", "LOAD", actual("PERCENT")),
    item("load_profile", "SAMPLE", "LOAD", {
      attributes: { units: "PERCENT", representation: "TIME_SERIES", sampleRate: "10" },
    }),
  ]);
  const controller = component(
    "Controller",
    "controller",
    [
      item("estop", "EVENT", "EMERGENCY_STOP"),
      item("system", "CONDITION", "SYSTEM"),
      item("logic", "CONDITION", "LOGIC_PROGRAM"),
    ],
    [path],
  );
  return {
    element: "Device",
    id: cnc.uuid,
    name: cnc.name,
    uuid: cnc.uuid,
    description: {
      text: `${cnc.make.manufacturer} ${cnc.model}`,
      attributes: { manufacturer: cnc.make.manufacturer, model: cnc.model },
    },
    items: [item("availability", "EVENT", "AVAILABILITY")],
    components: [component("Axes", "axes", [], [spindle]), controller],
  };
}
