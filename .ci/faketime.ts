// Finds libfaketime for the tests, or installs Debian's where the script may: it sets the clock of one program alone.
import { existsSync } from "node:fs";
import { arch } from "node:os";
import { installDebian } from "./debian.ts";

const MACHINE = arch() === "arm64" ? "aarch64" : "x86_64";
const LIBRARY = `/usr/lib/${MACHINE}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** @returns its path, or undefined: then its tests skip by name */
export const findFaketime = (): string | undefined => (existsSync(LIBRARY) ? LIBRARY : undefined);

/** @returns its path, or a word on why there is none */
export const provideFaketime = (): string => findFaketime() ?? (installDebian("faketime") || LIBRARY);

/** The environment of a program whose clock is what a file says, as `+40d`: its running time stays as it is. */
export const fakedBy = (library: string, file: string): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: "1",
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});
