// XML as a tree, and what a piece of its text means: no entity but the five standard ones and numbers.
/** An element; names come without their namespace prefix, text and attributes decoded and trimmed. */
export type XmlElement = {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
};

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
