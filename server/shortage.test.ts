// A disk that runs short (SPEC 14.10): what gives, in which order, how often it is told, and what is never given up.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { folderStorage } from "../analytics-sql/lake/folder.ts";
import { Lake } from "../analytics-sql/lake/lake.ts";
import { encodeEvent } from "../ingest/event.ts";
import { isFull, isShort, type Lack, lackOf } from "../ingest/store/room.ts";
import { openSqlite } from "../ingest/store/sqlite.ts";
import type { NewEvent } from "../ingest/store/store.ts";
import { Trouble } from "../ingest/trouble.ts";
import { openLake } from "./lake.ts";
import { lookOnce, type Step, stepsOf } from "./shortage.ts";

const data_dir = mkdtempSync(`${tmpdir()}/mtc-shortage-`);
afterAll(() => rmSync(data_dir, { recursive: true, force: true }));

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-30T12:00:00Z");
const GIB = 1024 ** 3;

test.each([
  ["a large disk", 1_000 * GIB, GIB, false],
  ["the same with less", 1_000 * GIB, GIB - 4_096, true],
  ["a small disk", 4 * GIB, GIB / 2, false],
  ["the same with less", 4 * GIB, GIB / 2 - 4_096, true],
])("short is long before full: %s", (_, total, free, short) => {
  const disk = { blocks: total / 4_096, bavail: free / 4_096, bsize: 4_096 };
  expect([isShort(disk), isFull(disk)]).toEqual([short, false]);
});

test.each<[string, number, number, Lack]>([
  ["room for all", GIB, 0, "none"],
  ["what the log has counts", GIB / 2, GIB / 2, "none"],
  ["but for nobody else", GIB / 4 - 4_096, 9 * GIB, "disk"],
  ["which begins there", GIB / 4, 9 * GIB, "none"],
  ["too little for anybody", GIB / 8, GIB / 8, "log"],
])("who lacks room: %s", (_, free, log_free_bytes, lack) => {
  const disk = { blocks: (1_000 * GIB) / 4_096, bavail: free / 4_096, bsize: 4_096 };
  expect(lackOf(disk, log_free_bytes)).toBe(lack);
  // Somebody gives up something before anything is refused.
  expect(lackOf({ ...disk, bavail: 16 * 256 }, log_free_bytes)).not.toBe("none");
});

test("one that fails keeps no other from giving, and is told where none gives; what is room for the log alone helps nobody else", async () => {
  const gave: string[] = [];
  let failing = true;
  const steps: Step[] = [
    {
      what: "first",
      async give() {
        if (failing) throw new Error("first: no answer");
        return false;
      },
    },
    { what: "log", for_log: true, give: async () => gave.push("log") > 0 },
    { what: "table", give: async () => gave.length < 4 && gave.push("table") > 0 },
  ];
  const trouble = new Trouble("disk", () => {});
  const told: unknown[] = [];
  for (const lack of ["log", "disk", "disk", "log", "disk"] as const) {
    const deps = { lack: async () => lack, copied: () => false, steps, now_ms: async () => NOW_MS, trouble };
    expect(await lookOnce(deps)).toBe(true);
    told.push(trouble.failing?.error);
  }
  expect(gave).toEqual(["log", "table", "table", "log"]);
  expect(told.at(-1)).toBe("the disk runs short: first: no answer");
  failing = false;
  const deps = { lack: async () => "disk" as const, steps, now_ms: async () => NOW_MS, trouble };
  await lookOnce({ ...deps, copied: () => false });
  expect(trouble.failing?.error).toContain("nothing is left that may be given up");
  gave.length = 0;
  await lookOnce({ ...deps, copied: () => true });
  expect([gave, trouble.failing?.error]).toEqual([
    [],
    "the disk runs short: nothing goes while a backup is made",
  ]);
});

test("the first that has anything gives, and the next look sees; each is told once, and when it is over", async () => {
  const said: string[] = [];
  const left = { lake: 2, log: 1 };
  const step = (what: keyof typeof left): Step => ({
    what,
    give: async () => left[what] > 0 && left[what]-- > 0,
  });
  let lack: Lack = "log";
  const deps = {
    lack: async () => lack,
    copied: () => false,
    steps: [step("lake"), step("log")],
    now_ms: async () => NOW_MS,
    trouble: new Trouble("disk", (line) => said.push(line)),
  };
  const seen = [];
  for (let look = 0; look < 5; look++) {
    expect(await lookOnce(deps)).toBe(true);
    seen.push(deps.trouble.failing?.error);
  }
  const words = (what: string): string => `the disk runs short: ${what} sooner than retention says`;
  const none = "the disk runs short: nothing is left that may be given up: make room";
  expect(seen).toEqual([words("lake"), words("lake"), words("log"), none, none]);
  lack = "none";
  expect(await lookOnce(deps)).toBe(false);
  expect(deps.trouble.failing).toBeUndefined();
  expect(said).toEqual([
    `disk: ${words("lake")}`,
    `disk: ${words("log")}`,
    `disk: ${none}`,
    expect.stringContaining("disk: goes on, after"),
  ]);
});

const event = (type: NewEvent["header"]["type"], days_ago: number): NewEvent => {
  const time_ms = NOW_MS - days_ago * DAY_MS;
  const header = { id: `${type}-${days_ago}`, type, tenant_id: "default", machine_id: "mill-1", time_ms };
  return { header, bytes: encodeEvent(header, new Uint8Array(40_000).fill(0x20)), rows: 0 };
};

async function kept(lake?: Lake, holdsLog = async () => false, looked = true) {
  const store = await openSqlite({
    file: `${data_dir}/${crypto.randomUUID()}.sqlite`,
    max_outbox_bytes: 1 << 30,
  });
  const forgotten: string[] = [];
  const asked: string[] = [];
  const before: unknown[] = [];
  const steps = stepsOf({
    store,
    lake,
    data_dir,
    raw_retention_days: 30,
    holdsLog,
    lakeLooked: () => looked,
    engine: {
      async query<Row>(_: string, params: Record<string, unknown>) {
        before.push(params.before);
        return [{ partition: "20261101" }] as Row[];
      },
      maintain: async (sql: string) => void asked.push(sql),
    },
    lake_writer: lake && {
      oldestWritten: (before_ms: number) => (before_ms === NOW_MS - DAY_MS ? "2026-11-05" : undefined),
      forget: async (date: string) => void forgotten.push(date),
    },
  });
  return { store, steps, forgotten, asked, before };
}

test("invariants 1 and 2: the log gives what is delivered, a half of retention after the other, never the last day", async () => {
  const { store, steps } = await kept();
  const ages = [29, 20, 14, 6, 3, 0.9];
  const events = ages.map((age) => event("mtc.observations.v1", age));
  await store.commit({ events: [...events, event("mtc.lot.v1", 25), event("mtc.observations.v1", 24)] });
  await store.delivered(7);
  const left = [];
  for (let look = 0; look < 5; look++) {
    const gave = await steps[1]?.give(NOW_MS);
    const { events } = await store.readLog({ after: 0, upto: 99, since_ms: 0 }, 99, 1 << 30);
    left.push([gave, events.map(({ id }) => id.replace(/mtc\.(observations|lot)\.v1-/, ""))]);
  }
  expect(left).toEqual([
    [true, ["14", "6", "3", "0.9", "25", "24"]],
    [true, ["6", "3", "0.9", "25", "24"]],
    [true, ["3", "0.9", "25", "24"]],
    [true, ["0.9", "25", "24"]],
    [false, ["0.9", "25", "24"]],
  ]);
  expect(await store.freeBytes()).toBeGreaterThan(100_000);
  await store.close();
});

test("with a lake its days go first, are looked for there from then on, and no others go; a rebuild holds the log", async () => {
  const lake = new Lake(folderStorage(`${data_dir}/lake`), 30);
  const { store, steps, forgotten, asked } = await kept(lake, async () => true);
  await store.commit({ events: [event("mtc.observations.v1", 20)] });
  await store.delivered(1);
  expect(await Promise.all(steps.map(({ give }) => give(NOW_MS)))).toEqual([true, false, false]);
  expect([forgotten, asked]).toEqual([["2026-11-05"], []]);
  expect(readFileSync(`${data_dir}/raw_forgotten_before`, "utf8")).toBe("2026-11-06\n");
  expect(lake.forgotten_before_us).toBe(Date.parse("2026-11-06") * 1_000);
  const config = {
    lake: { kind: "folder", path: `${data_dir}/lake` },
    raw_retention_days: 30,
    data_dir,
  } as const;
  expect(openLake(config)?.forgotten_before_us).toBe(lake.forgotten_before_us);
  await store.close();
});

test("with a lake the log gives nothing before it is known what the lake has", async () => {
  const lake = new Lake(folderStorage(`${data_dir}/lake`), 30);
  const { store, steps } = await kept(lake, undefined, false);
  await store.commit({ events: [event("mtc.observations.v1", 20)] });
  await store.delivered(1);
  await expect(steps[1]?.give(NOW_MS)).rejects.toThrow("it is not known yet what the lake has");
  expect(await store.purge(NOW_MS)).toBe(1);
  await store.close();
});

test("a rebuild that begins meanwhile keeps what the log still has", async () => {
  let asked = 0;
  const { store, steps } = await kept(undefined, async () => asked++ > 0);
  const events = Array.from({ length: 1_001 }, (_, n) => {
    const header = { ...event("mtc.observations.v1", 20).header, id: `old-${n}` };
    return { header, bytes: encodeEvent(header, new Uint8Array(1)), rows: 0 };
  });
  await store.commit({ events });
  await store.delivered(1_001);
  expect(await steps[1]?.give(NOW_MS)).toBe(true);
  expect(await store.purge(NOW_MS)).toBe(1);
  await store.close();
});

test("without a lake the table gives its oldest day last", async () => {
  const { store, steps, asked, before } = await kept();
  expect(await Promise.all(steps.map(({ give }) => give(NOW_MS)))).toEqual([false, false, true]);
  expect(asked).toEqual(["ALTER TABLE mtc.observations DROP PARTITION ID '20261101'"]);
  // The last 24 hours lie in this day and the next one.
  expect(before).toEqual(["20261129"]);
  await store.close();
});
