// Takes the pictures of docs/screens from the demo: every page there is, on a desktop and on a phone, and the main ones in Russian.
import { mkdirSync, rmSync } from "node:fs";
import { type BrowserContext, chromium } from "playwright-core";
import { crawl } from "../server/testing/crawl.ts";
import { discard, startServer } from "../server/testing/server.ts";
import { BROWSER_ARGS, provideChromium } from "./chromium.ts";
import { until } from "./limits.ts";

const SIZES = { desktop: { width: 1920, height: 1080 }, phone: { width: 390, height: 844 } };
/** The demo's day before today has figures from its first hour to its last. */
const YESTERDAY = ["/dashboard", "/dashboard/:id"];
const IN_RUSSIAN = ["/hmi", "/hmi/:id", "/dashboard"];
/** The live chart is worth a look once it has run for a while. */
const RUN_MS = 20_000;
const SETTLE_MS = 3_000;

const out = process.argv[2] ?? "docs/screens";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const server = await startServer({ MTC_DEMO: "auto", MTC_RAW_RETENTION_DAYS: "30" });
const browser = await chromium.launch({ executablePath: provideChromium(), args: BROWSER_ARGS });
try {
  await until(() => /demo plant:/.exec(server.output())?.[0]);
  await server.settled();
  await Bun.sleep(RUN_MS);
  const { body } = await server.call<{ rows: { id: string }[] }>("GET", "/api/v1/machines");
  const context = await browser.newContext({ locale: "en-GB" });
  await shoot(context, "/sign-in", "sign-in", ["desktop", "phone"]);
  const page = await context.newPage();
  await page.goto(/sign in once:\s+(\S+)/.exec(server.output())?.[1] ?? "");
  await page.click("#sign-in-once button");
  await page.waitForURL(/\/hmi$/);
  const [{ name, value } = { name: "", value: "" }] = await context.cookies(server.origin);
  const ids = body.rows.map(({ id }) => id);
  const { pages } = await crawl(server.origin, `${name}=${value}`, ids);
  await page.close();
  for (const [kind, path] of pages) {
    const address = YESTERDAY.includes(kind) ? `${path}?period=yesterday` : path;
    await shoot(context, address, nameOf(kind), ["desktop", "phone"]);
  }
  await context.addCookies([{ name: "mtc_language", value: "ru", url: server.origin }]);
  for (const kind of IN_RUSSIAN)
    await shoot(context, pages.get(kind) ?? kind, `${nameOf(kind)}-ru`, ["desktop"]);
} finally {
  await browser.close();
  await discard(server);
}

/** `/dashboard/:id/explain` is `dashboard-machine-explain`. */
function nameOf(kind: string): string {
  return kind.slice(1).replaceAll(":id", "machine").replaceAll("/", "-");
}

async function shoot(
  context: BrowserContext,
  path: string,
  name: string,
  sizes: (keyof typeof SIZES)[],
): Promise<void> {
  for (const size of sizes) {
    const page = await context.newPage();
    await page.setViewportSize(SIZES[size]);
    await page.goto(server.origin + path);
    await page.waitForTimeout(SETTLE_MS);
    // WebP, which a page of text and lines makes a quarter of a PNG.
    const session = await context.newCDPSession(page);
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 85 });
    await Bun.write(`${out}/${name}-${size}.webp`, Buffer.from(data, "base64"));
    console.log(`${out}/${name}-${size}.webp`);
    await page.close();
  }
}
