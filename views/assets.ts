// The files the pages load: CSS, htmx, and the browser code, bundled once when the server starts.
// Names carry a hash of the content, so they may be cached for ever; nothing comes from an outside address.
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { LANGUAGES, text } from "./text.ts";

export type Asset = {
  body: Uint8Array;
  type: string;
  /** A strong ETag, quotes included. */
  etag: string;
  /** The body compressed; left out where it would not be smaller. */
  br?: Uint8Array;
  gzip?: Uint8Array;
};

export type AssetName =
  | "app.css"
  | "admin.css"
  | "htmx.js"
  | "wall.js"
  | "machine.js"
  | "dashboard.js"
  | "admin.js"
  | "favicon.svg";

/** Where assets live; the path of each is this and its hashed name. */
export const ASSET_ROOT = "/assets/";

const STYLES = ["tokens.css", "base.css", "hmi.css", "entry.css", "dashboard.css"];
const SCRIPTS = ["wall.ts", "machine.ts", "dashboard.ts", "admin.ts"];

const paths = new Map<string, string>();
let built: Promise<Map<string, Asset>> | undefined;

/**
 * Builds every asset once; later calls answer the same map.
 * @returns path (`/assets/app-1a2b3c4d.css`) to asset
 * @throws where the browser code does not compile
 */
export function assets(): Promise<Map<string, Asset>> {
  return (built ??= build());
}

/**
 * The hashed path of an asset, for `<link>` and `<script>`; of a script the one with the words of the page's language.
 * @throws where `assets()` was not awaited before the first page
 */
export function assetPath(name: AssetName): string {
  const path = paths.get(name) ?? paths.get(`${text.language}/${name}`);
  if (path === undefined) throw new Error(`await assets() before rendering: ${name} has no path yet`);
  return path;
}

/** Answers a request for an asset: compressed as the client accepts, cached for ever, 304 where it has it. */
export function assetResponse(asset: Asset, request: Request): Response {
  const headers = new Headers({
    "content-type": asset.type,
    "cache-control": "public, max-age=31536000, immutable",
    etag: asset.etag,
    vary: "accept-encoding",
    "x-content-type-options": "nosniff",
  });
  if (request.headers.get("if-none-match") === asset.etag)
    return new Response(null, { status: 304, headers });
  const accepted = request.headers.get("accept-encoding") ?? "";
  const encoding =
    /\bbr\b/.test(accepted) && asset.br ? "br" : /\bgzip\b/.test(accepted) && asset.gzip ? "gzip" : null;
  if (encoding) headers.set("content-encoding", encoding);
  return new Response(Buffer.from((encoding && asset[encoding]) || asset.body), { headers });
}

async function build(): Promise<Map<string, Asset>> {
  const files = new Map<string, Asset>();
  const add = (name: string, type: string, body: Uint8Array, file = hashed(name, body)) => {
    paths.set(name, ASSET_ROOT + file);
    files.set(ASSET_ROOT + file, compressed(body, type));
  };
  const styles = [await read("uplot/dist/uPlot.min.css")];
  for (const name of STYLES) styles.push(await Bun.file(`${import.meta.dir}/public/${name}`).bytes());
  add(
    "app.css",
    "text/css; charset=utf-8",
    Buffer.concat(styles.flatMap((style) => [style, Buffer.from("\n")])),
  );
  add("admin.css", "text/css; charset=utf-8", await Bun.file(`${import.meta.dir}/public/admin.css`).bytes());
  add("htmx.js", "text/javascript; charset=utf-8", await read("htmx.org/dist/htmx.min.js"));
  add("favicon.svg", "image/svg+xml", await Bun.file(`${import.meta.dir}/public/favicon.svg`).bytes());

  for (const language of LANGUAGES) {
    const bundle = await Bun.build({
      entrypoints: SCRIPTS.map((script) => `${import.meta.dir}/client/${script}`),
      target: "browser",
      minify: true,
      splitting: true,
      define: { BROWSER_LANGUAGE: JSON.stringify(language) },
      naming: { entry: "[name]-[hash].[ext]", chunk: "chunk-[hash].[ext]" },
    });
    for (const output of bundle.outputs) {
      const file = output.path.replace(/^\.?\//, "");
      const name = output.kind === "entry-point" ? file.replace(/-[^-]+\.js$/, ".js") : file;
      const script = new Uint8Array(await output.arrayBuffer());
      add(`${language}/${name}`, "text/javascript; charset=utf-8", script, file);
    }
  }
  return files;
}

/** A file of a package in node_modules. */
const read = (path: string): Promise<Uint8Array> =>
  Bun.file(fileURLToPath(import.meta.resolve(path))).bytes();

const digest = (body: Uint8Array): string => Bun.hash(body).toString(36);

function hashed(name: string, body: Uint8Array): string {
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}-${digest(body)}${name.slice(dot)}`;
}

function compressed(body: Uint8Array, type: string): Asset {
  const asset: Asset = { body, type, etag: `"${digest(body)}"` };
  const br = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  const gzip = Bun.gzipSync(Buffer.from(body), { level: 9 });
  if (br.length < body.length) asset.br = br;
  if (gzip.length < body.length) asset.gzip = gzip;
  return asset;
}
