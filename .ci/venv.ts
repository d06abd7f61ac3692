// Installs a package of PyPI into a place of its own, for tests.
import { rmSync } from "node:fs";

/** @returns its path, or a word on why there is none @param find its path, where it is @param venv as {@link installVenv} */
export const provideFromPyPI = (find: () => string | undefined, venv: string, requirement: string): string =>
  find() ?? installVenv(venv, requirement) ?? find() ?? "not there after installing it";

/**
 * @param venv the folder; what a broken-off attempt left there goes
 * @param requirement with its version: `moto[server]==5.1.4`
 * @returns why there is none, or nothing
 */
export function installVenv(venv: string, requirement: string): string | undefined {
  const python = Bun.which("python3");
  if (!python) return "there is no python3";
  console.log(`installing ${requirement} for the tests …`);
  rmSync(venv, { recursive: true, force: true });
  for (const command of [
    [python, "-m", "venv", venv],
    [`${venv}/bin/python`, "-m", "pip", "install", "--quiet", requirement],
  ]) {
    const { success, stderr } = Bun.spawnSync(["nice", "-n", "19", ...command], { stdout: "ignore" });
    if (!success) return stderr.toString().trim().split("\n").at(-1) || "pip failed";
  }
  return undefined;
}
