// Finds a Chromium for the browser tests, or installs Debian's where the script may.
import { existsSync } from "node:fs";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @returns its path, or a word on why there is none; then the browser tests skip by name */
export function provideChromium(): string {
  const found = PATHS.find((path) => existsSync(path));
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get"))
    return "not installed (no root, no apt-get)";
  console.log("installing Debian's chromium for the browser tests …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
  ]) {
    const { success, stderr } = Bun.spawnSync(["apt-get", ...args], { env, stdout: "ignore" });
    if (!success) return `could not be installed: ${stderr.toString().trim().split("\n").at(-1)}`;
  }
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
