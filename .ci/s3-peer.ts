// Finds a server of another make that speaks S3, for the tests, or installs it where the script may.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { provideFromPyPI } from "./venv.ts";

const MOTO = "moto[server]==5.1.4";
const VENV = `${homedir()}/.cache/mtc-tests/moto-5.1.4`;
const SERVER = `${VENV}/bin/moto_server`;

/** @returns moto_server's path, or undefined: then its tests skip by name */
export const findMoto = (): string | undefined => (existsSync(SERVER) ? SERVER : undefined);

/** PyPI's moto in a place of its own. @returns its path, or a word on why there is none */
export const provideMoto = (): string => provideFromPyPI(findMoto, VENV, MOTO);
