// A whole Chromium, as a kiosk has it, would install the HMI as an application; `kiosk.browser.test.ts` looks at what it asks for.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { chromium } from "playwright-core";
import { BROWSER_ARGS } from "../.ci/chromium.ts";
import { limit_ms } from "../.ci/limits.ts";
import { findWholeChromium } from "../.ci/whole-chromium.ts";
import { discard, startServer, TEST_KEY } from "./testing/server.ts";

const executablePath = findWholeChromium();

test.skipIf(executablePath === undefined)(
  "Chromium finds nothing that is in the way of installing",
  async () => {
    const server = await startServer();
    const profile = mkdtempSync(`${tmpdir()}/mtc-install-`);
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executablePath ?? "",
      args: BROWSER_ARGS,
      extraHTTPHeaders: { "x-api-key": TEST_KEY },
    });
    context.setDefaultTimeout(limit_ms());
    try {
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      const errors = async (): Promise<string[]> => {
        const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
        return installabilityErrors.map(({ errorId }) => errorId);
      };
      // What says nothing of a page without a manifest says nothing of any.
      await page.goto(`${server.origin}/healthz`);
      expect(await errors()).toContain("no-manifest");
      await page.goto(`${server.origin}/hmi`);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      // A browser without a window has nowhere to put it.
      expect((await errors()).filter((id) => id !== "in-incognito")).toEqual([]);
    } finally {
      await context.close();
      await discard(server);
      rmSync(profile, { recursive: true, force: true });
    }
  },
);
