// The agent's documents as JSON, versions 1 and 2, as the reference agent's printers lay them out.
import { readXml } from "../mtconnect/scanner.ts";
import type { XmlElement } from "../mtconnect/xml.ts";

type Json = string | number | boolean | Json[] | { [key: string]: Json };
type Version = 1 | 2;

/** Elements that hold others: an array of `{name: …}` in version 1, an object of arrays by name in version 2. */
const COLLECTIONS = new Set(
  "Devices Components DataItems Streams Samples Events Condition Errors Assets Measurements".split(" "),
);

/** A document of ours, printed anew. */
export function jsonDocument(xml: string, version: Version, schema: string): string {
  const root = readXml(new TextEncoder().encode(xml));
  const document = {
    jsonVersion: version,
    schemaVersion: schema,
    ...(object(root, version, root) as object),
  };
  return JSON.stringify({ [root.name]: document });
}

function print(element: XmlElement, version: Version, parent: XmlElement): Json {
  return COLLECTIONS.has(element.name) ? list(element, version) : object(element, version, parent);
}

function list(holder: XmlElement, version: Version): Json {
  const printed = holder.children.map((one): [string, Json] => [one.name, print(one, version, holder)]);
  if (version === 1) return printed.map(([name, value]) => ({ [name]: value }));
  return Object.fromEntries(
    [...Map.groupBy(printed, ([name]) => name)].map(([name, all]) => [name, all.map(([, value]) => value)]),
  );
}

function object(element: XmlElement, version: Version, parent: XmlElement): Json {
  const made: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(element.attributes)) made[name] = attributeOf(name, value);
  const { children } = element;
  if (children.some(({ name }) => name === "Entry")) made.value = entries(children);
  else if (element.text !== "") made.value = textOf(element, parent);
  const streams = children.filter(({ name }) => name === "ComponentStream");
  if (streams.length > 0) Object.assign(made, componentStreams(streams, version, element));
  for (const one of children)
    if (one.name !== "Entry" && one.name !== "ComponentStream") made[one.name] = print(one, version, element);
  return made;
}

/** Version 1 wraps what XML has directly below a device. */
function componentStreams(
  streams: XmlElement[],
  version: Version,
  device: XmlElement,
): { [key: string]: Json } {
  const printed = streams.map((one) => object(one, version, device));
  return version === 1
    ? { ComponentStreams: printed.map((ComponentStream) => ({ ComponentStream })) }
    : { ComponentStream: printed };
}

const COUNTS = /^(sequence|\w+Sequence|instanceId|\w*[bB]ufferSize|assetCount|count|sampleCount|sampleRate)$/;

function attributeOf(name: string, value: string): Json {
  if (name === "removed" || name === "discrete") return value === "true";
  return COUNTS.test(name) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** Samples are numbers, time series arrays of them; events stay words. */
function textOf({ text, name }: XmlElement, parent: XmlElement): Json {
  if (parent.name !== "Samples" || text === "UNAVAILABLE") return text;
  return name.endsWith("TimeSeries") ? text.split(" ").map(Number) : Number(text);
}

function entries(elements: XmlElement[]): Json {
  const made: { [key: string]: Json } = {};
  for (const { attributes, children, text } of elements) {
    const key = attributes.key ?? "";
    if (attributes.removed === "true") made[key] = { removed: true };
    else if (children.length > 0) made[key] = entries(children);
    else made[key] = text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return made;
}
