// The agent's documents, rendered as cppagent renders them: order, indentation and attributes.
import { ASSET_BUFFER, type Asset } from "./assets.ts";
import type { Checkpoint, Entries, Stored } from "./buffer.ts";
import {
  type Category,
  type ComponentModel,
  type DataItemModel,
  type DeviceModel,
  dataItems,
} from "./model.ts";

export type Kind = "Streams" | "Devices" | "Assets" | "Error";

/** What every header names. `schema` is the version in the namespaces: 1.4, 2.0 … */
export type Header = {
  schema: string;
  version: string;
  instance_id: number;
  buffer_size: number;
  now_ms: number;
  /** When the device model last changed, ms; 2.x headers carry it. */
  model_ms: number;
  asset_count: number;
};

/** A data item with the constant parts of its observations made ready. Sorted as documents group them. */
export type Row = {
  index: number;
  device: DeviceModel;
  component: ComponentModel;
  chain: ComponentModel[];
  item: DataItemModel;
  tag: string;
};

const HOLDER: Record<Category, string> = { SAMPLE: "Samples", EVENT: "Events", CONDITION: "Condition" };
const RANK: Record<Category, number> = { SAMPLE: 0, EVENT: 1, CONDITION: 2 };

/** The agent's table of data items: by device id, component id, category and item id, as its documents list them. */
export function rowsOf(devices: DeviceModel[]): Row[] {
  const by_id = devices.toSorted((a, b) => compare(a.id, b.id));
  const rows = by_id.flatMap((device) =>
    [...dataItems(device)]
      .map(({ item, chain }) => ({ device, component: chain.at(-1) ?? device, chain, item }))
      .sort(
        (a, b) =>
          compare(a.component.id, b.component.id) ||
          RANK[a.item.category] - RANK[b.item.category] ||
          compare(a.item.id, b.item.id),
      ),
  );
  return rows.map((row, index) => ({ ...row, index, tag: tagOf(row.item) }));
}

const SUFFIX: Record<string, string> = {
  DATA_SET: "DataSet",
  TABLE: "Table",
  TIME_SERIES: "TimeSeries",
  DISCRETE: "Discrete",
};

/** The element of an item's observations: its type, and how they are represented. */
const tagOf = ({ type, attributes }: DataItemModel): string =>
  elementName(type) + (SUFFIX[attributes?.representation ?? ""] ?? "");

/** MTConnectStreams of these observations (in any order) with the sequences of the header. */
export function streamsDocument(
  header: Header,
  sequences: { first: number; last: number; next: number },
  rows: Row[],
  observations: Stored[],
): string {
  const { first, last, next } = sequences;
  const sorted = observations.sort((a, b) => a.item - b.item || a.sequence - b.sequence);
  return document(
    header,
    "Streams",
    ` bufferSize="${header.buffer_size}" nextSequence="${next}" firstSequence="${first}" lastSequence="${last}"`,
    sorted.length === 0
      ? "  <Streams/>\n"
      : `  <Streams>\n${deviceStreams(header.schema, rows, sorted)}  </Streams>\n`,
  );
}

function deviceStreams(schema: string, rows: Row[], sorted: Stored[]): string {
  let out = "";
  let open: Row | undefined;
  const conditions_have_ids = atLeast(schema, 2, 3);
  for (const observation of sorted) {
    const row = rows[observation.item];
    if (!row) continue;
    if (row !== open) out += close(open, row) + begin(open, row);
    open = row;
    out += observationXml(row, observation, conditions_have_ids);
  }
  return out + close(open);
}

/** Ends what differs between the row that was open and the next one. */
function close(open: Row | undefined, next?: Row): string {
  if (!open) return "";
  let out = "";
  const same_component = next?.component === open.component && next.device === open.device;
  if (!same_component || next.item.category !== open.item.category)
    out += `        </${HOLDER[open.item.category]}>\n`;
  if (!same_component) out += "      </ComponentStream>\n";
  if (next?.device !== open.device) out += "    </DeviceStream>\n";
  return out;
}

function begin(open: Row | undefined, row: Row): string {
  const { device, component, item } = row;
  let out = "";
  if (open?.device !== device)
    out += `    <DeviceStream name="${escapeXml(device.name)}" uuid="${escapeXml(device.uuid)}">\n`;
  if (open?.device !== device || open.component !== component)
    out += `      <ComponentStream component="${component.element}"${attribute("name", component.name)} componentId="${escapeXml(component.id)}">\n`;
  if (open?.device !== device || open.component !== component || open.item.category !== item.category)
    out += `        <${HOLDER[item.category]}>\n`;
  return out;
}

function observationXml({ item, tag }: Row, observation: Stored, has_ids: boolean): string {
  const { timestamp, sequence, text, level, attributes = "" } = observation;
  const time = typeof timestamp === "string" ? escapeXml(timestamp) : timestampText(timestamp);
  const start =
    `dataItemId="${escapeXml(item.id)}" timestamp="${time}"${attribute("name", item.name)} sequence="${sequence}"` +
    `${attribute("subType", item.subType)}${attributes}`;
  if (observation.entries) return `          ${setXml(tag, start, observation)}\n`;
  if (!level) {
    const asset =
      item.type === "ASSET_CHANGED" || item.type === "ASSET_REMOVED"
        ? ` assetType="${escapeXml(observation.asset_type ?? "")}"`
        : "";
    return `          <${tag} ${start}${asset}${text === "" ? "/>" : `>${text}</${tag}>`}\n`;
  }
  const is_active = level === "Fault" || level === "Warning";
  const id = has_ids && is_active ? attribute("conditionId", observation.native_code || item.id) : "";
  const condition = `          <${level} ${start}${id} type="${escapeXml(item.type)}"`;
  return `${condition}${text === "" ? "/>" : `>${text}</${level}>`}\n`;
}

/** An observation of a DATA_SET or TABLE. */
function setXml(tag: string, start: string, { entries = {}, text }: Stored): string {
  const inner = text === "" ? entriesXml(entries) : text;
  const count = ` count="${Object.keys(entries).length}"`;
  return `<${tag} ${start}${count}${inner === "" ? "/>" : `>${inner}</${tag}>`}`;
}

function entriesXml(entries: Entries): string {
  return Object.entries(entries)
    .map(([key, value]) => {
      const entry = `Entry key="${escapeXml(key)}"`;
      if (value === null) return `<${entry} removed="true"/>`;
      if (typeof value !== "object") return `<${entry}>${escapeXml(String(value), false)}</Entry>`;
      const cells = Object.entries(value).map(
        ([cell, of]) => `<Cell key="${escapeXml(cell)}">${escapeXml(String(of), false)}</Cell>`,
      );
      return `<${entry}>${cells.join("")}</Entry>`;
    })
    .join("");
}

/** Every latest observation of the rows chosen, for /current. */
export const latestOf = (state: Checkpoint, rows: Row[], chosen: (item: number) => boolean): Stored[] =>
  rows.flatMap(({ index }) => (chosen(index) ? state.of(index) : []));

/** MTConnectDevices of these devices. */
export function devicesDocument(header: Header, devices: DeviceModel[]): string {
  const sizes = ` assetBufferSize="${ASSET_BUFFER}" assetCount="${header.asset_count}" bufferSize="${header.buffer_size}"`;
  const body = devices.map((device) => componentXml(device, "    ")).join("");
  return document(header, "Devices", sizes, `  <Devices>\n${body}  </Devices>\n`);
}

function componentXml(component: ComponentModel | DeviceModel, indent: string): string {
  const { element, id, name, attributes, items, components } = component;
  const uuid = "uuid" in component ? component.uuid : undefined;
  const description = "uuid" in component ? component.description : undefined;
  const start = `${indent}<${element}${sortedAttributes({ ...attributes, id, name, uuid })}`;
  const inner = `${indent}  `;
  let out = "";
  if (description)
    out += `${inner}<Description${sortedAttributes(description.attributes)}>${escapeXml(description.text)}</Description>\n`;
  if (items.length > 0)
    out += `${inner}<DataItems>\n${items.map((item) => itemXml(item, `${inner}  `)).join("")}${inner}</DataItems>\n`;
  if (components.length > 0)
    out += `${inner}<Components>\n${components.map((c) => componentXml(c, `${inner}  `)).join("")}${inner}</Components>\n`;
  return out === "" ? `${start}/>\n` : `${start}>\n${out}${indent}</${element}>\n`;
}

function itemXml(item: DataItemModel, indent: string): string {
  const { source, constraints, attributes, ...own } = item;
  // The agent states native units where the model leaves them out.
  const native = attributes?.units ? { nativeUnits: attributes.units } : {};
  const start = `${indent}<DataItem${sortedAttributes({ ...native, ...attributes, ...own })}`;
  let out = "";
  if (source !== undefined) out += `${indent}  <Source>${escapeXml(source)}</Source>\n`;
  if (constraints)
    out += `${indent}  <Constraints>\n${constraints.map((v) => `${indent}    <Value>${escapeXml(v)}</Value>\n`).join("")}${indent}  </Constraints>\n`;
  return out === "" ? `${start}/>\n` : `${start}>\n${out}${indent}</DataItem>\n`;
}

/** MTConnectAssets of these. */
export function assetsDocument(header: Header, assets: Asset[]): string {
  const sizes = ` assetBufferSize="${ASSET_BUFFER}" assetCount="${header.asset_count}"`;
  const body = assets.map((asset) => `    ${assetXml(asset)}\n`).join("");
  return document(
    header,
    "Assets",
    sizes,
    body === "" ? "  <Assets/>\n" : `  <Assets>\n${body}  </Assets>\n`,
  );
}

function assetXml({ type, asset_id, timestamp_us, device_uuid, removed, attributes, body }: Asset): string {
  const own = { assetId: asset_id, timestamp: timestampText(timestamp_us), deviceUuid: device_uuid };
  const all = sortedAttributes({ ...attributes, ...own, removed: removed ? "true" : undefined });
  return `<${type}${all}>${body}</${type}>`;
}

/** What was wrong with a request, and the parameter at fault. */
export type Fault = {
  code: string;
  message: string;
  parameter?: { name: string; value: string; least?: number; most?: number };
  asset_id?: string;
  uri?: string;
};

/** MTConnectError in the shape of its schema: 1.0 knows one error, 2.6 names each after its code. */
export function errorDocument(header: Header, fault: Fault): string {
  const { code, message } = fault;
  const text = escapeXml(message, false);
  const plain = `<Error errorCode="${code}">${text}</Error>`;
  const named = atLeast(header.schema, 2, 6);
  const error = named ? namedError(fault) : plain;
  const body = header.schema === "1.0" ? `  ${plain}\n` : `  <Errors>\n    ${error}\n  </Errors>\n`;
  return document(header, "Error", ` bufferSize="${header.buffer_size}"`, body);
}

const atLeast = (schema: string, major: number, minor: number): boolean => {
  const [own_major = 0, own_minor = 0] = schema.split(".").map(Number);
  return own_major > major || (own_major === major && own_minor >= minor);
};

function namedError({ code, message, parameter, asset_id, uri }: Fault): string {
  const own = elementName(code);
  const element = (name: string, value: string | number | undefined): string =>
    value === undefined ? "" : `\n        <${name}>${escapeXml(String(value), false)}</${name}>`;
  const range = parameter && `${element("Minimum", parameter.least)}${element("Maximum", parameter.most)}`;
  const query = parameter
    ? `\n      <QueryParameter name="${escapeXml(parameter.name)}">${element("Value", parameter.value)}${range}\n      </QueryParameter>`
    : "";
  const at = uri === undefined ? "" : `\n      <URI>${escapeXml(uri, false)}</URI>`;
  const text = `\n      <ErrorMessage>${escapeXml(message, false)}</ErrorMessage>`;
  const asset = asset_id === undefined ? "" : `\n      <AssetId>${escapeXml(asset_id, false)}</AssetId>`;
  return `<${own} errorCode="${code}">${at}${text}${query}${asset}\n    </${own}>`;
}

function document(header: Header, kind: Kind, header_attributes: string, body: string): string {
  const { schema, now_ms, model_ms, instance_id, version } = header;
  const root = `MTConnect${kind}`;
  const urn = `urn:mtconnect.org:${root}:${schema}`;
  const changed = schema.startsWith("1.") ? "" : ` deviceModelChangeTime="${timestampText(model_ms * 1000)}"`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns:m="${urn}" xmlns="${urn}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
    ` xsi:schemaLocation="${urn} http://schemas.mtconnect.org/schemas/${root}_${schema}.xsd">\n` +
    `  <Header creationTime="${new Date(now_ms).toISOString().slice(0, 19)}Z" sender="mtc-simulator" instanceId="${instance_id}"` +
    ` version="${version}"${changed}${header_attributes}/>\n${body}</${root}>\n`
  );
}

/** µs since 1970 as agents write them: ISO 8601, UTC, six fractional digits. */
export function timestampText(ts_us: number): string {
  const ms = Math.floor(ts_us / 1000);
  const us = ts_us - ms * 1000;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(us).padStart(3, "0")}Z`;
}

const SPECIAL: Record<string, string> = {
  PH: "PH",
  INVALID_XPATH: "InvalidXPath",
  MTCONNECT_VERSION: "MTConnectVersion",
};

/** PATH_FEEDRATE → PathFeedrate; a prefix stays: x:TEMP_2 → x:Temp2. */
export function elementName(type: string): string {
  const [prefix, name = ""] = type.includes(":") ? type.split(":", 2) : ["", type];
  const camel =
    SPECIAL[name] ??
    name
      .split("_")
      .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
      .join("");
  return prefix ? `${prefix}:${camel}` : camel;
}

/** @param quotes whether quotes are escaped too: in text, agents leave them */
export const escapeXml = (text: string, quotes = true): string => {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return quotes ? escaped.replaceAll('"', "&quot;") : escaped;
};

/** One attribute with a space in front, nothing where there is no value. */
export const attribute = (name: string, value: string | undefined): string =>
  value === undefined || value === "" ? "" : ` ${name}="${escapeXml(value)}"`;

const sortedAttributes = (attributes: Record<string, string | undefined>): string =>
  Object.entries(attributes)
    .sort(([a], [b]) => compare(a, b))
    .map(([name, value]) => attribute(name, value))
    .join("");

/** By code point, as the agent's own std::string does; not by locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
