// Finds a Chromium for the browser tests, or installs Debian's where the script may.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";
import { findWholeChromium, provideWholeChromium } from "./whole-chromium.ts";

/** Chromium without its windows and tabs: a page opens for a quarter of the CPU time. */
const SHELL = "/usr/lib/chromium/chromium-headless-shell";

const findChromium = (): string | undefined => (existsSync(SHELL) ? SHELL : findWholeChromium());

/** @returns its path, or a word on why there is none; then the browser tests skip by name */
export function provideChromium(): string {
  const isThere = existsSync(SHELL) || installDebian("chromium-headless-shell") === "";
  return isThere ? SHELL : provideWholeChromium();
}

/** What a browser test starts; where it is `missing` that is said, and the test skips by name. */
export function chromiumForTests(): { executablePath: string; missing: boolean } {
  const found = findChromium();
  if (!found) console.warn(`skipped: browser tests need Chromium, at ${SHELL} or whole`);
  return { executablePath: found ?? "", missing: !found };
}

/** Headless, without a sandbox (root has none), and without the calls home a closed network refuses. */
export const BROWSER_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
