// Reads a MTConnectStreams document from its bytes into columns, in one pass: the hot path of collection. Any other as a tree.
import { MAX_NAME_LENGTH } from "../../event.ts";
import { cut } from "../text.ts";
import {
  MAX_ATTRIBUTES,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_NUMBER_BYTES,
  MAX_TEXT_BYTES,
  MAX_TREE_ATTRIBUTES,
} from "./bounds.ts";
import { decodeUtf8, integerAt, numberAt, timestampAt_us } from "./bytes.ts";
import { Interner } from "./interner.ts";
import {
  CONDITION,
  conditionOf,
  type Detail,
  type Entry,
  entryOf,
  type Level,
  SAMPLE,
  StreamItems,
  toNumber,
} from "./items.ts";
import { cleanText, type XmlElement } from "./xml.ts";

/** What the scanner found; the header's attributes are as the agent wrote them. */
export type ScannedStreams = {
  header: Record<string, string>;
  devices: { name: string; uuid: string; items: StreamItems }[];
};

/**
 * Reads a Streams document of any schema version: namespaces, prefixes and element names it does not know change nothing.
 * fast-xml-parser reading the same bytes into a tree is its oracle.
 * @returns undefined where the document is well begun, but another one than MTConnectStreams
 * @throws Error where it is not well-formed, or declares a DOCTYPE
 */
export function scanStreams(bytes: Uint8Array): ScannedStreams | undefined {
  return new Scanner(bytes).document();
}

/**
 * Reads a document of any kind as a tree, within the same bounds: what is over one is refused before it is looked at.
 * @throws Error where it is not well-formed, declares a DOCTYPE, or is over a bound
 */
export function readXml(bytes: Uint8Array): XmlElement {
  return new Scanner(bytes).tree();
}

/** Looks whether a document is well-formed and within its bounds, and makes nothing of it. @throws Error where it is not */
export function checkXml(bytes: Uint8Array, max_elements: number): void {
  new Scanner(bytes, max_elements).check();
}

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const COLON = 0x3a;

/** What a byte may do: begin a name, go on in one, be white space. */
const BEGINS = 1;
const GOES_ON = 2;
const SPACE = 4;
const KIND = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z_:\x80-\xff]/.test(char)) KIND[byte] = BEGINS | GOES_ON;
  else if (/[0-9.-]/.test(char)) KIND[byte] = GOES_ON;
  else if (/[ \t\r\n]/.test(char)) KIND[byte] = SPACE;
}

/** Numbers kept of each attribute: where its local name, its name's end, its value, its value's end and its name lie. */
const STRIDE = 5;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The names the scanner knows; everything else is passed over, or is the name of an observation. */
const ROOT = ascii("MTConnectStreams");
const HEADER = ascii("Header");
const STREAMS = ascii("Streams");
const DEVICE_STREAM = ascii("DeviceStream");
const GROUPS = [ascii("Samples"), ascii("Events"), ascii("Condition")];
const LEVELS: [Uint8Array, Level][] = [
  [ascii("Normal"), "NORMAL"],
  [ascii("Warning"), "WARNING"],
  [ascii("Fault"), "FAULT"],
  [ascii("Unavailable"), "UNAVAILABLE"],
];
const DATA_ITEM_ID = ascii("dataItemId");
const TIMESTAMP = ascii("timestamp");
const SEQUENCE = ascii("sequence");
const NAME = ascii("name");
const UUID = ascii("uuid");
const KEY = ascii("key");
const REMOVED = ascii("removed");
const NATIVE_CODE = ascii("nativeCode");
const NATIVE_SEVERITY = ascii("nativeSeverity");
const QUALIFIER = ascii("qualifier");
const SAMPLE_COUNT = ascii("sampleCount");
const SAMPLE_RATE = ascii("sampleRate");
const RESET_TRIGGERED = ascii("resetTriggered");
const CDATA = ascii("[CDATA[");
/** Such an attribute declares a prefix, and is none of the element's own. */
const XMLNS = ascii("xmlns:");

/** One dictionary of data item ids and one of words, kept from document to document. */
const ids = new Interner((text) => cut(cleanText(text), MAX_NAME_LENGTH));
const words = new Interner(cleanText);
const encoder = new TextEncoder();

class Scanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Where the open elements' whole names lie: start and end, in turn. */
  readonly #open = new Int32Array(2 * (MAX_DEPTH + 2));
  #depth = 0;
  #elements = 0;
  readonly #max_elements: number;
  /** Attributes that were kept in a tree. */
  #kept_attributes = 0;
  /** The start tag just read: its local name, and whether it was closed at once. */
  #name_start = 0;
  #name_end = 0;
  #empty = false;
  readonly #attributes = new Int32Array(STRIDE * MAX_ATTRIBUTES);
  #attribute_count = 0;
  /** The text before the tag just read: where it lies, or, where it came in pieces, as a string. */
  #text_start = 0;
  #text_end = 0;
  #pieces: string | undefined;

  constructor(bytes: Uint8Array, max_elements = MAX_ELEMENTS) {
    this.#bytes = bytes;
    this.#max_elements = max_elements;
    // A byte order mark.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  document(): ScannedStreams | undefined {
    if (!this.#nextTag() || this.#hasText()) throw new Error("no XML element found");
    if (!this.#named(ROOT)) return undefined;
    let header: ScannedStreams["header"] | undefined;
    const devices: ScannedStreams["devices"] = [];
    this.#children(() => {
      if (this.#named(HEADER)) {
        header ??= this.#allAttributes();
        this.#skip();
      } else if (this.#named(STREAMS)) {
        this.#children(() => {
          if (this.#named(DEVICE_STREAM)) devices.push(this.#deviceStream());
          else this.#skip();
        });
      } else this.#skip();
    });
    if (this.#nextTag() || this.#hasText()) throw new Error("something follows the end of the document");
    return { header: header ?? {}, devices };
  }

  tree(): XmlElement {
    return this.#root(() => this.#element());
  }

  check(): void {
    this.#root(() => this.#skip());
  }

  #root<T>(read: () => T): T {
    if (!this.#nextTag() || this.#hasText()) throw new Error("no XML element found");
    const root = read();
    if (this.#nextTag() || this.#hasText()) throw new Error("something follows the end of the document");
    return root;
  }

  /** The element whose start tag was just read, with all that is in it. */
  #element(): XmlElement {
    const name = decodeUtf8(this.#bytes, this.#name_start, this.#name_end);
    const element: XmlElement = { name, attributes: this.#allAttributes(), children: [], text: "" };
    if (this.#empty) {
      this.#close();
      return element;
    }
    let raw = "";
    for (let open = true; open; ) {
      open = this.#nextTag();
      if (raw.length < MAX_TEXT_BYTES) raw += this.#rawText();
      if (open) element.children.push(this.#element());
    }
    element.text = cleanText(raw);
    return element;
  }

  #deviceStream(): ScannedStreams["devices"][number] {
    const items = new StreamItems();
    const [name, uuid] = [NAME, UUID].map((said) => cut(this.#attribute(said), MAX_NAME_LENGTH)) as [
      string,
      string,
    ];
    const device = { name, uuid, items };
    ids.begin(items.ids);
    words.begin(items.words);
    this.#children(() => this.#children(() => this.#group(items)));
    return device;
  }

  #group(items: StreamItems): void {
    const category = GROUPS.findIndex((group) => this.#named(group));
    if (category < 0) this.#skip();
    else this.#children(() => this.#observation(items, category));
  }

  /** One observation, from its start tag to its end. */
  #observation(items: StreamItems, category: number): void {
    const bytes = this.#bytes;
    let id = -1;
    let sequence = Number.NaN;
    let ts_us = Number.NaN;
    let unusual = category === CONDITION;
    const attributes = this.#attributes;
    for (let a = 0; a < this.#attribute_count; a++) {
      const name = attributes[STRIDE * a] as number;
      const length = (attributes[STRIDE * a + 1] as number) - name;
      const start = attributes[STRIDE * a + 2] as number;
      const end = attributes[STRIDE * a + 3] as number;
      // Nearly every attribute is told by its length: what is equal in length is compared.
      if (length === 10 && this.#equals(name, DATA_ITEM_ID)) id = ids.index(bytes, start, end);
      else if (length === 9 && this.#equals(name, TIMESTAMP)) ts_us = timestampAt_us(bytes, start, end);
      else if (length === 8 && this.#equals(name, SEQUENCE)) sequence = integerAt(bytes, start, end);
      else if (length === 14 && this.#equals(name, RESET_TRIGGERED)) unusual = true;
      else if (length === 11 && this.#equals(name, SAMPLE_COUNT)) unusual = true;
    }
    if (id < 0) id = ids.index(bytes, 0, 0);
    const detail = unusual ? this.#detail(category) : undefined;
    const entries = this.#content(detail);
    const told = entries || category === CONDITION;
    const num = told || category !== SAMPLE ? Number.NaN : this.#number();
    const word = told || !Number.isNaN(num) ? 0 : 1 + this.#word();
    const noted = entries ? { ...detail, entries } : detail;
    if (noted) items.details.set(items.length, noted);
    items.push(id, category, sequence, ts_us, num, word);
  }

  /** What the start tag says besides; of a condition its text is still to come. */
  #detail(category: number): Detail {
    const detail: Detail = {};
    if (category === CONDITION) {
      detail.condition = conditionOf(LEVELS.find(([name]) => this.#named(name))?.[1], {
        native_code: this.#attribute(NATIVE_CODE),
        native_severity: this.#attribute(NATIVE_SEVERITY),
        qualifier: this.#attribute(QUALIFIER),
        text: "",
      });
    }
    const reset_triggered = this.#attribute(RESET_TRIGGERED);
    if (reset_triggered !== "") detail.reset_triggered = reset_triggered;
    if (this.#has(SAMPLE_COUNT)) detail.sample_rate_hz = toNumber(this.#attribute(SAMPLE_RATE));
    return detail;
  }

  /** Reads up to the observation's end tag; its text lies ready then. @returns the entries of a data set or table */
  #content(detail: Detail | undefined): Entry[] | undefined {
    let entries: Entry[] | undefined;
    if (this.#empty) {
      this.#text_end = this.#text_start = this.#at;
      this.#close();
    } else while (this.#nextTag()) (entries ??= []).push(this.#entry());
    if (detail?.condition)
      detail.condition = conditionOf(detail.condition.level, { ...detail.condition, text: this.#text() });
    return entries;
  }

  #entry(): Entry {
    const key = this.#has(KEY)
      ? this.#attribute(KEY)
      : decodeUtf8(this.#bytes, this.#name_start, this.#name_end);
    const removed = this.#attribute(REMOVED) === "true";
    const cells = this.#content(undefined);
    return entryOf(key, removed ? null : (cells ?? this.#text()));
  }

  /** Calls back at the start tag of each child; it must read the child to its end. */
  #children(child: () => void): void {
    if (this.#empty) this.#close();
    else while (this.#nextTag()) child();
  }

  /** Passes over the element whose start tag was just read. */
  #skip(): void {
    const depth = this.#depth - 1;
    if (this.#empty) this.#close();
    while (this.#depth > depth) if (this.#nextTag() && this.#empty) this.#close();
  }

  #close(): void {
    this.#depth -= 1;
  }

  /**
   * Reads on to the next tag, noting the text before it.
   * @returns true at a start tag, false at the end tag of the innermost open element, or at the document's end
   */
  #nextTag(): boolean {
    const bytes = this.#bytes;
    this.#pieces = undefined;
    this.#text_start = this.#at;
    for (;;) {
      let at = this.#at;
      while (at < bytes.length && bytes[at] !== LT) at += 1;
      this.#text_end = this.#at = at;
      if (at === bytes.length) {
        if (this.#depth > 0) throw new Error("the document breaks off");
        return false;
      }
      const next = bytes[at + 1] as number;
      if (next === SLASH) {
        this.#endTag();
        return false;
      }
      if (next !== BANG && next !== QUESTION) {
        this.#startTag();
        return true;
      }
      // What is over the bound is not kept: a thousand pieces of it would each be copied to the next.
      const before = this.#rawText();
      const literal = this.#markup(next);
      this.#pieces = before.length < MAX_TEXT_BYTES ? before + literal : before;
      this.#text_start = this.#at;
    }
  }

  /** A comment, an instruction or CDATA. @returns the CDATA's text, escaped as any other */
  #markup(next: number): string {
    const start = this.#at;
    if (next === QUESTION) {
      this.#at = this.#after("?>", start + 2);
      return "";
    }
    if (this.#bytes[start + 2] === 0x2d && this.#bytes[start + 3] === 0x2d) {
      this.#at = this.#after("-->", start + 4);
      return "";
    }
    if (!this.#equals(start + 2, CDATA) || this.#depth === 0)
      throw new Error("XML with a DOCTYPE or other declaration is refused");
    this.#at = this.#after("]]>", start + 9);
    return this.#decoded(start + 9, this.#at - 3).replaceAll("&", "&amp;");
  }

  /** Where that follows, past it. */
  #after(what: string, from: number): number {
    const found = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length).indexOf(
      what,
      from,
    );
    if (found < 0) throw new Error("the document breaks off");
    return found + what.length;
  }

  #endTag(): void {
    const bytes = this.#bytes;
    const depth = this.#depth - 1;
    if (depth < 0) throw new Error("an end tag without its start");
    const start = this.#open[2 * depth] as number;
    const end = this.#open[2 * depth + 1] as number;
    let at = this.#at + 2;
    for (let i = start; i < end; i++) if (bytes[at++] !== bytes[i]) throw this.#unmatched(start, end);
    while (this.#is(SPACE, at)) at += 1;
    if (bytes[at] !== GT) throw this.#unmatched(start, end);
    this.#at = at + 1;
    this.#depth = depth;
  }

  #unmatched(start: number, end: number): Error {
    return new Error(`expected the end of ${decodeUtf8(this.#bytes, start, end)}`);
  }

  #startTag(): void {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = this.#nameEnd(start);
    if (++this.#elements > this.#max_elements) throw new Error(`more than ${this.#max_elements} elements`);
    if (this.#depth > MAX_DEPTH) throw new Error(`XML nested deeper than ${MAX_DEPTH}`);
    this.#open[2 * this.#depth] = start;
    this.#open[2 * this.#depth + 1] = at;
    this.#depth += 1;
    this.#name_end = at;
    this.#name_start = this.#localStart(start, at);
    this.#attribute_count = 0;
    for (;;) {
      const before = at;
      while (this.#is(SPACE, at)) at += 1;
      const byte = bytes[at];
      if (byte === GT || byte === SLASH) {
        this.#empty = byte === SLASH;
        if (this.#empty && bytes[++at] !== GT) throw new Error("a stray / in a tag");
        this.#at = at + 1;
        return;
      }
      if (at === before)
        throw new Error(at >= bytes.length ? "the document breaks off" : "a tag is not well-formed");
      at = this.#readAttribute(at);
    }
  }

  /** @returns where the tag goes on */
  #readAttribute(start: number): number {
    const bytes = this.#bytes;
    const name_end = this.#nameEnd(start);
    let at = name_end;
    while (this.#is(SPACE, at)) at += 1;
    if (bytes[at] !== EQUALS) throw new Error("an attribute without a value");
    at += 1;
    while (this.#is(SPACE, at)) at += 1;
    const quote = bytes[at];
    if (quote !== QUOTE && quote !== APOSTROPHE) throw new Error("an attribute's value is not quoted");
    const value = at + 1;
    at = value;
    while (at < bytes.length && bytes[at] !== quote) {
      if (bytes[at] === LT) throw new Error("a < in an attribute's value");
      at += 1;
    }
    if (at === bytes.length) throw new Error("the document breaks off");
    this.#note(start, name_end, value, at);
    return at + 1;
  }

  #note(start: number, name_end: number, value: number, value_end: number): void {
    const count = this.#attribute_count;
    const attributes = this.#attributes;
    if (count === MAX_ATTRIBUTES) throw new Error(`more than ${MAX_ATTRIBUTES} attributes`);
    const length = name_end - start;
    for (let a = 0; a < count; a++) {
      const other = attributes[STRIDE * a + 4] as number;
      if ((attributes[STRIDE * a + 1] as number) - other === length && this.#same(other, start, length))
        throw new Error("an attribute is given twice");
    }
    while (value < value_end && this.#is(SPACE, value)) value += 1;
    while (value < value_end && this.#is(SPACE, value_end - 1)) value_end -= 1;
    attributes[STRIDE * count] = this.#equals(start, XMLNS) ? name_end : this.#localStart(start, name_end);
    attributes[STRIDE * count + 1] = name_end;
    attributes[STRIDE * count + 2] = value;
    attributes[STRIDE * count + 3] = value_end;
    attributes[STRIDE * count + 4] = start;
    this.#attribute_count = count + 1;
  }

  /** Where a name ends. @throws where there is none */
  #nameEnd(start: number): number {
    if (!this.#is(BEGINS, start)) throw new Error("a tag is not well-formed");
    let at = start + 1;
    while (this.#is(GOES_ON, at)) at += 1;
    return at;
  }

  /** Past the namespace's prefix. */
  #localStart(start: number, end: number): number {
    for (let i = start; i < end; i++) if (this.#bytes[i] === COLON) return i + 1;
    return start;
  }

  #is(kind: number, at: number): boolean {
    return ((KIND[this.#bytes[at] as number] ?? 0) & kind) !== 0;
  }

  #named(name: Uint8Array): boolean {
    return this.#name_end - this.#name_start === name.length && this.#equals(this.#name_start, name);
  }

  #equals(start: number, name: Uint8Array): boolean {
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name[i]) return false;
    return true;
  }

  #same(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#bytes[a + i] !== this.#bytes[b + i]) return false;
    return true;
  }

  #find(name: Uint8Array): number {
    // Of the same name with several prefixes the last one holds.
    for (let a = this.#attribute_count - 1; a >= 0; a--) {
      const start = this.#attributes[STRIDE * a] as number;
      if ((this.#attributes[STRIDE * a + 1] as number) - start === name.length && this.#equals(start, name))
        return a;
    }
    return -1;
  }

  #has(name: Uint8Array): boolean {
    return this.#find(name) >= 0;
  }

  /** The attribute's value, "" where there is none. */
  #attribute(name: Uint8Array): string {
    const a = this.#find(name);
    return a < 0 ? "" : this.#value(a);
  }

  #value(a: number): string {
    const [, , start = 0, end = 0] = this.#attributes.subarray(STRIDE * a, STRIDE * a + 4);
    return cleanText(this.#decoded(start, end));
  }

  /** What lies there as text, cut at its bound. */
  #decoded(start: number, end: number): string {
    return decodeUtf8(this.#bytes, start, Math.min(end, start + MAX_TEXT_BYTES));
  }

  #allAttributes(): Record<string, string> {
    const all: Record<string, string> = Object.create(null);
    this.#kept_attributes += this.#attribute_count;
    if (this.#kept_attributes > MAX_TREE_ATTRIBUTES)
      throw new Error(`more than ${MAX_TREE_ATTRIBUTES} attributes in all`);
    for (let a = 0; a < this.#attribute_count; a++) {
      const [start = 0, end = 0] = this.#attributes.subarray(STRIDE * a, STRIDE * a + 2);
      // The declaration of a prefix.
      if (start < end) all[decodeUtf8(this.#bytes, start, end)] = this.#value(a);
    }
    return all;
  }

  /** The text so far, entities and all. */
  #rawText(): string {
    const pieces = this.#pieces ?? "";
    return pieces.length < MAX_TEXT_BYTES ? pieces + this.#decoded(this.#text_start, this.#text_end) : pieces;
  }

  #text(): string {
    return cleanText(this.#rawText());
  }

  #hasText(): boolean {
    return this.#text() !== "";
  }

  /** The text as a number, NaN where it is none; on the way the white space round it is cut off. */
  #number(): number {
    if (this.#pieces !== undefined) return toNumber(this.#text());
    this.#trim();
    if (this.#text_end - this.#text_start > MAX_NUMBER_BYTES) return Number.NaN;
    return numberAt(this.#bytes, this.#text_start, this.#text_end);
  }

  /** The index of the text among the words. */
  #word(): number {
    if (this.#pieces !== undefined) {
      const text = encoder.encode(this.#rawText());
      return words.index(text, 0, text.length);
    }
    this.#trim();
    const end = Math.min(this.#text_end, this.#text_start + MAX_TEXT_BYTES);
    return words.index(this.#bytes, this.#text_start, end);
  }

  #trim(): void {
    while (this.#text_start < this.#text_end && this.#is(SPACE, this.#text_start)) this.#text_start += 1;
    while (this.#text_start < this.#text_end && this.#is(SPACE, this.#text_end - 1)) this.#text_end -= 1;
  }
}
