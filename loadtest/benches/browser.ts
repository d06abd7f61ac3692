// From a change at the agent to the frame of a real browser that shows the wall with it.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { BROWSER_ARGS } from "../../.ci/chromium.ts";
import { provideWholeChromium } from "../../.ci/whole-chromium.ts";
import { quantile } from "../../server/testing/quantile.ts";
import { TEST_KEY } from "../../server/testing/server.ts";
import { atMost, type Bench, round } from "../lib/report.ts";
import { withPlant } from "../lib/watched.ts";

const CHANGES_PER_S = 10;

type Seen = { delays_ms: number[]; frames_ms: number[]; long_tasks_ms: number[] };

/** Runs in the page before its own code: notes of each delta when the next frame came, of frames how far apart they are. */
function look(): void {
  const seen: Seen = { delays_ms: [], frames_ms: [], long_tasks_ms: [] };
  Object.assign(globalThis, { seen });
  let waiting: number[] = [];
  let last = performance.now();
  const frame = (now: number) => {
    seen.frames_ms.push(now - last);
    last = now;
    const drawn_ms = Date.now();
    for (const ts_ms of waiting) seen.delays_ms.push(drawn_ms - ts_ms);
    waiting = [];
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.long_tasks_ms.push(duration);
  }).observe({ type: "longtask" });
  const Source = EventSource;
  globalThis.EventSource = class extends Source {
    constructor(url: string | URL) {
      super(url);
      super.addEventListener("delta", (event) => {
        const { signals = {} } = JSON.parse(event.data) as { signals?: Record<string, { ts_us: number }> };
        for (const { ts_us } of Object.values(signals)) waiting.push(ts_us / 1_000);
      });
    }
  };
}

export const browser: Bench = {
  name: "browser",
  async run({ sizes, report, progress }) {
    const executablePath = provideWholeChromium();
    if (!existsSync(executablePath)) return progress(`left out: ${executablePath}`);
    const { delay_machines: machines, delay_s, settle_s } = sizes;
    progress(
      `${machines} machines, ${CHANGES_PER_S} changes a second each, on a wall in Chromium, ${delay_s} s`,
    );
    const seen = await withPlant(
      { machines, machines_per_agent: machines, per_s: CHANGES_PER_S },
      async ({ server }) => {
        const chrome = await chromium.launch({ executablePath, args: BROWSER_ARGS });
        try {
          const context = await chrome.newContext({ viewport: { width: 1920, height: 1080 } });
          const page = await context.newPage();
          await page.goto(`${server.origin}/sign-in`);
          await page.evaluate(async (key) => {
            await fetch("/sign-in", {
              method: "POST",
              body: new URLSearchParams({ key }),
              redirect: "manual",
            });
          }, TEST_KEY);
          await page.addInitScript(look);
          await page.goto(`${server.origin}/hmi`);
          await page.waitForSelector('html[data-link="live"]');
          await Bun.sleep(settle_s * 1_000);
          // A first contact tells the past too.
          await page.evaluate("Object.values(seen).forEach((list) => { list.length = 0; })");
          await Bun.sleep(delay_s * 1_000);
          return (await page.evaluate("seen")) as Seen;
        } finally {
          await chrome.close();
        }
      },
    );
    const p99_ms = round(quantile(seen.delays_ms, 0.99));
    report({
      name: "browser.delay_p99",
      value: p99_ms,
      unit: "ms",
      ...atMost(250, p99_ms),
      p50_ms: round(quantile(seen.delays_ms, 0.5)),
      changes_seen: seen.delays_ms.length,
      frame_p50_ms: round(quantile(seen.frames_ms, 0.5)),
      frame_p99_ms: round(quantile(seen.frames_ms, 0.99)),
      long_tasks: seen.long_tasks_ms.length,
      note: `timestamp at the agent to the next frame of the wall in Chromium; ${machines} machines × ${CHANGES_PER_S} Hz`,
    });
  },
};
