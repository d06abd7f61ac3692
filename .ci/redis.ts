// Finds a Redis server for the tests, or installs Debian's where the script may.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";

const SERVER = "/usr/bin/redis-server";

/** @returns its path, or undefined: then its tests skip by name */
export const findRedis = (): string | undefined => (existsSync(SERVER) ? SERVER : undefined);

/** @returns its path, or a word on why there is none */
export const provideRedis = (): string => findRedis() ?? (installDebian("redis-server") || SERVER);

/** What starts it on loopback; it keeps nothing on the disk. */
export const redisCommand = (server: string, port: number): string[] => [
  server,
  ...["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
];
