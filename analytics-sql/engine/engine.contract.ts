// What every engine must do, run against each of them: what it takes, what it refuses and how.
import { describe, expect, test } from "bun:test";
import type { GapData } from "../../ingest/event.ts";
import { gaps } from "../queries/gaps.ts";
import { BadCursor, type ObservationRow, observations } from "../queries/observations.ts";
import { columns, event, joined, type Seen, us } from "../testing/plant.ts";
import { type Engine, EngineError } from "./engine.ts";

/** @param engine keeps raw observations for 30 days */
export function engineContract(engine: Engine): void {
  const tenant = "plant-1";
  const NOW_US = Date.now() * 1_000;
  const encoder = new TextEncoder();
  const seen = (machine: string, rows: Seen[]) =>
    event(tenant, machine, "mtc.observations.v1", columns(rows));
  const insert = (...lines: Uint8Array[]): Promise<void> => engine.insertEvents(joined(lines));
  const row = (i: number, more: Partial<Seen> = {}): Seen => ({
    signal: "spindle_speed",
    ts_us: NOW_US - 3_600_000_000 + i * 1_000,
    seq: i + 1,
    value: i * 1.5,
    ...more,
  });
  const list = async (machine: string, more: Partial<Parameters<typeof observations>[1]> = {}) =>
    observations(engine, {
      tenant,
      machine,
      signal: "",
      from_us: us("2000-01-01T00:00:00Z"),
      to_us: NOW_US + 1,
      limit: 1_000,
      cursor: null,
      ...more,
    });

  describe("events", () => {
    test("values of every kind, sequences by seq, by seq0 and none", async () => {
      const t0 = NOW_US - 1_000_000;
      const data = { signals: ["a", "b"], signal: [0, 1, 0], t0, dt: [0, 1, 2] };
      const values = { num: [1.5, null, null], words: ["ON"], word: [0, 1, 0] };
      await insert(
        event(tenant, "by-seq", "mtc.observations.v1", { ...data, ...values, seq: [7, 5, 9] }),
        event(tenant, "by-seq0", "mtc.observations.v1", { ...data, ...values, seq0: 40 }),
        event(tenant, "no-seq", "mtc.observations.v1", data),
      );
      const short = ({ rows }: { rows: ObservationRow[] }) =>
        rows.map(({ signal, seq, value }) => [signal, seq, value]);
      expect(short(await list("by-seq"))).toEqual([
        ["a", 7, 1.5],
        ["b", 5, "ON"],
        ["a", 9, null],
      ]);
      expect(short(await list("by-seq0"))).toEqual([
        ["a", 40, 1.5],
        ["b", 41, "ON"],
        ["a", 42, null],
      ]);
      expect(short(await list("no-seq"))).toEqual([
        ["a", 0, null],
        ["b", 0, null],
        ["a", 0, null],
      ]);
    });

    test("keys this release does not know are passed over", async () => {
      const line = new TextDecoder().decode(seen("newer", [row(0)]));
      await insert(encoder.encode(line.replace('"data":{', '"later":{"a":[1]},"data":{"colour":"red",')));
      expect((await list("newer")).rows).toHaveLength(1);
    });

    test("both kinds at once, each by its door; what is wrong with one of them is told", async () => {
      const gap = (from_us: number | string) =>
        event(tenant, "both", "mtc.gap.v1", {
          gap: { from_us, to_us: 0, cause: "unreachable", detail: "" } as GapData["gap"],
        });
      await insert(gap(1), seen("both", [row(0)]), gap(2), seen("both", [row(1)]));
      expect((await list("both")).rows).toHaveLength(2);
      const window = { tenant, machines: ["both"], from_us: 0, to_us: 10, as_of_us: NOW_US };
      expect((await gaps(engine, window)).rows).not.toEqual([]);
      for (const wrong of [
        [seen("both", [row(2)]), gap("noon")],
        [gap("noon"), seen("both", [row(2)])],
      ])
        await expect(insert(...wrong)).rejects.toMatchObject({ poison: true });
    });

    test("an insert of observations plans their four views, one of anything else the others, and there is no third door", async () => {
      const views = await engine.query<{ name: string; from: string; to: string }>(
        `SELECT name, extract(create_table_query, ' FROM mtc\\.(\\w+)') AS from, extract(create_table_query, ' TO mtc\\.(\\w+)') AS to
         FROM system.tables WHERE database = 'mtc' AND engine = 'MaterializedView' ORDER BY name`,
        {},
      );
      const behind = (table: string): string[] =>
        views.filter(({ from }) => from === table).flatMap(({ name, to }) => [name, ...behind(to)]);
      expect(behind("observations_in")).toEqual([
        "observations_v3_mv",
        "signal_points_v2_mv",
        "signal_days_v2_mv",
        "touched_by_signals_v2_mv",
      ]);
      expect(behind("entries_in")).toHaveLength(12);
      const doors = await engine.query<{ name: string }>(
        "SELECT name FROM system.tables WHERE database = 'mtc' AND engine = 'Null' ORDER BY name",
        {},
      );
      expect(doors.map(({ name }) => name)).toEqual(["entries_in", "observations_in"]);
    });

    test("nothing is nothing", async () => {
      await insert();
    });
  });

  describe("poison is told from failure", () => {
    const good = new TextDecoder().decode(seen("poison", [row(0), row(1)]));
    const bad: [string, string][] = [
      ["torn off", good.slice(0, 200)],
      ["not JSON", "{nope\n"],
      ["a word for a number", good.replace(/"t0":\d+/, '"t0":"noon"')],
      ["an object for an array", good.replace(/"dt":\[[^\]]*\]/, '"dt":{}')],
      ["columns of unequal length", good.replace(/"dt":\[[^\]]*\]/, '"dt":[0]')],
      ["an index below 0", good.replace(/"signal":\[[^\]]*\]/, '"signal":["x",0]')],
    ];
    for (const [name, line] of bad) {
      test(`poison: ${name}`, async () => {
        const error = await insert(encoder.encode(line)).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(EngineError);
        expect(error).toMatchObject({ poison: true });
      });
    }
    test("what came with it goes in when it is sent again without it", async () => {
      await insert(encoder.encode(good));
      expect((await list("poison")).rows).toHaveLength(2);
    });
    test("no poison: the engine is short of memory", async () => {
      const error = await engine
        .query("SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000", {})
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 241, poison: false });
    });
    test("a query's memory is limited (invariant 7)", async () => {
      const [limit] = await engine.query<{ bytes: number }>(
        "SELECT toInt64(getSetting('max_memory_usage')) AS bytes",
        {},
      );
      expect(limit).toEqual({ bytes: 2 * 1024 ** 3 });
    });
  });

  describe("observations", () => {
    test("invariant 2: page by page, each row once however often it was sent", async () => {
      const rows = Array.from({ length: 25 }, (_, i) =>
        row(i, { seq: 0, ts_us: NOW_US - 9_000_000 + (i % 5) }),
      );
      for (let i = 0; i < 3; i++) await insert(seen("pages", rows));
      const found: ObservationRow[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof list>> = await list("pages", { limit: 4, cursor });
        expect(page.rows.length).toBeLessThanOrEqual(4);
        found.push(...page.rows);
        cursor = page.cursor;
      } while (cursor !== null);
      expect(found.map(({ value }) => value).sort()).toEqual(rows.map(({ value }) => value).sort());
      expect(found.map(({ ts }) => ts)).toEqual(found.map(({ ts }) => ts).sort());
    });

    test("one signal, a half-open window, another tenant", async () => {
      const rows = [row(0), row(1, { signal: "execution", value: "ACTIVE" }), row(2), row(3)];
      await insert(seen("window", rows));
      const [from_us, to_us] = [row(1).ts_us, row(3).ts_us];
      expect((await list("window", { from_us, to_us })).rows).toHaveLength(2);
      expect((await list("window", { signal: "execution" })).rows.map(({ value }) => value)).toEqual([
        "ACTIVE",
      ]);
      expect((await list("window", { tenant: "plant-2" })).rows).toEqual([]);
    });

    test("a cursor that was never given out is refused", async () => {
      await expect(list("pages", { cursor: "nonsense" })).rejects.toThrow(BadCursor);
      await expect(list("pages", { cursor: Buffer.from("[1]").toString("base64url") })).rejects.toThrow(
        BadCursor,
      );
    });
  });

  test("gaps: open ones without an end, in any order of arrival", async () => {
    const gap = (from_us: number, to_us: number, cause: "unreachable" | "overload") =>
      event(tenant, "gaps", "mtc.gap.v1", { gap: { from_us, to_us, cause, detail: "cable" } });
    const t = us("2026-01-05T06:00:00Z");
    const opened = gap(t, 0, "unreachable");
    await insert(gap(t, t + 5_000_000, "unreachable"), opened, gap(t + 9_000_000, 0, "overload"));
    const window = { tenant, machines: ["gaps"], from_us: t, to_us: t + 60_000_000, as_of_us: NOW_US };
    expect((await gaps(engine, window)).rows.map(({ from, to, cause }) => [from, to, cause])).toEqual([
      ["2026-01-05T06:00:00.000000Z", "2026-01-05T06:00:05.000000Z", "unreachable"],
      ["2026-01-05T06:00:09.000000Z", "", "overload"],
    ]);
  });

  test("retention is by event time and by the time that it is given, never by the engine's clock; state points stay for years", async () => {
    const day_us = (days: number) => us("2024-05-01T23:59:59Z") + days * 86_400_000_000;
    const old = [0, 1].map((days) =>
      row(days, { ts_us: day_us(days), signal: "execution", value: `DAY_${days}` }),
    );
    await insert(seen("old", old), seen("new", [row(0)]));
    const kept = (machine: string) =>
      engine.query<{ raw: number; points: number }>(
        `SELECT (SELECT uniqExact(ts) FROM mtc.observations WHERE machine_id = {machine:String}) AS raw,
                (SELECT uniqExact(ts) FROM mtc.signal_points WHERE machine_id = {machine:String}) AS points`,
        { machine },
      );
    await engine.expire(Date.parse("2024-05-31T23:59:59Z"));
    expect(await kept("old")).toEqual([{ raw: 2, points: 2 }]);
    await engine.expire(Date.parse("2024-06-01T00:00:00Z"));
    expect(await kept("old")).toEqual([{ raw: 1, points: 2 }]);
    expect(await kept("new")).toEqual([{ raw: 1, points: 0 }]);
    const ttls =
      "SELECT name FROM system.tables WHERE database = 'mtc' AND match(create_table_query, '\\\\bTTL\\\\b')";
    expect(await engine.query(ttls, {})).toEqual([]);
  });

  test("values of every type are bound, whatever is in them", async () => {
    const text = 'it\'s \\ a "test"\n\t{x:String} $1 ü';
    const params = { text, list: [text, ""], number: 2 ** 53 - 1, numbers: [1, 2], nothing: null, yes: true };
    const [row] = await engine.query(
      `SELECT {text:String} AS text, {list:Array(String)} AS list, {number:Int64} AS number,
              {numbers:Array(UInt32)} AS numbers, {nothing:Nullable(String)} AS nothing, {yes:Bool} AS yes`,
      params,
    );
    expect(row).toEqual(params);
  });

  test("invariant 10: an analyst reads the tenant's views, and changes nothing", async () => {
    await insert(
      seen("own", [row(0)]),
      event("plant-2", "foreign", "mtc.observations.v1", columns([row(0)])),
    );
    const analyst = await engine.analyst(tenant);
    const ask = async (query: string, params: Record<string, string> = {}) => {
      const { bytes, format } = await analyst.ask({ query, params, format: (named) => named ?? "TSV" });
      return [format, new TextDecoder().decode(bytes).trim()];
    };
    expect(
      await ask("SELECT count() FROM observations WHERE machine_id = {m:String} FORMAT JSONCompactEachRow", {
        m: "own",
      }),
    ).toEqual(["JSONCompactEachRow", "[1]"]);
    expect(await ask("SELECT count() FROM observations WHERE machine_id = 'foreign'")).toEqual(["TSV", "0"]);
    expect(await ask("SELECT {t:String}", { t: "a\\tb\\'" })).toEqual(["TSV", "a\\tb\\'"]);
    for (const query of [
      "SELECT * FROM mtc.observations",
      "DROP TABLE observations",
      "SELECT * FROM url('http://x', CSV)",
      "SELECT 1 SETTINGS max_threads = 9",
      "SELECT 1; SELECT 2",
    ])
      await expect(ask(query)).rejects.toBeInstanceOf(EngineError);
    await expect(ask("SELECT throw FROM observations")).rejects.toMatchObject({ code: 47 });
    await insert(seen("own", [row(1)]));
    expect(await ask("SELECT count() FROM observations WHERE machine_id = 'own'")).toEqual(["TSV", "2"]);
  });
}
