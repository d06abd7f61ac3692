// XML as a tree, hardened: no DOCTYPE, no entity but the five standard ones and numbers, depth and size bounded.
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** An element; names come without their namespace prefix, text and attributes decoded and trimmed. */
export type XmlElement = {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
};

export const MAX_DEPTH = 64;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  // White space is cut off when an element's text is whole.
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  // Entities are decoded here: the library's own expansion knows no bound.
  processEntities: false,
  removeNSPrefix: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: "#cdata",
});

/**
 * Reads one document.
 * @throws Error where it is not well-formed, or declares a DOCTYPE
 */
export function readXml(bytes: Uint8Array): XmlElement {
  const text = new TextDecoder().decode(bytes);
  // Besides comments and CDATA only markup declarations start so, and no MTConnect document has any.
  if (/<!(?!--|\[CDATA\[)/.test(text)) throw new Error("XML with a DOCTYPE or other declaration is refused");
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new Error(`not well-formed in line ${valid.err.line}: ${valid.err.msg}`);
  const root = (parser.parse(text) as OrderedNode[])
    .map((node) => toElement(node, 0))
    .find((e) => e !== null);
  if (!root) throw new Error("no XML element found");
  return root;
}

/** The first child of that name. */
export const child = (element: XmlElement, name: string): XmlElement | undefined =>
  element.children.find((e) => e.name === name);

/**
 * What a piece of text means: line ends as XML wants them, no white space round it, entities decoded.
 * Only XML's own white space is cut off; a non-breaking space is text.
 */
export function cleanText(raw: string): string {
  const text = raw.includes("\r") ? raw.replace(/\r\n?/g, "\n") : raw;
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (start < end && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return decodeEntities(text.slice(start, end));
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

/** Decodes the five standard entities and numeric references; anything else is left as it stands. */
function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi,
    (all, hex, decimal, name) => {
      if (name) return STANDARD[name as string] ?? all;
      const code = Number.parseInt(hex ?? decimal, hex ? 16 : 10);
      return code === 0 || code > 0x10ffff ? all : String.fromCodePoint(code);
    },
  );
}

const STANDARD: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** What the library makes with `preserveOrder`: one key naming the element, ":@" for the attributes. */
type OrderedNode = Record<string, OrderedNode[] | Record<string, string> | string>;

function toElement(node: OrderedNode, depth: number): XmlElement | null {
  if (depth > MAX_DEPTH) throw new Error(`XML nested deeper than ${MAX_DEPTH}`);
  for (const name in node) {
    const inner = node[name];
    if (name === ":@" || !Array.isArray(inner)) continue;
    const element: XmlElement = { name, attributes: decodedAttributes(node[":@"]), children: [], text: "" };
    for (const part of inner) {
      const literal = part["#cdata"];
      if (typeof part["#text"] === "string") element.text += part["#text"];
      else if (Array.isArray(literal)) element.text += escaped(literal);
      else {
        const made = toElement(part, depth + 1);
        if (made) element.children.push(made);
      }
    }
    element.text = cleanText(element.text);
    return element;
  }
  return null;
}

/** CDATA as it would stand outside of it, to be decoded with the text round it. */
const escaped = (literal: OrderedNode[]): string =>
  literal
    .map((node) => String(node["#text"] ?? ""))
    .join("")
    .replaceAll("&", "&amp;");

function decodedAttributes(raw: OrderedNode[string] | undefined): Record<string, string> {
  if (raw === undefined || typeof raw === "string" || Array.isArray(raw)) return {};
  for (const name in raw) {
    raw[name] = cleanText(raw[name] ?? "");
  }
  return raw;
}
