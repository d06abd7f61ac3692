// An agent's assets as data: what names each of them, and the bytes it was told in.
import { parseTimestamp_us } from "../../time.ts";
import { elementsOf, isJson, parseJson } from "./json.ts";
import { MAX_DEPTH, readXml } from "./xml.ts";

export type Asset = {
  asset_id: string;
  /** The element's name: CuttingTool, File, Fixture … */
  type: string;
  /** 0 where the asset has no time. */
  ts_us: number;
  removed: boolean;
  /** The device it belongs to, "" where it does not say. */
  device_uuid: string;
  /** The asset's element as the agent wrote it. */
  document: string;
};

/**
 * Reads a MTConnectAssets document.
 * @returns undefined where it is another document
 * @throws Error where it is not well-formed
 */
export function readAssets(bytes: Uint8Array): Asset[] | undefined {
  return isJson(bytes) ? readJsonAssets(bytes) : readXmlAssets(new TextDecoder().decode(bytes));
}

function toAsset(type: string, attributes: Record<string, unknown>, document: string): Asset {
  const said = (name: string): string => String(attributes[name] ?? "");
  return {
    asset_id: said("assetId"),
    type,
    ts_us: parseTimestamp_us(said("timestamp")) ?? 0,
    removed: said("removed") === "true",
    device_uuid: said("deviceUuid"),
    document,
  };
}

function readJsonAssets(bytes: Uint8Array): Asset[] | undefined {
  const root = parseJson(bytes).MTConnectAssets;
  if (typeof root !== "object" || root === null || Array.isArray(root)) return undefined;
  return elementsOf(root.Assets)
    .map(([type, asset]) =>
      toAsset(type, asset as Record<string, unknown>, JSON.stringify({ [type]: asset })),
    )
    .filter(({ asset_id }) => asset_id !== "");
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
    const tag = start.tag.endsWith("/>") ? start.tag : `${start.tag.slice(0, -1)}/>`;
    const { attributes } = readXml(new TextEncoder().encode(tag));
    assets.push(toAsset(localName(name), attributes, text.slice(start.at, end)));
  }
  if (root === undefined || path.length > 0) throw new Error("a document without an end");
  return localName(root) === "MTConnectAssets" ? assets.filter(({ asset_id }) => asset_id !== "") : undefined;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

type Tag = { name: string; at: number; end: number; kind: "start" | "end" | "empty" };

/** What is no tag, and a tag: with its quoted values, which may hold anything. */
const MARKUP =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_][\w.:-]*)((?:[^<>"']|"[^"<]*"|'[^'<]*')*?)(\/?)>|</g;

/** The tags of a document in their order. @throws Error at a piece of markup that is none */
function* tags(text: string): Generator<Tag> {
  for (const match of text.matchAll(MARKUP)) {
    const [all, closes, name, , empty] = match;
    if (all === "<") throw new Error(`not well-formed at ${match.index}`);
    if (name === undefined) continue;
    const kind = closes ? "end" : empty ? "empty" : "start";
    yield { name, at: match.index, end: match.index + all.length, kind };
  }
}
