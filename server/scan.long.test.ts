// A barcode scanner at the kiosk: keys of the system, as a keyboard gives them, into a browser's window.
import { expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS } from "../.ci/chromium.ts";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { findWholeChromium } from "../.ci/whole-chromium.ts";
import { openScreen, type Screen } from "../.ci/window-keys.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const executablePath = findWholeChromium();
const screen = await openScreen();
const CODE = "batch 12 b";

type Rows<T> = { rows: T[] };
const entered = async <T>(server: TestServer, what: string): Promise<T[]> =>
  (await server.call<Rows<T>>("GET", `/api/v1/machines/mill-1/${what}?from=2026-01-01T00:00:00Z`)).body.rows;

/** As who scans does: once more where it did not come through whole. The code and its Enter, 12 ms a key. */
const scanned = (keys: Screen, page: Page): Promise<true> =>
  until(async () => {
    await keys.type(`${CODE}\n`, 12);
    await pace(300);
    return (await page.isVisible("#sheet-lot")) || undefined;
  });

test.skipIf(!executablePath || !screen)(
  "the blanks and the Enter of a code press nothing, wherever the focus is; the lot begins with the touch",
  async () => {
    const keys = screen as Screen;
    const server = await startServer();
    let browser: Browser | undefined;
    try {
      await server.call("POST", "/api/v1/machines", {
        id: "mill-1",
        name: "Mill 1",
        source: { kind: "http" },
      });
      browser = await chromium.launch({
        executablePath: executablePath ?? "",
        headless: false,
        args: [...BROWSER_ARGS, "--kiosk"],
        env: { ...process.env, DISPLAY: keys.display },
      });
      const context = await browser.newContext({
        viewport: null,
        extraHTTPHeaders: { "x-api-key": TEST_KEY },
      });
      context.setDefaultTimeout(limit_ms());
      const page = await context.newPage();
      await page.goto(`${server.origin}/hmi/mill-1`);
      await page.waitForSelector('html[data-link="live"]');
      const five = page.locator('.entry-made [data-enter="reject"][data-count="5"]');
      await five.click();
      await until(async () => (await entered(server, "rejects")).length === 1 || undefined);
      for (const focused of [false, true]) {
        if (focused) await five.focus();
        await scanned(keys, page);
        expect(await page.inputValue("[data-lot-form] [name=lot]")).toBe(CODE);
        // Again, into the open sheet, whose first field has the focus: its Enter sends no form.
        await page.fill("[data-lot-form] [name=lot]", "");
        await scanned(keys, page);
        await until(async () => (await page.inputValue("[data-lot-form] [name=lot]")) === CODE || undefined);
        expect(await entered(server, "lots")).toEqual([]);
        if (!focused) await keys.press("Escape");
      }
      await page.click("[data-lot-form] .primary");
      const lots = await until(async () => {
        const rows = await entered<{ lot: string }>(server, "lots");
        return rows.length > 0 ? rows : undefined;
      });
      expect(lots).toMatchObject([{ lot: CODE }]);
      expect(await entered(server, "rejects")).toHaveLength(1);
      // A person's blank on the button that has the focus books five more.
      await five.focus();
      await keys.press("space");
      await until(async () => (await entered(server, "rejects")).length === 2 || undefined);
    } finally {
      await browser?.close();
      await discard(server);
      await keys.close();
    }
  },
  limit_ms(180),
);
