// JSON documents, versions 1 and 2, as the tree that XML makes: one set of readers serves both.
import { MAX_DEPTH, MAX_JSON_DEPTH, MAX_JSON_VALUES, MAX_TEXT_BYTES } from "./bounds.ts";
import type { XmlElement } from "./xml.ts";

const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

const WRAPPERS = new Set(["ComponentStreams", "list"]);

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Whether a document is JSON rather than XML: its first byte after blanks and byte order mark is a brace. */
export const isJson = (bytes: Uint8Array): boolean =>
  bytes[bytes.findIndex((byte) => !BLANKS.has(byte))] === 0x7b;

/**
 * Reads one document as the reference agent's JSON printers make them. In version 1 a collection is an array of
 * objects of one key, the element's name; in version 2 an object of arrays by name. An object's other members are
 * attributes, `value` is its text, its vector, or the entries of its DATA_SET or TABLE.
 * @throws Error where it is no JSON, or no document
 */
export function readJson(bytes: Uint8Array): XmlElement {
  const [root] = membersOf(parsed(bytes)).filter(([name, value]) => isName(name) && isObject(value));
  if (!root) throw new Error("no JSON document of MTConnect");
  return toElement(root[0], root[1], 0);
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @throws Error where it is no JSON, or over a bound: those are looked at in its bytes, before anything is made of them */
function parsed(bytes: Uint8Array): Json {
  let [values, depth] = [0, 0];
  let in_text = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (in_text) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) in_text = false;
      continue;
    }
    if (byte === QUOTE) in_text = true;
    else if (byte === COMMA) values += 1;
    // Brackets and braces, by the bit that tells them apart.
    else if ((byte | 0x20) === 0x7b) {
      values += 1;
      if (++depth > MAX_JSON_DEPTH) throw new Error(`JSON nested deeper than ${MAX_JSON_DEPTH}`);
    } else if ((byte | 0x20) === 0x7d) depth -= 1;
  }
  if (values > MAX_JSON_VALUES) throw new Error(`more than ${MAX_JSON_VALUES} values`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}

/** The elements of a collection, whichever version it is written in. */
export function elementsOf(collection: Json | undefined): [name: string, value: Json][] {
  if (!Array.isArray(collection)) {
    return membersOf(collection ?? null)
      .filter(([name]) => isName(name))
      .flatMap(([name, value]) =>
        Array.isArray(value) ? value.map((one): [string, Json] => [name, one]) : [[name, value]],
      );
  }
  return collection.flatMap(membersOf);
}

/** @throws Error where the document is no JSON object */
export function parseJson(bytes: Uint8Array): { [key: string]: Json } {
  const document = parsed(bytes);
  if (!isObject(document)) throw new Error("no JSON object");
  return document;
}

function toElement(name: string, value: Json, depth: number): XmlElement {
  if (depth > MAX_DEPTH) throw new Error(`JSON nested deeper than ${MAX_DEPTH}`);
  // No prototype: a member may be called __proto__.
  const element: XmlElement = {
    name: localName(name),
    attributes: Object.create(null),
    children: [],
    text: "",
  };
  if (!isObject(value)) element.text = textOf(value);
  else for (const [key, inner] of Object.entries(value)) addMember(element, key, inner, depth);
  return element;
}

function addMember(element: XmlElement, key: string, value: Json, depth: number): void {
  const add = (name: string, inner: Json) => element.children.push(toElement(name, inner, depth + 1));
  if (key === "value" && isObject(value)) addEntries(element, value, depth);
  else if (key === "value") element.text = textOf(value);
  // Version 1 wraps what XML has directly below: component streams, and lists that have attributes.
  else if (WRAPPERS.has(key)) {
    for (const [name, inner] of elementsOf(value)) add(name, inner);
  } else if (Array.isArray(value) && value.some(isObject)) {
    const wrapped = value.every(isWrapped);
    if (!wrapped) for (const one of value) add(key, one);
    else element.children.push(collection(key, value, depth + 1));
  } else if (isObject(value)) add(key, value);
  else if (!isName(key)) element.attributes[key] = textOf(value);
  // An empty collection, a list of plain values, or a single one.
  else if (Array.isArray(value) && value.length > 0) for (const one of value) add(key, one);
  else add(key, value);
}

function collection(name: string, value: Json, depth: number): XmlElement {
  const children = elementsOf(value).map(([inner, one]) => toElement(inner, one, depth + 1));
  return { name, attributes: Object.create(null), children, text: "" };
}

/** Entries of a DATA_SET, rows and cells of a TABLE; a removed one is `{"removed":true}`. */
function addEntries(element: XmlElement, value: { [key: string]: Json }, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`JSON nested deeper than ${MAX_DEPTH}`);
  for (const [key, inner] of Object.entries(value)) {
    const entry: XmlElement = { name: "Entry", attributes: { key }, children: [], text: "" };
    if (!isObject(inner)) entry.text = textOf(inner);
    else if (inner.removed === true) entry.attributes.removed = "true";
    else addEntries(entry, inner, depth + 1);
    element.children.push(entry);
  }
}

/** A vector is its numbers with blanks between, as in XML. */
const textOf = (value: Json): string =>
  (Array.isArray(value) ? value.map(textOf).join(" ") : value === null ? "" : String(value).trim()).slice(
    0,
    MAX_TEXT_BYTES,
  );

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const membersOf = (value: Json): [string, Json][] => (isObject(value) ? Object.entries(value) : []);

/** Elements begin with a capital, attributes do not; a foreign vocabulary's prefix is left out, as with XML. */
const isName = (key: string): boolean => /^(?:[a-z][\w.-]*:)?[A-Z]/.test(key);

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

/** An object that only names the element within: `{"Execution":{…}}`. */
function isWrapped(value: Json): boolean {
  const [first, ...further] = membersOf(value);
  return first !== undefined && further.length === 0 && isName(first[0]) && isObject(first[1]);
}
