// What a kiosk's browser needs to go on alone: the service worker, the app's manifest, the page for where nothing is kept.
import { Elysia } from "elysia";
import { manifest, Offline, renderPage, serviceWorker } from "../../../views/index.ts";
import type { Figures } from "./figures.ts";
import { html, shellFor } from "./page.ts";

/** Open to all: none of it says anything of the plant. */
export const kioskModule = (figures: Figures) =>
  new Elysia({ detail: { hide: true } })
    .get("/sw.js", async () => {
      const headers = { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-cache" };
      return new Response(await serviceWorker(), { headers });
    })
    .get("/manifest.webmanifest", () =>
      Response.json(manifest(), { headers: { "content-type": "application/manifest+json" } }),
    )
    .get("/offline", ({ request }) =>
      html(request, renderPage(Offline, { shell: shellFor(request, figures, undefined) })),
    );
