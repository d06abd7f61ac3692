// What a restore refuses, and that it leaves nothing of it (SPEC 14.9): backups made by hand, no server.
import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { relative } from "node:path";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { SCHEMA_VERSION } from "../../analytics-sql/schema/schema.ts";
import { textOf } from "../../analytics-sql/schema/version.ts";
import { encodeEvent } from "../../ingest/event.ts";
import { hasRoomFor, hasRoomForCopy } from "../../ingest/store/room.ts";
import { openSqlite } from "../../ingest/store/sqlite.ts";
import { parseConfig } from "../config.ts";
import { RESTORING, refuseHalfRestored, takeDataDir } from "../data-dir.ts";
import { REQUEST } from "../modules/backup/model.ts";
import { Backups } from "../modules/backup/service.ts";
import { MANIFEST, type Manifest, manifestOf } from "./manifest.ts";
import { putBack } from "./put-back.ts";
import { takeBackup } from "./take.ts";

const root = mkdtempSync(`${tmpdir()}/mtc-put-back-`);
afterAll(() => rmSync(root, { recursive: true, force: true }));
const [from, data_dir] = [`${root}/backup`, `${root}/data`];
const DAY_MS = 86_400_000;
const TAKEN_MS = Date.parse("2026-11-30T12:00:00Z");
const file = `${from}/files/admin.key`;

async function made(change: Partial<Manifest> = {}): Promise<void> {
  const about = {
    version: "0.1.0",
    schema_version: textOf(SCHEMA_VERSION),
    taken: new Date(TAKEN_MS).toISOString(),
    log: { delivered: 0, purged_before_ms: TAKEN_MS - 30 * DAY_MS },
    tables: [],
  };
  const manifest = { ...(await manifestOf(from, ["mtc.sqlite", "files/admin.key"], about)), ...change };
  writeFileSync(`${from}/${MANIFEST}`, JSON.stringify(manifest));
}

beforeEach(async () => {
  for (const path of [from, data_dir]) rmSync(path, { recursive: true, force: true });
  mkdirSync(`${from}/files`, { recursive: true });
  writeFileSync(`${from}/mtc.sqlite`, "no log");
  writeFileSync(file, "a-key-of-the-admin");
  await made();
});

type Case = {
  what: string;
  spoil?: () => unknown;
  until_ms?: number;
  lake?: true;
  words: string;
  left?: string[];
};

const CASES: Case[] = [
  {
    what: "another place",
    spoil: () => rmSync(from, { recursive: true, force: true }),
    words: `${from}: there is no such folder`,
  },
  {
    what: "no manifest",
    spoil: () => rmSync(`${from}/${MANIFEST}`),
    words: "one that was cut off while it was made",
  },
  {
    what: "half a manifest",
    spoil: () =>
      writeFileSync(`${from}/${MANIFEST}`, readFileSync(`${from}/${MANIFEST}`, "utf8").slice(0, 90)),
    words: `${from}/${MANIFEST} is damaged`,
  },
  {
    what: "a manifest that leads elsewhere",
    spoil: () => made({ files: [{ path: "../../etc/passwd", bytes: 1, sha256: "" }] }),
    words: `${from}/${MANIFEST} is damaged`,
  },
  {
    what: "a manifest that lists no log",
    spoil: () => made({ files: [] }),
    words: `${from}/${MANIFEST} is damaged: it does not list mtc.sqlite`,
  },
  { what: "a missing file", spoil: () => rmSync(file), words: `${file} is missing` },
  {
    what: "a longer file",
    spoil: () => appendFileSync(file, "!"),
    words: `${file} has 19 bytes instead of 18`,
  },
  {
    what: "a changed byte",
    spoil: () => writeFileSync(file, "a-key-of-the-Admin"),
    words: `${file} is not what was written (its SHA-256 differs)`,
  },
  {
    what: "a newer addition",
    spoil: () => made({ schema_version: "1.999" }),
    words: "has the schema 1.999, written by a newer release of MTC",
  },
  {
    what: "a newer schema",
    spoil: () => made({ schema_version: "99.0" }),
    words: "written by a newer release of MTC",
  },
  {
    what: "an older schema",
    spoil: () => made({ schema_version: "0.9" }),
    words: "Restore it by that release, and start this one on it",
  },
  {
    what: "a data directory that is not empty",
    spoil: () => {
      mkdirSync(data_dir);
      writeFileSync(`${data_dir}/mtc.sqlite`, "mine");
    },
    words: `MTC_DATA_DIR=${data_dir}: is not empty (mtc.sqlite)`,
    left: ["mtc.sqlite"],
  },
  { what: "a log that is none", until_ms: TAKEN_MS - DAY_MS, words: "file is not a database" },
  { what: "a time after it", until_ms: TAKEN_MS + 1, words: "the backup ends at 2026-11-30T12:00:00.000Z" },
  {
    what: "a time that the log does not hold whole",
    until_ms: TAKEN_MS - 29 * DAY_MS,
    words: "the log holds all that came from 2026-11-02 on",
  },
  {
    what: "a time, with a lake",
    until_ms: TAKEN_MS - DAY_MS,
    lake: true,
    words: "MTC_LAKE_URL: what the lake got",
  },
];

test.each(CASES)(
  "refused, and nothing is left: $what",
  async ({ spoil, until_ms, lake, words, left = [] }) => {
    await spoil?.();
    const config = parseConfig({ MTC_DATA_DIR: data_dir, ...(lake && { MTC_LAKE_URL: `${root}/lake` }) });
    await expect(putBack(config, { from, until_ms }, () => {})).rejects.toThrow(words);
    const found = existsSync(data_dir) ? readdirSync(data_dir).filter((name) => name !== "lock") : [];
    expect(found).toEqual(left);
  },
);

test("what a restore left that was cut off starts no server, and the next one takes it away", async () => {
  mkdirSync(data_dir);
  for (const name of [RESTORING, "mtc.sqlite"]) writeFileSync(`${data_dir}/${name}`, "half");
  expect(() => refuseHalfRestored(data_dir)).toThrow("a restore was cut off here");
  const config = parseConfig({ MTC_DATA_DIR: data_dir });
  await expect(takeBackup(config, `${root}/other`, () => {})).rejects.toThrow("a restore was cut off here");
  await expect(putBack(config, { from, until_ms: TAKEN_MS - DAY_MS }, () => {})).rejects.toThrow(
    "file is not a database",
  );
  expect(readdirSync(data_dir)).toEqual(["lock"]);
});

test("a backup is refused where it cannot be, and leaves nothing", async () => {
  mkdirSync(data_dir);
  const config = parseConfig({ MTC_DATA_DIR: data_dir, MTC_PORT: "1" });
  const backUp = (to: string) => takeBackup(config, to, () => {});
  await expect(backUp(`${root}/new`)).rejects.toThrow("there is no installation");
  const store = await openSqlite({ file: `${data_dir}/mtc.sqlite`, max_outbox_bytes: 1 });
  await store.close();
  await expect(backUp(from)).rejects.toThrow(`--to ${from}: is there already`);
  await expect(backUp(`${root}/{a,b}`)).rejects.toThrow("must not hold any of * ?");
  await expect(backUp(`${root}/not/there`)).rejects.toThrow(`${root}/not is not there`);
  mkdirSync(`${root}/mine.partial`);
  await expect(backUp(`${root}/mine`)).rejects.toThrow("and no backup that was cut off");
  mkdirSync(`${data_dir}/chdb`);
  const server = takeDataDir(data_dir);
  await expect(backUp(`${root}/new`)).rejects.toThrow(/no server answers at 127.0.0.1:1 .* a server runs on/);
  server.free();
  writeFileSync(`${data_dir}/schema_version`, "1.999");
  await expect(backUp(`${root}/new`)).rejects.toThrow("of a newer release: back it up by that one");
  expect(readdirSync(root).sort()).toEqual(["backup", "data", "mine.partial"]);
});

test("a copy on the disk of what it copies leaves more of it than one elsewhere", () => {
  mkdirSync(data_dir);
  const { bavail, blocks, bsize } = statfsSync(root);
  // Half of what keeps the disk from running short.
  const bytes = bavail * bsize - Math.min(1024 ** 3, (blocks * bsize) / 8) / 2;
  expect(hasRoomFor(from, bytes)).toBe(true);
  expect(hasRoomForCopy(data_dir, from, bytes)).toBe(false);
  expect(hasRoomForCopy("/dev", from, bytes)).toBe(true);
});

test("who listens where a server should gets no key while none has the directory, and is not believed", async () => {
  mkdirSync(data_dir);
  const header = { id: "a", type: "mtc.observations.v1" as const, tenant_id: "default", machine_id: "mill" };
  const store = await openSqlite({ file: `${data_dir}/mtc.sqlite`, max_outbox_bytes: 1 << 20 });
  const event = { ...header, time_ms: TAKEN_MS };
  await store.commit({ events: [{ header: event, bytes: encodeEvent(event, new Uint8Array(1)), rows: 0 }] });
  await store.delivered(1);
  await store.close();
  const asked: string[] = [];
  let says = {};
  const stranger = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ method, url }) {
      asked.push(`${method} ${new URL(url).pathname}`);
      return Response.json(says);
    },
  });
  const config = parseConfig({
    MTC_DATA_DIR: data_dir,
    MTC_PORT: String(stranger.port),
    MTC_ADMIN_KEY: "key-of-the-admin",
  });
  const to = `${root}/believed`;
  const refused = (words: string) =>
    expect(takeBackup(config, to, () => {})).rejects.toThrow(new RegExp(`^${words}`));
  await refused(`${data_dir} has no analytics`);
  expect(asked).toEqual([]);
  const server = takeDataDir(data_dir);
  says = { phase: "done", to, delivered: 1, saved: [] };
  await refused("analytics has no table, and took the log up to 1");
  says = { phase: "done", to, delivered: 0, saved: [] };
  await refused("analytics is made anew of the log");
  says = { phase: "saving", to: "/backup/other" };
  await refused("the server writes another backup \\(/backup/other\\)");
  server.free();
  await stranger.stop(true);
  expect(existsSync(`${to}.partial`)).toBe(false);
});

test("analytics that a start would have to mend is not backed up as it is", async () => {
  mkdirSync(`${data_dir}/chdb`, { recursive: true });
  await (await openSqlite({ file: `${data_dir}/mtc.sqlite`, max_outbox_bytes: 1 })).close();
  const config = parseConfig({ MTC_DATA_DIR: data_dir });
  await expect(takeBackup(config, `${root}/damaged`, () => {})).rejects.toThrow(
    /^analytics is damaged, or not whole: start the server on it once/,
  );
  expect(existsSync(`${root}/damaged`)).toBe(false);
  expect(readdirSync(data_dir)).not.toContain("move-scratch");
});

const token = "0123456789abcdef";
/** A server's, whose engine has no table and was started so often. */
function backupsOf(restarts: () => number): Backups {
  const engine = {
    process: () => ({ up: true, restarts: restarts(), resident_bytes: 0, set_aside: [] }),
    query: async () => [],
  };
  return new Backups({
    engine: engine as unknown as Engine,
    store: { logState: async () => ({ last: 7, delivered: 5, purged_before_ms: 0 }) },
    data_dir: root,
    log: () => {},
  });
}

test("a server writes into a folder that its own user has made for it alone", async () => {
  const [to, other, globs] = [`${root}/asked`, `${root}/link`, `${root}/{a,b}`];
  const clear = (): void => {
    for (const path of [to, other, globs]) rmSync(path, { recursive: true, force: true });
  };
  const free = (path: string): string => {
    rmSync(path);
    return path;
  };
  const make = (): void => {
    clear();
    for (const path of [to, globs]) {
      mkdirSync(path, { mode: 0o700 });
      writeFileSync(`${path}/${REQUEST}`, token);
    }
  };
  const spoils: [string, () => unknown, string][] = [
    [to, () => chmodSync(to, 0o750), token],
    [other, () => symlinkSync(to, other), token],
    [to, () => symlinkSync(file, free(`${to}/${REQUEST}`)), "a-key-of-the-admin"],
    [to, () => writeFileSync(`${to}/${REQUEST}`, token.repeat(20)), token.repeat(20)],
    [globs, () => {}, token],
    [relative(process.cwd(), to), () => {}, token],
  ];
  for (const [path, spoil, told] of spoils) {
    make();
    spoil();
    const ask = { data_dir: root, to: path, token: told };
    expect(() => backupsOf(() => 0).start(ask)).toThrow(/^\/to: /);
  }
  make();
  const backups = backupsOf(() => 0);
  expect(backups.start({ data_dir: root, to, token })).toMatchObject({ phase: "saving", to });
  await backups.stop();
  expect(backups.last()).toMatchObject({ phase: "done", delivered: 5, error: "" });

  make();
  let asked = 0;
  const restarted = backupsOf(() => asked++);
  restarted.start({ data_dir: root, to, token });
  await restarted.stop();
  expect(restarted.last()).toMatchObject({
    phase: "failed",
    error: expect.stringContaining("started again"),
  });
  clear();
});
