// MTConnect's documents as data: devices, streams and errors, of any schema version.
import { MIN_TS_US } from "../../event.ts";
import { parseTimestamp_us } from "../../time.ts";
import {
  CONDITION,
  type Detail,
  type Entry,
  EVENT,
  type Level,
  SAMPLE,
  StreamItems,
  toNumber,
} from "./items.ts";
import { isJson, readJson } from "./json.ts";
import { scanStreams } from "./scanner.ts";
import { child, readXml, type XmlElement } from "./xml.ts";

/** What every document says of its agent. Numbers are NaN where the agent gave none. */
export type AgentHeader = {
  instance_id: string;
  buffer_size: number;
  first_sequence: number;
  last_sequence: number;
  next_sequence: number;
  /** The agent's clock when it made the document, µs, often cut to the second. */
  creation_us: number;
};

export type DataItem = {
  id: string;
  name: string;
  category: string;
  type: string;
  sub_type: string;
  representation: string;
  /** Of a TIME_SERIES, unless an observation says otherwise; NaN where it is not told. */
  sample_rate_hz: number;
  /** Hangs directly under the device, not under a component. */
  of_device: boolean;
};

/** A device of the probe, its data items in document order; manufacturer and model as its description has them, or "". */
export type Device = {
  id: string;
  name: string;
  uuid: string;
  manufacturer: string;
  model: string;
  data_items: DataItem[];
};

export type DeviceStream = { name: string; uuid: string; items: StreamItems };

export type StreamsDocument = { kind: "streams"; header: AgentHeader; devices: DeviceStream[] };
export type DevicesDocument = {
  kind: "devices";
  header: AgentHeader;
  /** Agents from 1.7 list themselves as `Agent` beside the devices; what they say is never a machine's. */
  devices: Device[];
  /** How many are listed, the Agent too. */
  listed: number;
};
export type ErrorDocument = {
  kind: "error";
  header: AgentHeader;
  errors: { code: string; message: string }[];
};
/** Assets, fragments and whatever else is well-formed. */
export type OtherDocument = { kind: "other"; root: string };
export type MTConnectDocument = StreamsDocument | DevicesDocument | ErrorDocument | OtherDocument;

/**
 * Reads any document an agent answers with.
 * @throws Error where the bytes are no acceptable XML or JSON
 */
export function readDocument(bytes: Uint8Array): MTConnectDocument {
  const root = isJson(bytes) ? readJson(bytes) : readXml(bytes);
  const header = headerOf(child(root, "Header")?.attributes ?? {});
  if (root.name === "MTConnectStreams") return { kind: "streams", header, devices: readDeviceStreams(root) };
  if (root.name === "MTConnectDevices") {
    const listed = child(root, "Devices")?.children ?? [];
    return { kind: "devices", header, devices: readDevices(listed), listed: listed.length };
  }
  if (root.name === "MTConnectError") return { kind: "error", header, errors: readErrors(root) };
  return { kind: "other", root: root.name };
}

/**
 * Reads what `/current` and `/sample` answer with: the hot path of collection, so Streams are scanned, not parsed.
 * @throws Error where it is neither a Streams nor an Error document
 */
export function readStreams(bytes: Uint8Array): StreamsDocument | ErrorDocument {
  const scanned = isJson(bytes) ? undefined : scanStreams(bytes);
  if (scanned) return { kind: "streams", header: headerOf(scanned.header), devices: scanned.devices };
  const document = readDocument(bytes);
  if (document.kind === "error" || document.kind === "streams") return document;
  throw new Error(
    `expected MTConnectStreams, got ${document.kind === "other" ? document.root : "MTConnectDevices"}`,
  );
}

/** A device's observations in a document: by its uuid, by its name where it has none. */
export const itemsOf = ({ uuid, name }: Device, streams: DeviceStream[]): StreamItems | undefined =>
  streams.find((d) => (uuid === "" ? d.name === name : d.uuid === uuid))?.items;

/** The time of the oldest and of the newest observation by sequence, µs; undefined where there is none. */
export function span_us({ devices }: StreamsDocument): { oldest_us: number; latest_us: number } | undefined {
  let [lowest, oldest_us] = [Number.POSITIVE_INFINITY, 0];
  let [highest, latest_us] = [0, 0];
  for (const { items } of devices) {
    for (let i = 0; i < items.length; i++) {
      const sequence = items.sequence[i] as number;
      const ts_us = items.ts_us[i] as number;
      if (Number.isNaN(ts_us)) continue;
      if (sequence < lowest) [lowest, oldest_us] = [sequence, ts_us];
      if (sequence > highest) [highest, latest_us] = [sequence, ts_us];
    }
  }
  return highest > 0 ? { oldest_us, latest_us } : undefined;
}

/** The earliest time of a device's observations, whatever their sequence, µs; Infinity where it has none. */
export function earliest_us(device: Device, { devices }: StreamsDocument): number {
  let earliest = Number.POSITIVE_INFINITY;
  const { ts_us, length } = itemsOf(device, devices) ?? { ts_us: [], length: 0 };
  for (let i = 0; i < length; i++) {
    const at_us = ts_us[i] as number;
    // An impossible time is left out with its observation.
    if (at_us >= MIN_TS_US && at_us < earliest) earliest = at_us;
  }
  return earliest;
}

function headerOf(a: Record<string, string>): AgentHeader {
  return {
    instance_id: a.instanceId ?? "",
    buffer_size: integer(a.bufferSize),
    first_sequence: integer(a.firstSequence),
    last_sequence: integer(a.lastSequence),
    next_sequence: integer(a.nextSequence),
    creation_us: parseTimestamp_us(a.creationTime ?? "") ?? Number.NaN,
  };
}

const integer = (text: string | undefined): number =>
  text && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;

function readDevices(listed: XmlElement[]): Device[] {
  return listed
    .filter((e) => e.name === "Device" && !hasAdapters(e))
    .map((device) => {
      const { id = "", name = "", uuid = "" } = device.attributes;
      const { manufacturer = "", model = "" } = child(device, "Description")?.attributes ?? {};
      const data_items: DataItem[] = [];
      collectDataItems(device, true, data_items);
      return { id, name, uuid, manufacturer, model, data_items };
    });
}

/** Only an Agent has adapters: some list themselves as a Device. */
function hasAdapters(device: XmlElement): boolean {
  const components = child(device, "Components")?.children ?? [];
  return components.some(({ name }) => name === "Adapters" || name === "Adapter");
}

function collectDataItems(component: XmlElement, of_device: boolean, into: DataItem[]): void {
  for (const item of child(component, "DataItems")?.children ?? []) {
    if (item.name !== "DataItem") continue;
    const {
      id = "",
      name = "",
      category = "",
      type = "",
      subType = "",
      representation = "VALUE",
      sampleRate = "",
    } = item.attributes;
    const sample_rate_hz = toNumber(sampleRate);
    into.push({ id, name, category, type, sub_type: subType, representation, sample_rate_hz, of_device });
  }
  for (const inner of child(component, "Components")?.children ?? []) collectDataItems(inner, false, into);
}

function readDeviceStreams(root: XmlElement): DeviceStream[] {
  return root.children
    .filter((e) => e.name === "Streams")
    .flatMap((streams) => streams.children.filter((e) => e.name === "DeviceStream"))
    .map((device) => {
      const items = new StreamItems();
      const [ids, words] = [new Dictionary(items.ids), new Dictionary(items.words)];
      for (const component of device.children) {
        for (const group of component.children) readGroup(group, items, ids, words);
      }
      return { name: device.attributes.name ?? "", uuid: device.attributes.uuid ?? "", items };
    });
}

function readGroup(group: XmlElement, into: StreamItems, ids: Dictionary, words: Dictionary): void {
  const category = CATEGORIES.get(group.name);
  if (category === undefined) return;
  for (const element of group.children) {
    const { dataItemId = "", sequence, timestamp = "" } = element.attributes;
    const id = ids.index(dataItemId);
    const detail = detailOf(element, category);
    const told = element.children.length > 0 || category === CONDITION;
    const num = told || category !== SAMPLE ? Number.NaN : toNumber(element.text);
    const word = told || !Number.isNaN(num) ? 0 : 1 + words.index(element.text);
    if (detail) into.details.set(into.length, detail);
    into.push(id, category, integer(sequence), parseTimestamp_us(timestamp) ?? Number.NaN, num, word);
  }
}

function detailOf(element: XmlElement, category: number): Detail | undefined {
  const a = element.attributes;
  const detail: Detail = {};
  if (category === CONDITION) {
    detail.condition = {
      level: LEVELS.get(element.name) ?? "UNAVAILABLE",
      native_code: a.nativeCode ?? "",
      native_severity: a.nativeSeverity ?? "",
      qualifier: a.qualifier ?? "",
      text: element.text,
    };
  }
  if (element.children.length > 0) detail.entries = entries(element);
  if (a.resetTriggered) detail.reset_triggered = a.resetTriggered;
  if (a.sampleCount !== undefined) detail.sample_rate_hz = toNumber(a.sampleRate ?? "");
  return Object.keys(detail).length > 0 ? detail : undefined;
}

/** Strings, each once, by their index. */
class Dictionary {
  readonly #strings: string[];
  readonly #indexes = new Map<string, number>();

  constructor(strings: string[]) {
    this.#strings = strings;
  }

  index(text: string): number {
    let index = this.#indexes.get(text);
    if (index === undefined) this.#indexes.set(text, (index = this.#strings.push(text) - 1));
    return index;
  }
}

const CATEGORIES = new Map([
  ["Samples", SAMPLE],
  ["Events", EVENT],
  ["Condition", CONDITION],
]);

const LEVELS = new Map<string, Level>([
  ["Normal", "NORMAL"],
  ["Warning", "WARNING"],
  ["Fault", "FAULT"],
  ["Unavailable", "UNAVAILABLE"],
]);

/** Entries of a DATA_SET, or rows and cells of a TABLE. */
const entries = ({ children }: XmlElement): Entry[] =>
  children.map((element) => {
    const { key = element.name, removed } = element.attributes;
    const value = element.children.length > 0 ? entries(element) : element.text;
    return { key, value: removed === "true" ? null : value };
  });

/** Three shapes: `<Error>` under the root (1.0), `<Errors><Error>`, and from 2.6 elements named by their error. */
function readErrors(root: XmlElement): ErrorDocument["errors"] {
  return [...root.children, ...(child(root, "Errors")?.children ?? [])]
    .filter((e) => e.attributes.errorCode !== undefined)
    .map((e) => ({
      code: e.attributes.errorCode ?? "",
      message: child(e, "ErrorMessage")?.text ?? e.text,
    }));
}
