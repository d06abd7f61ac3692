// Takes the README's pictures from the demo: starts it, signs in, shoots every page in both sizes into docs/.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { discard, startServer, until } from "../server/testing/server.ts";
import { BROWSER_ARGS, provideChromium } from "./chromium.ts";

const SIZES = { desktop: { width: 1920, height: 1080 }, phone: { width: 390, height: 844 } };
const today = Temporal.Now.zonedDateTimeISO("Europe/Berlin").startOfDay();
const yesterday = `from=${today.subtract({ days: 1 }).toInstant()}&to=${today.toInstant()}`;
const PAGES = {
  wall: "/hmi",
  machine: "/hmi/demo-vmc-1",
  dashboard: "/dashboard?period=yesterday",
  "dashboard-machine": "/dashboard/demo-vmc-1?period=yesterday",
  explain: `/dashboard/demo-vmc-1/explain?figure=oee&${yesterday}`,
};
/** The live chart is worth a look once it has run for a while. */
const RUN_MS = 20_000;

const out = process.argv[2] ?? "docs";
mkdirSync(out, { recursive: true });
const server = await startServer({ MTC_DEMO: "auto", MTC_RAW_RETENTION_DAYS: "30" });
const browser = await chromium.launch({ executablePath: provideChromium(), args: BROWSER_ARGS });
try {
  await until(() => /demo plant:/.exec(server.output())?.[0], 20_000);
  await server.settled();
  await Bun.sleep(RUN_MS);
  const link = /sign in once:\s+(\S+)/.exec(server.output())?.[1] ?? "";
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  await page.setViewportSize(SIZES.desktop);
  await page.goto(`${server.origin}/sign-in`);
  await page.screenshot({ path: `${out}/sign-in.png` });
  await page.goto(link);
  for (const [name, path] of Object.entries(PAGES)) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.goto(server.origin + path);
      await page.waitForTimeout(3_000);
      await page.screenshot({ path: `${out}/${name}-${size}.png` });
      console.log(`${out}/${name}-${size}.png`);
    }
  }
} finally {
  await browser.close();
  await discard(server);
}
