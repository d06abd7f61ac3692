// A device as the simulated agent knows it: components, data items, and how to read them from a Devices document.
import { XMLParser } from "fast-xml-parser";

export type Category = "SAMPLE" | "EVENT" | "CONDITION";

export type DataItemModel = {
  id: string;
  category: Category;
  /** As in the device model: PART_COUNT, PATH_FEEDRATE … */
  type: string;
  name?: string;
  subType?: string;
  /** The text of <Source>. */
  source?: string;
  /** Every other attribute (units, nativeUnits, representation, statistic …), shown by probe. */
  attributes?: Record<string, string>;
  /** The allowed words of an item that has <Constraints>. */
  constraints?: string[];
};

export type ComponentModel = {
  /** The element's name: Rotary, Controller, Path … */
  element: string;
  id: string;
  name?: string;
  attributes?: Record<string, string>;
  items: DataItemModel[];
  components: ComponentModel[];
};

export type DeviceModel = ComponentModel & {
  /** "Agent" is the agent's own device, listed by agents from 1.7 on. */
  element: "Device" | "Agent";
  name: string;
  uuid: string;
  description?: { text: string; attributes: Record<string, string> };
};

/** Every data item under a component, with the chain of components from the device down to its own. */
export function* dataItems(
  component: ComponentModel,
  above: ComponentModel[] = [],
): Generator<{ item: DataItemModel; chain: ComponentModel[] }> {
  const chain = [...above, component];
  for (const item of component.items) yield { item, chain };
  for (const child of component.components) yield* dataItems(child, chain);
}

/**
 * Reads one device of a Devices document (a Devices.xml or a probe's answer).
 * @param device_name the device's name or uuid; without it the first device is taken
 * @throws where the document holds no such device
 */
export function deviceModelFromXml(xml: string, device_name?: string): DeviceModel {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    processEntities: false,
    parseTagValue: false,
    parseAttributeValue: false,
  });
  const document = parser.parse(xml) as Node[];
  const devices = document.flatMap((root) =>
    children(root).flatMap((part) => (tag(part) === "Devices" ? children(part) : [])),
  );
  const found = devices.find((node) => {
    if (tag(node) !== "Device" && tag(node) !== "Agent") return false;
    const { name, uuid } = attributes(node);
    return device_name === undefined || name === device_name || uuid === device_name;
  });
  if (!found) throw new Error(`the document holds no device ${device_name ?? ""}`);
  return deviceOf(found);
}

/** fast-xml-parser's ordered form: one key is the tag, `:@` holds the attributes. */
type Node = { ":@"?: Record<string, string>; [tag: string]: unknown };

const tag = (node: Node): string => Object.keys(node).find((key) => key !== ":@") ?? "";
const children = (node: Node): Node[] => {
  const inner = node[tag(node)];
  return Array.isArray(inner) ? (inner as Node[]) : [];
};
const child = (node: Node, name: string): Node | undefined => children(node).find((c) => tag(c) === name);
const text = (node: Node): string =>
  children(node)
    .map((c) => (typeof c["#text"] === "string" ? unescapeXml(c["#text"]) : ""))
    .join("")
    .trim();
const attributes = (node: Node): Record<string, string> =>
  Object.fromEntries(Object.entries(node[":@"] ?? {}).map(([key, value]) => [key, unescapeXml(value)]));

function deviceOf(node: Node): DeviceModel {
  const { name = "", uuid = "" } = attributes(node);
  const { attributes: rest = {}, ...component } = componentOf(node);
  const { uuid: _, ...others } = rest;
  const description = child(node, "Description");
  return {
    ...component,
    element: tag(node) === "Agent" ? "Agent" : "Device",
    name,
    uuid,
    attributes: others,
    ...(description && { description: { text: text(description), attributes: attributes(description) } }),
  };
}

function componentOf(node: Node): ComponentModel {
  const { id = "", name, ...others } = attributes(node);
  const items = child(node, "DataItems");
  const components = child(node, "Components");
  return {
    element: tag(node),
    id,
    ...(name !== undefined && { name }),
    attributes: others,
    items: items
      ? children(items)
          .filter((c) => tag(c) === "DataItem")
          .map(itemOf)
      : [],
    components: components ? children(components).filter(isElement).map(componentOf) : [],
  };
}

const isElement = (node: Node): boolean => !["", "#text", "#comment"].includes(tag(node));

function itemOf(node: Node): DataItemModel {
  const { id = "", category = "", type = "", name, subType, ...others } = attributes(node);
  if (category !== "SAMPLE" && category !== "EVENT" && category !== "CONDITION")
    throw new Error(`data item ${id}: unknown category '${category}'`);
  const source = child(node, "Source");
  const constraints = child(node, "Constraints");
  return {
    id,
    category,
    type,
    ...(name !== undefined && { name }),
    ...(subType !== undefined && { subType }),
    ...(source && { source: text(source) }),
    ...(constraints && {
      constraints: children(constraints)
        .filter((c) => tag(c) === "Value")
        .map(text),
    }),
    attributes: others,
  };
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const unescapeXml = (escaped: string): string =>
  escaped.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
