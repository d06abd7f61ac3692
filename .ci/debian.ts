// Installs packages of Debian for the tests, where the script may.
import { existsSync } from "node:fs";

let updated = false;

/** @returns "" where the packages are there now, or a word on why not */
export function installDebian(...names: string[]): string {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    return "not installed (no root, no apt-get)";
  }
  console.log(`installing Debian's ${names.join(", ")} for the tests …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...names];
  for (const args of updated ? [install] : [["update", "-qq"], install]) {
    const { success, stderr } = Bun.spawnSync(["apt-get", ...args], { env, stdout: "ignore" });
    if (!success) return `could not be installed: ${stderr.toString().trim().split("\n").at(-1)}`;
    updated = true;
  }
  return "";
}
