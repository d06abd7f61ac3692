// A screen that hangs for long: `bun server/testing/screen-soak.ts [minutes=60] [speed=60] [path=/hmi]` follows the simulated
// plant at that speed in a real browser, and prints each minute what the page holds after its garbage was collected.

import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, provideChromium } from "../../.ci/chromium.ts";
import { limit_ms } from "../../.ci/limits.ts";
import { driftRun } from "./drift-run.ts";
import { TEST_KEY, type TestServer } from "./server.ts";

const [minutes = "60", speed = "60", path = "/hmi"] = process.argv.slice(2);
const EVERY_MS = 60_000;

let browser: Browser | undefined;
let page: Page | undefined;
let session: CDPSession | undefined;
const began_ms = Date.now();

async function open(server: TestServer): Promise<void> {
  browser = await chromium.launch({ executablePath: provideChromium(), args: BROWSER_ARGS });
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  context.setDefaultTimeout(limit_ms());
  page = await context.newPage();
  await page.goto(`${server.origin}/sign-in`);
  await page.evaluate(async (key) => {
    await fetch("/sign-in", { method: "POST", body: new URLSearchParams({ key }), redirect: "manual" });
  }, TEST_KEY);
  await page.goto(server.origin + path);
  await page.waitForSelector('html[data-link="live"]');
  session = await context.newCDPSession(page);
}

async function tell(): Promise<void> {
  if (!session || !page) return;
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
  const link = await page.getAttribute("html", "data-link");
  const minute = Math.round((Date.now() - began_ms) / 60_000);
  console.log(JSON.stringify({ minute, heap_bytes: usedSize, nodes, listeners: jsEventListeners, link }));
}

await driftRun({
  duration_s: Number(minutes) * 60,
  speed: Number(speed),
  faults_per_minute: 0,
  seed: "screen",
  start: "2026-01-12T07:00:00Z",
  watch_every_ms: EVERY_MS,
  watch: async (server) => {
    if (!page) await open(server);
    await tell();
  },
});
await browser?.close();
