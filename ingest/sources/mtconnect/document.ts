// MTConnect's documents as data: devices, streams and errors, of any schema version.
import { MAX_CLOCK_US, MAX_NAME_LENGTH, MIN_TS_US } from "../../event.ts";
import { parseTimestamp_us } from "../../time.ts";
import { cut } from "../text.ts";
import { MAX_DATA_ITEMS, MAX_ERRORS } from "./bounds.ts";
import {
  CONDITION,
  conditionOf,
  type Detail,
  type Entry,
  EVENT,
  entryOf,
  type Level,
  SAMPLE,
  StreamItems,
  toNumber,
} from "./items.ts";
import { isJson, readJson } from "./json.ts";
import { readXml, scanStreams } from "./scanner.ts";
import { child, type XmlElement } from "./xml.ts";

/** What every document says of its agent. Numbers are NaN where the agent gave none. */
export type AgentHeader = {
  instance_id: string;
  buffer_size: number;
  first_sequence: number;
  last_sequence: number;
  next_sequence: number;
  /** The agent's clock when it made the document, µs, often cut to the second; NaN where it has none. */
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
 * Reads any document an agent answers with. It may take seconds: not for the event loop.
 * @throws Error where the bytes are no acceptable XML or JSON, or over a bound
 */
export const readDocument = (bytes: Uint8Array): MTConnectDocument =>
  documentOf(isJson(bytes) ? readJson(bytes) : readXml(bytes));

/** What a tree says. @throws Error where it says more than a document may */
export function documentOf(root: XmlElement): MTConnectDocument {
  const header = headerOf(child(root, "Header")?.attributes ?? {});
  if (root.name === "MTConnectStreams")
    return bounded({ kind: "streams", header, devices: readDeviceStreams(root) });
  if (root.name === "MTConnectDevices") {
    const listed = child(root, "Devices")?.children ?? [];
    return { kind: "devices", header, devices: readDevices(listed), listed: listed.length };
  }
  if (root.name === "MTConnectError") return { kind: "error", header, errors: readErrors(root) };
  return { kind: "other", root: cut(root.name, MAX_NAME_LENGTH) };
}

/**
 * Reads what `/current` and `/sample` answer with: the hot path of collection, so Streams are scanned, not parsed.
 * @throws Error where it is neither a Streams nor an Error document
 */
export function readStreams(bytes: Uint8Array): StreamsDocument | ErrorDocument {
  const streams = readXmlStreams(bytes);
  if (streams) return streams;
  const document = readDocument(bytes);
  if (document.kind === "error" || document.kind === "streams") return document;
  throw new Error(
    `expected MTConnectStreams, got ${document.kind === "other" ? document.root : "MTConnectDevices"}`,
  );
}

/**
 * Reads it where it is a Streams document in XML: that takes milliseconds for each MB.
 * @returns undefined where it is another document, or JSON
 * @throws Error where it is not well-formed, or over a bound
 */
export function readXmlStreams(bytes: Uint8Array): StreamsDocument | undefined {
  const scanned = isJson(bytes) ? undefined : scanStreams(bytes);
  return scanned && bounded({ kind: "streams", header: headerOf(scanned.header), devices: scanned.devices });
}

/** @throws Error where it tells more values than a document may */
function bounded(document: StreamsDocument): StreamsDocument {
  for (const { items } of document.devices) items.values();
  return document;
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
    instance_id: cut(a.instanceId ?? "", MAX_NAME_LENGTH),
    buffer_size: integer(a.bufferSize),
    first_sequence: integer(a.firstSequence),
    last_sequence: integer(a.lastSequence),
    next_sequence: integer(a.nextSequence),
    creation_us: clockOf_us(a.creationTime ?? ""),
  };
}

/** A clock that was never set tells a time that nothing happened at. */
function clockOf_us(text: string): number {
  const now_us = parseTimestamp_us(text) ?? Number.NaN;
  return now_us >= MIN_TS_US && now_us < MAX_CLOCK_US ? now_us : Number.NaN;
}

const integer = (text: string | undefined): number =>
  text && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;

function readDevices(listed: XmlElement[]): Device[] {
  return listed
    .filter((e) => e.name === "Device" && !hasAdapters(e))
    .map((device) => {
      const [id, name, uuid] = namesOf(device, "id", "name", "uuid");
      const [manufacturer, model] = namesOf(child(device, "Description"), "manufacturer", "model");
      const data_items: DataItem[] = [];
      collectDataItems(device, true, data_items);
      return { id, name, uuid, manufacturer, model, data_items };
    });
}

/** Attributes that are names, "" where they are not there, each cut. */
const namesOf = <Names extends string[]>(element: XmlElement | undefined, ...names: Names) =>
  names.map((name) => cut(element?.attributes[name] ?? "", MAX_NAME_LENGTH)) as {
    [_ in keyof Names]: string;
  };

/** Only an Agent has adapters: some list themselves as a Device. */
function hasAdapters(device: XmlElement): boolean {
  const components = child(device, "Components")?.children ?? [];
  return components.some(({ name }) => name === "Adapters" || name === "Adapter");
}

function collectDataItems(component: XmlElement, of_device: boolean, into: DataItem[]): void {
  for (const item of child(component, "DataItems")?.children ?? []) {
    if (item.name !== "DataItem") continue;
    if (into.length === MAX_DATA_ITEMS) throw new Error(`more than ${MAX_DATA_ITEMS} data items`);
    const [id, name, category, type, sub_type] = namesOf(item, "id", "name", "category", "type", "subType");
    const { representation = "VALUE", sampleRate = "" } = item.attributes;
    const sample_rate_hz = toNumber(sampleRate);
    into.push({
      id,
      name,
      category,
      type,
      sub_type,
      representation: cut(representation, MAX_NAME_LENGTH),
      sample_rate_hz,
      of_device,
    });
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
      const [name, uuid] = namesOf(device, "name", "uuid");
      return { name, uuid, items };
    });
}

function readGroup(group: XmlElement, into: StreamItems, ids: Dictionary, words: Dictionary): void {
  const category = CATEGORIES.get(group.name);
  if (category === undefined) return;
  for (const element of group.children) {
    const { dataItemId = "", sequence, timestamp = "" } = element.attributes;
    const id = ids.index(cut(dataItemId, MAX_NAME_LENGTH));
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
    detail.condition = conditionOf(LEVELS.get(element.name), {
      native_code: a.nativeCode ?? "",
      native_severity: a.nativeSeverity ?? "",
      qualifier: a.qualifier ?? "",
      text: element.text,
    });
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
    return entryOf(key, removed === "true" ? null : value);
  });

/** Three shapes: `<Error>` under the root (1.0), `<Errors><Error>`, and from 2.6 elements named by their error. */
function readErrors(root: XmlElement): ErrorDocument["errors"] {
  return [...root.children, ...(child(root, "Errors")?.children ?? [])]
    .filter((e) => e.attributes.errorCode !== undefined)
    .slice(0, MAX_ERRORS)
    .map((e) => ({
      code: cut(e.attributes.errorCode ?? "", MAX_NAME_LENGTH),
      message: cut(child(e, "ErrorMessage")?.text ?? e.text),
    }));
}
