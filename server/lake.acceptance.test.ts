// The program with a lake (SPEC 14.4): a day that is over goes there, leaves the table, and is read back over HTTP.
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { discard, startServer, type TestServer, tempDir } from "./testing/server.ts";

type Page = { rows: { ts: string; signal: string; value: number }[]; next_cursor: string | null };
type Ready = { lake: { days: number; files: number; last_success_ms: number; error: string | null } };

const mill = { id: "mill:1.x", name: "Mill", source: { kind: "http" } };

/** All values that the server tells of the machine, in pages of 20. */
async function pages(server: TestServer): Promise<number[]> {
  const found: number[] = [];
  let cursor: string | null = "";
  do {
    const query: string = `from=2020-01-01T00:00:00Z&limit=20${cursor ? `&cursor=${cursor}` : ""}`;
    const { status, body } = await server.call<Page>(
      "GET",
      `/api/v1/machines/mill:1.x/observations?${query}`,
    );
    expect(status).toBe(200);
    found.push(...body.rows.map(({ value }) => value));
    cursor = body.next_cursor;
  } while (cursor);
  return found;
}

test(
  "observations that retention removed come from the lake, page by page",
  async () => {
    const folder = tempDir();
    const env = { MTC_LAKE_URL: `file://${folder}/lake`, MTC_RAW_RETENTION_DAYS: "1" };
    let server = await startServer(env);
    try {
      await server.call("POST", "/api/v1/machines", mill);
      // Noon of three days ago and an hour ago: one in the lake only, one in the table only.
      const old = Math.floor(Date.now() / 86_400_000 - 3) * 86_400_000 + 43_200_000;
      const times = [...Array.from({ length: 50 }, (_, i) => old + i * 1_000), Date.now() - 3_600_000];
      const sent = times.map((ms, i) => ({ signal: "load", ts: new Date(ms).toISOString(), value: i }));
      const { status } = await server.call("POST", "/internal/machines/mill:1.x/data", {
        observations: sent,
      });
      expect(status).toBe(202);
      await server.settled();
      const { data_dir } = server;
      await server.stop();
      server = await startServer(env, data_dir);
      const { lake } = await until(async () => {
        const { body } = await server.call<Ready>("GET", "/readyz");
        return body.lake.last_success_ms > 0 ? body : undefined;
      });
      expect(lake).toMatchObject({ files: 1, error: null });
      expect((await server.call<string>("GET", "/metrics")).body).toContain("mtc_lake_written_files 1");
      // A delivery that was repeated after the start may be in the table as well: each row comes once.
      expect(await pages(server)).toEqual(sent.map(({ value }) => value));
      // Another one in its place, that knows nothing but the lake.
      await discard(server);
      server = await startServer(env);
      await server.call("POST", "/api/v1/machines", mill);
      expect(await pages(server)).toEqual(sent.slice(0, 50).map(({ value }) => value));
    } finally {
      await discard(server);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  limit_ms(90),
);
