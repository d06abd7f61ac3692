// Finds Modbus implementations of others for the tests, or installs them where the script may.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { installDebian } from "./debian.ts";
import { installVenv } from "./venv.ts";

const MBPOLL = "/usr/bin/mbpoll";
/** Debian's own Python, which sees Debian's packages. */
const PYTHON = "/usr/bin/python3";
/** Pinned: pymodbus renames things with every release. */
const PYMODBUS = "pymodbus==3.8.6";
const VENV = `${homedir()}/.cache/mtc-tests/${PYMODBUS.replace("==", "-")}`;

const hasPymodbus = (python: string): boolean =>
  existsSync(python) && Bun.spawnSync([python, "-c", "import pymodbus.server"], { stderr: "ignore" }).success;

/** @returns mbpoll's path, or undefined: then its test skips by name */
export const findMbpoll = (): string | undefined => (existsSync(MBPOLL) ? MBPOLL : undefined);

/** @returns a Python that has pymodbus, or undefined: then its tests skip by name */
export const findPymodbus = (): string | undefined => [PYTHON, `${VENV}/bin/python`].find(hasPymodbus);

/** @returns its path, or a word on why there is none */
export const provideMbpoll = (): string => findMbpoll() ?? (installDebian("mbpoll") || MBPOLL);

/** Debian's pymodbus (its server wants serial-asyncio, for TCP too), or PyPI's in a place of its own. @returns the Python that has it, or a word on why there is none */
export function providePymodbus(): string {
  const found = findPymodbus();
  if (found) return found;
  const refused = installDebian("python3-pymodbus", "python3-serial-asyncio");
  if (!refused) return findPymodbus() ?? "not there after installing it";
  const reason = installVenv(VENV, PYMODBUS);
  return reason === undefined ? (findPymodbus() ?? refused) : `${refused}; ${reason}`;
}
