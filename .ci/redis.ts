// Finds a Redis server for the tests, or installs Debian's where the script may.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";

const SERVER = "/usr/bin/redis-server";

/** @returns its path, or undefined: then its tests skip by name */
export const findRedis = (): string | undefined => (existsSync(SERVER) ? SERVER : undefined);

/** @returns its path, or a word on why there is none */
export const provideRedis = (): string => findRedis() ?? (installDebian("redis-server") || SERVER);
