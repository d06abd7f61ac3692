// What makes the HMI an app of its own on a kiosk: its service worker, built once, and its manifest.
import { assetPath, assets } from "./assets.ts";

let built: Promise<string> | undefined;

/** The script for `/sw.js`; another one for each set of assets, by which browsers notice an update. */
export function serviceWorker(): Promise<string> {
  return (built ??= build());
}

async function build(): Promise<string> {
  const paths = [...(await assets()).keys()];
  // Of the office pages nothing is kept.
  const hmi = paths.filter((path) => !/\/(dashboard|admin)-/.test(path));
  const bundle = await Bun.build({
    entrypoints: [`${import.meta.dir}/client/sw.ts`],
    target: "browser",
    format: "iife",
    minify: true,
    define: { HMI_ASSETS: JSON.stringify(hmi) },
  });
  return (await bundle.outputs[0]?.text()) ?? "";
}

/** `/manifest.webmanifest`: the wall as an app that fills the screen. `await assets()` before. */
export const manifest = () => ({
  id: "/hmi",
  name: "MTC",
  short_name: "MTC",
  start_url: "/hmi",
  scope: "/",
  display: "fullscreen",
  display_override: ["fullscreen", "standalone"],
  background_color: "#1e2225",
  theme_color: "#1e2225",
  icons: [{ src: assetPath("favicon.svg"), type: "image/svg+xml", sizes: "any", purpose: "any" }],
});
