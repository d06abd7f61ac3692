// Finds Schemathesis, which asks a server everything that its OpenAPI document says and does not say, or installs it.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { provideFromPyPI } from "./venv.ts";

const SCHEMATHESIS = "schemathesis==4.32.5";
const VENV = `${homedir()}/.cache/mtc-tests/${SCHEMATHESIS.replace("==", "-")}`;
const COMMAND = `${VENV}/bin/schemathesis`;

/** @returns its path, or undefined: then its tests skip by name */
export const findSchemathesis = (): string | undefined => (existsSync(COMMAND) ? COMMAND : undefined);

/** PyPI's, in a place of its own. @returns its path, or a word on why there is none */
export const provideSchemathesis = (): string => provideFromPyPI(findSchemathesis, VENV, SCHEMATHESIS);
