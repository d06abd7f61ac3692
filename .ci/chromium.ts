// Finds a Chromium for the browser tests, or installs Debian's where the script may.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @returns its path, or a word on why there is none; then the browser tests skip by name */
export function provideChromium(): string {
  const found = PATHS.find((path) => existsSync(path));
  if (found) return found;
  const refused = installDebian("chromium");
  if (refused) return refused;
  return PATHS.find((path) => existsSync(path)) ?? "not there after installing it";
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
