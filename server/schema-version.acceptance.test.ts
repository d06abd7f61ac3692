// A data directory of another release, with the real program: what is refused, what goes on, and what is noted.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { discard, startServer, type TestServer, tempDir } from "./testing/server.ts";

const data_dir = tempDir();
const version = `${data_dir}/schema_version`;
let server: TestServer | undefined;
afterAll(async () => {
  await discard(server);
  rmSync(data_dir, { recursive: true, force: true });
});

/** What the program says that does not start. */
const refusal = async (): Promise<string> =>
  startServer({}, data_dir).then(
    () => "it started",
    ({ message }: Error) => message,
  );

test("an older program ends with a clear message, and leaves a newer directory as it is", async () => {
  for (const [found, words] of [
    ["2.0\n", "has the schema 2.0, written by a newer release of MTC; this program knows 1.1"],
    ["newest", "must be a schema's version, like 1.1"],
  ] as const) {
    writeFileSync(version, found);
    const said = await refusal();
    expect(said).toContain(words);
    expect(said).toContain("the server ended with 1:");
    expect(said).not.toMatch(/\n\s+at |Error/);
    expect([readdirSync(data_dir), readFileSync(version, "utf8")]).toEqual([
      ["lock", "schema_version"],
      found,
    ]);
  }
});

test("additions of a newer release are no reason: its number stays, and where there is none this one's is noted", async () => {
  writeFileSync(version, "1.7\n");
  server = await startServer({}, data_dir);
  expect(readFileSync(version, "utf8")).toBe("1.7\n");
  expect((await server.call("GET", "/api/v1/oee")).status).toBe(200);
  const other = tempDir();
  try {
    await Bun.write(`${other}/chdb`, "no directory: the program ends before it serves");
    await startServer({}, other).catch(() => {});
    expect(readFileSync(`${other}/schema_version`, "utf8")).toBe("1.1\n");
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});
