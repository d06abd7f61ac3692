// The server that runs where the settings say, for commands that ask it for something instead of doing it beside it.
import { existsSync, readFileSync } from "node:fs";
import type { Config } from "./config.ts";

/** Of a cluster's servers one does a job, and the one that is asked may not be it, or not yet. */
const ASK_AGAIN_MS = 1_000;
const TRIES = 20;

/** Asks it, with the admin key. @throws Error where it does not answer as MTC does */
export type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>;

type Settings = Pick<Config, "host" | "port" | "admin_key" | "admin_key_file">;

/** @returns undefined where nothing listens */
export async function runningServer({
  host,
  port,
  admin_key,
  admin_key_file,
}: Settings): Promise<Call | undefined> {
  const own = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const origin = `http://${own.includes(":") ? `[${own}]` : own}:${port}`;
  const key = admin_key ?? (existsSync(admin_key_file) ? readFileSync(admin_key_file, "utf8") : "");
  const call = async <T>(method: string, path: string, body?: unknown, tries = TRIES): Promise<T> => {
    const response = await fetch(origin + path, {
      method,
      headers: { "x-api-key": key.trim(), "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (response.status === 503 && tries > 1) {
      await Bun.sleep(ASK_AGAIN_MS);
      return call(method, path, body, tries - 1);
    }
    if (!response.ok) throw new Error(`${origin} answers ${response.status}: ${detailOf(text)}`);
    return JSON.parse(text) as T;
  };
  try {
    await fetch(`${origin}/healthz`);
  } catch {
    return undefined;
  }
  return (method, path, body) => call(method, path, body);
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
