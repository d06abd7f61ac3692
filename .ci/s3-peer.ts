// Finds a server of another make that speaks S3, for the tests, or installs it where the script may.
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";

const MOTO = "moto[server]==5.1.4";
const VENV = `${homedir()}/.cache/mtc-tests/moto-5.1.4`;
const SERVER = `${VENV}/bin/moto_server`;

/** @returns moto_server's path, or undefined: then its tests skip by name */
export const findMoto = (): string | undefined => (existsSync(SERVER) ? SERVER : undefined);

/** PyPI's moto in a place of its own. @returns its path, or a word on why there is none */
export function provideMoto(): string {
  const found = findMoto();
  if (found) return found;
  const python = Bun.which("python3");
  if (!python) return "there is no python3";
  console.log(`installing ${MOTO} for the tests …`);
  mkdirSync(VENV, { recursive: true });
  for (const command of [
    [python, "-m", "venv", VENV],
    [`${VENV}/bin/python`, "-m", "pip", "install", "--quiet", MOTO],
  ]) {
    const { success, stderr } = Bun.spawnSync(command, { stdout: "ignore" });
    if (!success) return stderr.toString().trim().split("\n").at(-1) ?? "pip failed";
  }
  return findMoto() ?? "not there after installing it";
}
