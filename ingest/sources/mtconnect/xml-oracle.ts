// For tests: XML as a tree by fast-xml-parser, which knows nothing of the scanner whose oracle it is.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { MAX_DEPTH } from "./bounds.ts";
import { cleanText, type XmlElement } from "./xml.ts";

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
export function oracleXml(bytes: Uint8Array): XmlElement {
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
