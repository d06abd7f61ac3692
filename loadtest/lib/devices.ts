// A machine as an agent shows it, with the data items of a usual CNC, and what it says while it works.
import type { SimulatedAgent } from "../../ingest/sources/simulator/agent.ts";
import type { ComponentModel, DataItemModel, DeviceModel } from "../../ingest/sources/simulator/model.ts";

type Item = [name: string, category: DataItemModel["category"], type: string, sub_type?: string];

const SAMPLES: Item[] = [
  ["Xact", "SAMPLE", "POSITION", "ACTUAL"],
  ["Yact", "SAMPLE", "POSITION", "ACTUAL"],
  ["Zact", "SAMPLE", "POSITION", "ACTUAL"],
  ["Xload", "SAMPLE", "LOAD"],
  ["Zload", "SAMPLE", "LOAD"],
  ["Srpm", "SAMPLE", "ROTARY_VELOCITY", "ACTUAL"],
  ["Sload", "SAMPLE", "LOAD"],
  ["Fact", "SAMPLE", "PATH_FEEDRATE", "ACTUAL"],
  ["Stemp", "SAMPLE", "TEMPERATURE"],
];
const EVENTS: Item[] = [
  ["execution", "EVENT", "EXECUTION"],
  ["mode", "EVENT", "CONTROLLER_MODE"],
  ["program", "EVENT", "PROGRAM"],
  ["line", "EVENT", "LINE"],
  ["part_count", "EVENT", "PART_COUNT", "ALL"],
];
const CONDITIONS: Item[] = [["system", "CONDITION", "SYSTEM"]];
/** One observation in so many is an event, one in five times as many a condition. */
const EVENT_EVERY = 20;

export function deviceModel(uuid: string): DeviceModel {
  const items = (list: Item[]): DataItemModel[] =>
    list.map(([name, category, type, subType]) => ({
      id: `${uuid}-${name}`,
      name,
      category,
      type,
      ...(subType === undefined ? {} : { subType }),
    }));
  const component = (element: string, inside: DataItemModel[], components: ComponentModel[] = []) => ({
    element,
    id: `${uuid}-${element.toLowerCase()}`,
    name: element.toLowerCase(),
    items: inside,
    components,
  });
  const path = component("Path", items(EVENTS));
  return {
    element: "Device",
    id: uuid,
    name: uuid,
    uuid,
    items: items([["avail", "EVENT", "AVAILABILITY"]]),
    components: [
      component("Axes", [], [component("Linear", items(SAMPLES))]),
      component("Controller", items(CONDITIONS), [path]),
    ],
  };
}

/** Tells the n-th observation of a machine: mostly samples, now and then an event or a condition. */
export function tell(agent: SimulatedAgent, uuid: string, n: number, ts_us: number): void {
  const say = (name: string, value: string | number): void =>
    agent.add(uuid, `${uuid}-${name}`, ts_us, value);
  if (n % (5 * EVENT_EVERY) === 0) say("system", n % 2 === 0 ? "Normal" : "Warning");
  else if (n % EVENT_EVERY === 0) {
    const [name = ""] = EVENTS[(n / EVENT_EVERY) % EVENTS.length] as Item;
    const words: Record<string, string> = { execution: "ACTIVE", mode: "AUTOMATIC", program: "O1234" };
    say(name, words[name] ?? n);
  } else {
    const [name] = SAMPLES[n % SAMPLES.length] as Item;
    say(name, ((n * 7_919) % 4_000_000) / 1_000);
  }
}
