// The lake in a folder, and what each kind of place says when it cannot be used.
import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { folderStorage } from "./folder.ts";
import { DATES, lakeContract, lakeIn, must, NOW_MS, plant, scratch } from "./lake.contract.ts";
import { dayFolder, lakeDates } from "./manifest.ts";
import { s3Storage } from "./s3.ts";

lakeContract(
  "a folder",
  true,
  () => folderStorage(mkdtempSync(join(scratch, "lake-"))),
  (storage, name) => Bun.file(must(storage.table(name).params.lake_file)).arrayBuffer(),
);

test("a folder that cannot be written: told, nothing half done, and the next run heals it", async () => {
  const root = mkdtempSync(join(scratch, "full-"));
  const tenant = await plant();
  // Root may write anywhere: a file stands where a folder is needed.
  const blocked = join(root, "observations");
  await Bun.write(blocked, "");
  chmodSync(root, 0o500);
  const { storage, writer } = lakeIn(folderStorage(root));
  await expect(writer().run(NOW_MS)).rejects.toThrow();
  chmodSync(root, 0o700);
  rmSync(blocked);
  await writer().run(NOW_MS);
  expect(await lakeDates(storage, tenant)).toEqual(DATES);
});

test("a bucket that is down, or refuses, is not an empty one", async () => {
  const refusing = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => new Response("", { status: url.includes("denied") ? 403 : 503 }),
  });
  const keys = { region: "us-east-1", bucket: "lake", access_key: "key", secret_key: "secret" };
  for (const [endpoint, prefix] of [
    [refusing.url.origin, ""],
    [refusing.url.origin, "denied/"],
    ["http://127.0.0.1:1", ""],
  ] as const) {
    const storage = s3Storage({ endpoint, prefix, ...keys });
    await expect(storage.read("a")).rejects.toThrow();
    await expect(storage.size_bytes("a")).rejects.toThrow();
    await expect(storage.list("a")).rejects.toThrow();
    await expect(storage.write("a", "{}")).rejects.toThrow();
  }
  await refusing.stop(true);
});

test("a manifest of another make stops the writing of its day, not the table's rows", async () => {
  const tenant = await plant();
  const { storage, writer } = lakeIn(folderStorage(mkdtempSync(join(scratch, "foreign-"))));
  await storage.write(`${dayFolder(tenant, must(DATES[0]))}/_manifest.json`, '{"schema":"other"}');
  await expect(writer().run(NOW_MS)).rejects.toThrow("not a manifest that this release can read");
});
