// MTConnect's documents as data: devices, streams and errors, of any schema version.
import { parseTimestamp_us } from "../../time.ts";
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
  /** Hangs directly under the device, not under a component. */
  of_device: boolean;
};

/** A device of the probe, its data items in document order. */
export type Device = { id: string; name: string; uuid: string; data_items: DataItem[] };

export type Level = "NORMAL" | "WARNING" | "FAULT" | "UNAVAILABLE";

/** One element of a Streams document. */
export type StreamItem = {
  data_item_id: string;
  name: string;
  sequence: number;
  ts_us: number;
  category: "SAMPLE" | "EVENT" | "CONDITION";
  /** The text; of a DATA_SET or TABLE its entries as JSON. */
  text: string;
  /** Conditions only. */
  level: Level | undefined;
  native_code: string;
};

export type DeviceStream = {
  name: string;
  uuid: string;
  /** In sequence order, which is not the document's. */
  items: StreamItem[];
};

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
 * @throws Error where the bytes are no acceptable XML
 */
export function readDocument(bytes: Uint8Array): MTConnectDocument {
  const root = readXml(bytes);
  const header = readHeader(child(root, "Header"));
  if (root.name === "MTConnectStreams") return { kind: "streams", header, devices: readDeviceStreams(root) };
  if (root.name === "MTConnectDevices") {
    const listed = child(root, "Devices")?.children ?? [];
    return { kind: "devices", header, devices: readDevices(listed), listed: listed.length };
  }
  if (root.name === "MTConnectError") return { kind: "error", header, errors: readErrors(root) };
  return { kind: "other", root: root.name };
}

/**
 * Reads what `/current` and `/sample` answer with: the hot path of collection.
 * @throws Error where it is neither a Streams nor an Error document
 */
export function readStreams(bytes: Uint8Array): StreamsDocument | ErrorDocument {
  const document = readDocument(bytes);
  if (document.kind === "streams" || document.kind === "error") return document;
  throw new Error(
    `expected MTConnectStreams, got ${document.kind === "other" ? document.root : "MTConnectDevices"}`,
  );
}

function readHeader(header: XmlElement | undefined): AgentHeader {
  const a = header?.attributes ?? {};
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
    .filter((e) => e.name === "Device")
    .map((device) => {
      const { id = "", name = "", uuid = "" } = device.attributes;
      const data_items: DataItem[] = [];
      collectDataItems(device, true, data_items);
      return { id, name, uuid, data_items };
    });
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
    } = item.attributes;
    into.push({ id, name, category, type, sub_type: subType, representation, of_device });
  }
  for (const inner of child(component, "Components")?.children ?? []) collectDataItems(inner, false, into);
}

function readDeviceStreams(root: XmlElement): DeviceStream[] {
  const streams = child(root, "Streams")?.children ?? [];
  return streams
    .filter((e) => e.name === "DeviceStream")
    .map((device) => {
      const items: StreamItem[] = [];
      for (const component of device.children) {
        for (const group of component.children) readGroup(group, items);
      }
      items.sort((a, b) => a.sequence - b.sequence);
      return { name: device.attributes.name ?? "", uuid: device.attributes.uuid ?? "", items };
    });
}

function readGroup(group: XmlElement, into: StreamItem[]): void {
  const category = CATEGORIES[group.name];
  if (!category) return;
  for (const element of group.children) {
    const a = element.attributes;
    into.push({
      data_item_id: a.dataItemId ?? "",
      name: a.name ?? "",
      sequence: integer(a.sequence),
      ts_us: parseTimestamp_us(a.timestamp ?? "") ?? Number.NaN,
      category,
      text: element.children.length > 0 ? JSON.stringify(entries(element)) : element.text,
      level: category === "CONDITION" ? LEVELS[element.name] : undefined,
      native_code: a.nativeCode ?? "",
    });
  }
}

const CATEGORIES: Record<string, StreamItem["category"]> = {
  Samples: "SAMPLE",
  Events: "EVENT",
  Condition: "CONDITION",
};

const LEVELS: Record<string, Level> = {
  Normal: "NORMAL",
  Warning: "WARNING",
  Fault: "FAULT",
  Unavailable: "UNAVAILABLE",
};

type Entries = { [key: string]: string | null | Entries };

/** Entries of a DATA_SET, or rows and cells of a TABLE; a removed key is null. */
function entries(element: XmlElement): Entries {
  const made: Entries = Object.create(null);
  for (const { attributes, children, text, name } of element.children) {
    const key = attributes.key ?? name;
    if (attributes.removed === "true") made[key] = null;
    else made[key] = children.length > 0 ? entries({ name, attributes, children, text }) : text;
  }
  return made;
}

/** Three shapes: `<Error>` under the root (1.0), `<Errors><Error>`, and from 2.6 elements named by their error. */
function readErrors(root: XmlElement): ErrorDocument["errors"] {
  return [...root.children, ...(child(root, "Errors")?.children ?? [])]
    .filter((e) => e.attributes.errorCode !== undefined)
    .map((e) => ({
      code: e.attributes.errorCode ?? "",
      message: child(e, "ErrorMessage")?.text ?? e.text,
    }));
}
