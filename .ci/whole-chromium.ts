// Finds or installs a whole Chromium: with what a browser without windows leaves out, such as installing an application.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const findWholeChromium = (): string | undefined => PATHS.find((path) => existsSync(path));

/** @returns its path, or a word on why there is none; then what needs it skips by name */
export function provideWholeChromium(): string {
  const refused = findWholeChromium() ? "" : installDebian("chromium");
  return findWholeChromium() ?? (refused || "not there after installing it");
}
