// A ClickHouse server for tests: the embedded engine's own host, on a port, for a user with a password.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Host, refused } from "../engine/host/host.ts";

export type ClickHouseStandIn = {
  url: string;
  /** Requests that came with another user or password than the URL's. */
  strangers(): number;
  stop(): Promise<void>;
};

/**
 * @param kept where its data is and stays, and its port; else both are its own, and its data goes with it
 * @param args of chDB, as its first connection takes them
 */
export function startClickHouseStandIn(
  kept?: { dir: string; port: number },
  args?: string[],
): ClickHouseStandIn {
  const dir = kept?.dir ?? mkdtempSync(join(tmpdir(), "mtc-clickhouse-"));
  const host = new Host(join(dir, "chdb"), args);
  let strangers = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: kept?.port ?? 0,
    idleTimeout: 0,
    maxRequestBodySize: 256 * 1024 ** 2,
    async fetch(request) {
      if (knows(request) || new URL(request.url).pathname === "/ping") return host.answer(request);
      strangers += 1;
      return refused(new Error("Code: 516. DB::Exception: Authentication failed"), 401);
    },
  });
  return {
    url: `http://mtc:s%2Fcret@127.0.0.1:${server.port}`,
    strangers: () => strangers,
    async stop() {
      await server.stop(true);
      await host.close();
      if (!kept) rmSync(dir, { recursive: true, force: true });
    },
  };
}

const knows = ({ headers }: Request): boolean =>
  headers.get("authorization") === `Basic ${btoa("mtc:s/cret")}` ||
  (headers.get("x-clickhouse-user") === "mtc" && headers.get("x-clickhouse-key") === "s/cret");
