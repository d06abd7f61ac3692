// ClickHouse's HTTP interface before chDB, for tests: what our clients send, run by the real engine. It is no server;
// of the protocol it has what is needed to hold the clients against.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "chdb";
import { createChdbConnection } from "chdb/connection";
import { literal } from "../engine/literal.ts";

/** Parameters of a request that are no settings. */
const NO_SETTINGS = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "session_id",
  "wait_end_of_query",
]);

export type ClickHouseStandIn = {
  url: string;
  /** Requests that came with another user or password than the URL's. */
  strangers(): number;
  stop(): Promise<void>;
};

/** @param kept where its data is and stays, and its port; else both are its own, and its data goes with it */
export function startClickHouseStandIn(kept?: { dir: string; port: number }): ClickHouseStandIn {
  const dir = kept?.dir ?? mkdtempSync(join(tmpdir(), "mtc-clickhouse-"));
  const path = join(dir, "chdb");
  const session = new Session(path);
  let strangers = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: kept?.port ?? 0,
    idleTimeout: 60,
    maxRequestBodySize: 256 * 1024 ** 2,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/ping") return new Response("Ok.\n");
      if (!knows(request.headers)) {
        strangers += 1;
        return refused(new Error("Code: 516. DB::Exception: Authentication failed"));
      }
      // One for each request: nothing that was set for one is there for the next.
      const connection = createChdbConnection({ path });
      try {
        return await answer(connection.chdb, searchParams, await request.bytes());
      } catch (error) {
        return refused(error as Error);
      } finally {
        await connection.close();
      }
    },
  });
  return {
    url: `http://mtc:s%2Fcret@127.0.0.1:${server.port}`,
    strangers: () => strangers,
    async stop() {
      await server.stop(true);
      session.close();
      if (!kept) rmSync(dir, { recursive: true, force: true });
    },
  };
}

const knows = (headers: Headers): boolean =>
  headers.get("authorization") === `Basic ${btoa("mtc:s/cret")}` ||
  (headers.get("x-clickhouse-user") === "mtc" && headers.get("x-clickhouse-key") === "s/cret");

async function answer(
  chdb: ReturnType<typeof createChdbConnection>["chdb"],
  asked: URLSearchParams,
  body: Uint8Array,
): Promise<Response> {
  const [format, database] = [asked.get("default_format") ?? "TabSeparated", asked.get("database")];
  if (database) await chdb.queryAsync(`USE ${database}`, { format });
  const names = [...asked.keys()].filter((name) => !NO_SETTINGS.has(name) && name !== "readonly");
  // A server looks at a request's settings together: read-only holds for the query, not for what came with it.
  if (asked.has("readonly")) names.push("readonly");
  for (const name of names)
    await chdb.queryAsync(`SET ${name} = ${literal(asked.get(name) ?? "")}`, { format });
  const query = asked.get("query");
  const insert = /^INSERT INTO (\S+) FORMAT JSONEachRow/.exec(query ?? "");
  if (insert?.[1]) {
    await chdb.rawInsert({ table: insert[1], values: body, format: "JSONEachRow" });
    return new Response("");
  }
  const native = /^INSERT INTO (\S+) \((.+)\) FORMAT Native/.exec(query ?? "");
  if (native) {
    // chDB's own insert takes texts alone; from a file it takes every format.
    const file = join(tmpdir(), `mtc-native-${crypto.randomUUID()}`);
    try {
      await Bun.write(file, body);
      await chdb.queryAsync(
        `INSERT INTO ${native[1]} (${native[2]}) SELECT ${native[2]} FROM file(${literal(file)}, 'Native')`,
        { format },
      );
    } finally {
      rmSync(file, { force: true });
    }
    return new Response("");
  }
  const sql = `${query ?? ""}\n${new TextDecoder().decode(body)}`;
  const result = await chdb.queryAsync(sql, { format });
  const summary = {
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    elapsed_ns: String(1e9 * result.elapsed),
  };
  return new Response(Buffer.from(result.bytes()), {
    headers: { "x-clickhouse-summary": JSON.stringify(summary) },
  });
}

function refused({ message }: Error): Response {
  const code = /Code: (\d+)/.exec(message)?.[1] ?? "1002";
  return new Response(message, {
    status: code === "516" ? 401 : 500,
    headers: { "x-clickhouse-exception-code": code },
  });
}
