// For tests: writes a document's tree as the reference agent's JSON printers do, version 1 or 2.
import type { XmlElement } from "./xml.ts";

type Json = string | number | { [key: string]: Json } | Json[];

/** Elements whose children are a collection: by version an array of named objects, or arrays by name. */
const COLLECTIONS = new Set(
  "Devices Components DataItems Streams Samples Events Condition Errors Assets Compositions".split(" "),
);

export function printJson(root: XmlElement, version: 1 | 2): string {
  const document = { jsonVersion: version, ...(objectOf(root, version) as object) };
  return JSON.stringify({ [root.name]: document });
}

function print(element: XmlElement, version: 1 | 2): Json {
  return COLLECTIONS.has(element.name) ? list(element.children, version) : objectOf(element, version);
}

function list(elements: XmlElement[], version: 1 | 2): Json {
  if (version === 1) return elements.map((one) => ({ [one.name]: print(one, 1) }));
  const by_name: { [key: string]: Json[] } = {};
  for (const one of elements) (by_name[one.name] ??= []).push(print(one, 2));
  return by_name;
}

function objectOf(element: XmlElement, version: 1 | 2): Json {
  const made: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(element.attributes)) {
    const numeric = /^(sequence|\w+Sequence|instanceId|bufferSize)$/.test(name) && /^\d+$/.test(value);
    made[name] = numeric ? Number(value) : value;
  }
  if (element.children.some(({ name }) => name === "Entry")) made.value = entries(element);
  else if (element.text !== "") made.value = element.text;
  const streams = element.children.filter(({ name }) => name === "ComponentStream");
  if (streams.length > 0 && version === 1) made.ComponentStreams = list(streams, 1);
  else if (streams.length > 0) made.ComponentStream = streams.map((one) => print(one, 2));
  for (const one of element.children) {
    if (one.name !== "Entry" && one.name !== "ComponentStream") made[one.name] = print(one, version);
  }
  return made;
}

function entries(element: XmlElement): Json {
  const made: { [key: string]: Json } = {};
  for (const { attributes, children, text } of element.children) {
    const [removed, key = ""] = [attributes.removed === "true", attributes.key];
    const value = removed ? { removed: true as unknown as string } : text;
    made[key] = children.length > 0 ? entries({ name: "", attributes, children, text }) : value;
  }
  return made;
}
