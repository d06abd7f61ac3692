// What a full disk leaves of the engine's files, done by hand: it is set aside, mended, and no row is lost.
import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { columns, event, joined, us } from "../testing/plant.ts";
import { setAside } from "./damage.ts";
import { openEmbedded } from "./embedded.ts";
import { NoRoom } from "./engine.ts";

const root = mkdtempSync(join(tmpdir(), "mtc-damage-"));
const path = join(root, "chdb");
afterAll(() => rmSync(root, { recursive: true, force: true }));

let again = 0;
let room = true;
const logged: string[] = [];
const open = () =>
  openEmbedded({
    path,
    rawRetentionDays: 36_500,
    again: async () => void again++,
    hasRoom: () => room,
    log: (line) => logged.push(line),
  });

const T0 = us("2026-01-05T06:00:00Z");
const observed = (machine: string) =>
  event(
    "plant-1",
    machine,
    "mtc.observations.v1",
    columns([
      { signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" },
      { signal: "part_count", ts_us: T0, seq: 0, value: 4 },
    ]),
  );
const reject = { rejects: { ts_us: T0, count: 2, reason: "" } };

const metadata = join(path, "metadata", "mtc");
const rows = async (engine: Awaited<ReturnType<typeof open>>) =>
  engine.query(
    `SELECT (SELECT count() FROM mtc.observations FINAL) AS observations,
            (SELECT groupArray(value) FROM (SELECT value FROM mtc.signal_points FINAL ORDER BY ALL)) AS points,
            (SELECT sum(count) FROM mtc.rejects FINAL) AS rejects`,
    {},
  );

test("invariant 6: definitions that are empty or torn are set aside and made anew, and rows stay", async () => {
  let engine = await open();
  await engine.insertEvents(
    joined([observed("mill-1"), event("plant-1", "mill-1", "mtc.rejects.v1", reject)]),
  );
  await engine.analyst("plant-1");
  const before = await rows(engine);
  expect(before).toEqual([{ observations: 2, points: ["4", "ACTIVE"], rejects: 2 }]);
  await engine.close();
  expect(again).toBe(1);

  const place = readlinkSync(join(path, "data", "mtc", "observations"));
  const emptied = ["entries_in", "observations", "rejects", "observations_v3_mv", "meta"];
  for (const name of emptied) writeFileSync(join(metadata, `${name}.sql`), "");
  const torn = join(metadata, "signal_points.sql");
  writeFileSync(torn, readFileSync(torn, "utf8").slice(0, 150));
  writeFileSync(join(path, "metadata", "mtc.sql"), "");
  writeFileSync(join(path, "user_defined", "function_mtc_place.sql"), "");
  const [analyst = ""] = readdirSync(join(path, "metadata")).filter((name) => /^tenant_\w+$/.test(name));
  writeFileSync(join(path, "metadata", analyst, "machines.sql"), "");

  engine = await open();
  expect(await rows(engine)).toEqual(before);
  expect(again).toBeGreaterThan(1);
  expect(readlinkSync(join(path, "data", "mtc", "observations"))).toBe(place);
  const aside = engine.process?.().set_aside.map((name) => name.replace(/^.*\//, ""));
  expect(aside?.toSorted()).toEqual(
    [
      ...[...emptied, "signal_points"].map((name) => `mtc.${name}.sql`),
      "mtc.sql",
      "user_defined.function_mtc_place.sql",
      `${analyst}.machines.sql`,
    ].sort(),
  );
  expect(logged.join("\n")).toContain("damaged definitions were set aside and made anew");
  expect(existsSync(`${path}.sound`)).toBe(false);
  // Events go all the way, and an analyst's view that was lost is made with the next question.
  await engine.insertEvents(joined([observed("mill-2")]));
  expect(await rows(engine)).toEqual([
    { observations: 4, points: ["4", "4", "ACTIVE", "ACTIVE"], rejects: 2 },
  ]);
  const asked = (await engine.analyst("plant-1")).ask({
    query: "SELECT count() FROM machines",
    params: {},
    format: () => "TabSeparated",
  });
  expect(new TextDecoder().decode((await asked).bytes)).toBe("0\n");
  await engine.close();
});

test("invariant 6: a table whose rows cannot be read is set aside with them, and made anew of the log", async () => {
  again = 0;
  const before = setAside(path).length;
  const rejects = realpathSync(join(path, "data", "mtc", "rejects"));
  writeFileSync(join(rejects, "format_version.txt"), "");
  let engine = await open();
  expect(again).toBeGreaterThan(0);
  const aside = (from: number) =>
    setAside(path)
      .slice(from)
      .map((name) => name.replace(/^.*\//, ""));
  expect(aside(before)).toEqual(["mtc.rejects.sql", "mtc.rejects.sql.rows"]);
  expect(await rows(engine)).toEqual([
    { observations: 4, points: ["4", "4", "ACTIVE", "ACTIVE"], rejects: 0 },
  ]);
  await engine.insertEvents(joined([event("plant-1", "mill-1", "mtc.rejects.v1", reject)]));
  expect(await rows(engine)).toMatchObject([{ rejects: 2 }]);
  await engine.close();
  // The database has lost its place on the disk, and the engine does not say whose files they were.
  again = 0;
  rmSync(join(path, "metadata", "mtc"));
  writeFileSync(join(path, "metadata", "mtc.sql"), "ATTACH DATABASE _ UUID 'torn");
  engine = await open();
  expect(again).toBeGreaterThan(0);
  expect(aside(before + 2)).toEqual(["chdb"]);
  expect(await engine.query("SELECT count() AS n FROM mtc.observations", {})).toEqual([{ n: 0 }]);
  await engine.close();
});

test("invariant 7: without room nothing is defined, and a start that has nothing to define is one", async () => {
  room = false;
  const engine = await open();
  expect(engine.process?.().up).toBe(true);
  for (const sql of [
    "CREATE TABLE mtc.x (a Int8) ENGINE = Null",
    "CREATE OR REPLACE VIEW mtc.x AS SELECT 1",
    "ALTER TABLE mtc.machines ADD COLUMN x Int8",
    "-- why\nALTER TABLE mtc.observations\n    MODIFY TTL toDateTime64(ts, 0, 'UTC') + INTERVAL 1 DAY",
  ])
    await expect(engine.maintain(sql)).rejects.toBeInstanceOf(NoRoom);
  // What makes room is done.
  await engine.maintain("TRUNCATE TABLE mtc.touched SYNC");
  await engine.close();
});
