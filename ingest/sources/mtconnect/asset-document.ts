// An agent's assets as data: what names each of them, and the bytes it was told in.
import { MAX_NAME_LENGTH } from "../../event.ts";
import { parseTimestamp_us } from "../../time.ts";
import { cut } from "../text.ts";
import { MAX_ASSET_BYTES, MAX_ASSETS, MAX_DEPTH } from "./bounds.ts";
import { elementsOf, isJson, parseJson } from "./json.ts";
import { checkXml } from "./scanner.ts";
import { cleanText } from "./xml.ts";

export type Asset = {
  asset_id: string;
  /** The element's name: CuttingTool, File, Fixture … */
  type: string;
  /** 0 where the asset has no time. */
  ts_us: number;
  removed: boolean;
  /** The device it belongs to, "" where it does not say. */
  device_uuid: string;
  /** The asset's element as the agent wrote it; "" where it is over the bound. */
  document: string;
  /** How large it would be; 0 where it is there. */
  omitted_bytes: number;
};

export const MAX_ASSET_ID_LENGTH = 1_000;
/** Elements that are only passed over: a cutting tool has dozens. */
const MAX_ASSETS_ELEMENTS = 1_000_000;

/**
 * Reads a MTConnectAssets document.
 * @returns undefined where it is another document
 * @throws Error where it is not well-formed
 */
export function readAssets(bytes: Uint8Array): Asset[] | undefined {
  if (isJson(bytes)) return readJsonAssets(bytes);
  // What follows takes a tag for a tag, and must not be given what is none.
  checkXml(bytes, MAX_ASSETS_ELEMENTS);
  return readXmlAssets(new TextDecoder().decode(bytes));
}

function toAsset(type: string, attributes: Record<string, unknown>, document: string): Asset {
  const said = (name: string, max_length = MAX_NAME_LENGTH): string =>
    cut(String(attributes[name] ?? ""), max_length);
  const size_bytes = Buffer.byteLength(document);
  const too_large = size_bytes > MAX_ASSET_BYTES;
  return {
    asset_id: said("assetId", MAX_ASSET_ID_LENGTH),
    type: cut(type, MAX_NAME_LENGTH),
    ts_us: parseTimestamp_us(said("timestamp")) ?? 0,
    removed: said("removed") === "true",
    device_uuid: said("deviceUuid"),
    document: too_large ? "" : document,
    omitted_bytes: too_large ? size_bytes : 0,
  };
}

function readJsonAssets(bytes: Uint8Array): Asset[] | undefined {
  const root = parseJson(bytes).MTConnectAssets;
  if (typeof root !== "object" || root === null || Array.isArray(root)) return undefined;
  return bounded(elementsOf(root.Assets))
    .map(([type, asset]) =>
      toAsset(type, asset as Record<string, unknown>, JSON.stringify({ [type]: asset })),
    )
    .filter(({ asset_id }) => asset_id !== "");
}

/** @throws Error where there are more than may be asked for */
function bounded<T>(assets: T[]): T[] {
  if (assets.length > MAX_ASSETS) throw new Error(`more than ${MAX_ASSETS} assets`);
  return assets;
}

/** The assets are the children of Assets, which is a child of the root. */
const ASSET_DEPTH = 2;

function readXmlAssets(text: string): Asset[] | undefined {
  const assets: Asset[] = [];
  const path: string[] = [];
  let root: string | undefined;
  let start = { at: 0, tag: "" };
  for (const { name, at, end, kind } of tags(text)) {
    if (path.length === 0 && root !== undefined) throw new Error("something follows the end of the document");
    root ??= name;
    if (kind !== "end") path.push(name);
    if (path.length > MAX_DEPTH) throw new Error(`XML nested deeper than ${MAX_DEPTH}`);
    const inside = path.length === ASSET_DEPTH + 1 && localName(path[1] ?? "") === "Assets";
    if (inside && kind !== "end") start = { at, tag: text.slice(at, end) };
    if (kind === "start") continue;
    if (path.pop() !== name) throw new Error(`</${name}> closes what it did not open`);
    if (!inside) continue;
    bounded(assets).push(toAsset(localName(name), attributesOf(start.tag), text.slice(start.at, end)));
  }
  if (root === undefined || path.length > 0) throw new Error("a document without an end");
  return localName(root) === "MTConnectAssets" ? assets.filter(({ asset_id }) => asset_id !== "") : undefined;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

type Tag = { name: string; at: number; end: number; kind: "start" | "end" | "empty" };

/** What holds no tags, by its beginning and its end. */
const OPAQUE = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;

/** The tags of a document in their order. @throws Error at a piece of markup that is none */
function* tags(text: string): Generator<Tag> {
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const opaque = OPAQUE.find(([begin]) => text.startsWith(begin, at));
    if (opaque) {
      at = endOf(text, at, opaque[1]);
      continue;
    }
    const end = tagEnd(text, at);
    const [, closes, name] =
      /^<(\/?)([A-Za-z_][\w.:-]*)/.exec(text.slice(at, Math.min(end, at + 1_000))) ?? [];
    if (name === undefined) throw new Error(`not well-formed at ${at}`);
    yield { name, at, end, kind: closes ? "end" : text[end - 2] === "/" ? "empty" : "start" };
    at = end;
  }
}

function endOf(text: string, at: number, what: string): number {
  const found = text.indexOf(what, at);
  if (found < 0) throw new Error(`no ${what} after ${at}`);
  return found + what.length;
}

/** Behind the bracket that ends the tag: within quotes it is text. */
function tagEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === ">") return at + 1;
    if (char === '"' || char === "'") at = endOf(text, at + 1, char) - 1;
    else if (char === "<") break;
  }
  throw new Error(`a tag without an end at ${start}`);
}

const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

function attributesOf(tag: string): Record<string, string> {
  const attributes: Record<string, string> = Object.create(null);
  for (const [, name = "", double, single] of tag.matchAll(ATTRIBUTE))
    attributes[localName(name)] = cleanText(double ?? single ?? "");
  return attributes;
}
