// The projection a second time, in a database of its own, and how it takes the place of the first.
import type { Stretch } from "../../ingest/event.ts";
import type { Database, Engine } from "../engine/engine.ts";
import { likeTable } from "../engine/replicated.ts";
import { projectionIn } from "../schema/schema.ts";
import touch from "./touch.sql" with { type: "text" };

const LIVE: Database = "mtc";
const SHADOW: Database = "mtc_rebuild";
/** What is to take the place of a live table's rows, in the shadow's database. */
const NEXT = "next_";

/** Days (UTC), `YYYY-MM-DD`: [from, to). */
export type Days = { from: string; to: string };
/** Before and after all days there can be. */
export const ALL_DAYS: Days = { from: "1900-01-01", to: "2299-12-31" };

/** Tables by day, and what a row's day is. */
export const DAY_OF: Record<string, string> = {
  observations: "toDate32(ts)",
  signal_points: "toDate32(ts)",
  signal_days: "toDate32(day)",
};
/** Tables no figure is made of. */
const NO_FIGURES = ["machines", "assets"];

type Table = { name: string; dated: boolean };
type Partition = { name: string; partition: string };

/**
 * Events go into the shadow's tables and from there, table by table, into those that are to be next: of the days that
 * are rebuilt what the shadow has, of all other days in the same partitions what the live tables have. Both are what
 * the log says, and the live tables are never touched before `swap`.
 */
export class Shadow {
  readonly #engine: Engine;
  readonly #days: Days;
  readonly #tables: Table[];

  private constructor(engine: Engine, days: Days, tables: Table[]) {
    this.#engine = engine;
    this.#days = days;
    this.#tables = tables;
  }

  /** Makes an empty shadow. @throws EngineError */
  static async open(engine: Engine, days: Days): Promise<Shadow> {
    await clear(engine);
    await engine.maintain(`CREATE DATABASE ${SHADOW} ENGINE = Atomic`);
    const tables = await engine.query<{ name: string; partition_key: string; engine_full: string }>(
      `SELECT name, partition_key, engine_full FROM system.tables
       WHERE database = {live:String} AND endsWith(engine, 'MergeTree') AND name IN {names:Array(String)}`,
      { live: LIVE, names: TABLES },
    );
    for (const { name, engine_full } of tables) {
      // As the live table is by now: partitions change places between equal tables only.
      for (const made of [name, NEXT + name])
        await engine.maintain(likeTable(`${SHADOW}.${made}`, `${LIVE}.${name}`, engine_full));
    }
    for (const statement of projectionIn(SHADOW)) await engine.maintain(statement);
    const known = tables.map(({ name, partition_key }) => ({ name, dated: partition_key !== "" }));
    const strange = known.find(({ name, dated }) => dated && !(name in DAY_OF));
    if (strange) throw new Error(`what day a row of ${strange.name} belongs to is not known`);
    return new Shadow(engine, days, known);
  }

  /** Takes events of the log. @throws EngineError */
  insert(stretch: Stretch): Promise<void> {
    return this.#engine.insertEvents(stretch, SHADOW);
  }

  /**
   * Takes the shadow's rows of the days that are rebuilt, and the live rows of the others. Call it once, when the shadow
   * holds everything that was delivered by then.
   * @param kept assets whose event's id sorts before this one are no longer in the log: they stay; undefined: all stay
   */
  async gather(kept: string | undefined): Promise<void> {
    for (const { name, dated } of this.#tables) {
      const own = `${SHADOW}.${name}`;
      const next = `${SHADOW}.${NEXT}${name}`;
      const live = `${LIVE}.${name}`;
      const inside = `(${DAY_OF[name]} >= {from:Date32} AND ${DAY_OF[name]} < {to:Date32})`;
      if (!dated) {
        await this.#attach(name);
      } else if (name === "observations") {
        // A partition is a day: it is in or out as a whole.
        await this.#attach(name, (partition) => this.#touches(partition));
      } else {
        await this.#engine.maintain(`INSERT INTO ${next} SELECT * FROM ${own} WHERE ${inside}`, this.#days);
        const partitions = (await this.#partitions(LIVE, name)).filter((one) => this.#touches(one));
        await this.#engine.maintain(
          `INSERT INTO ${next} SELECT * FROM ${live}
           WHERE NOT ${inside} AND _partition_id IN {partitions:Array(String)}`,
          { ...this.#days, partitions },
        );
      }
      if (name === "assets") {
        const which = kept === undefined ? "" : "WHERE event_id < {kept:String}";
        await this.#engine.maintain(`INSERT INTO ${next} SELECT * FROM ${live} ${which}`, {
          kept: kept ?? "",
        });
      }
      await this.#engine.maintain(`TRUNCATE TABLE ${own} SYNC`);
    }
  }

  /** Takes what the shadow was given since, of whatever day: the live tables have been given it, too. */
  async absorb(): Promise<void> {
    for (const { name } of this.#tables) {
      await this.#attach(name);
      await this.#engine.maintain(`TRUNCATE TABLE ${SHADOW}.${name} SYNC`);
    }
  }

  /**
   * Partition by partition, each at once, the live tables become what was gathered; what is rolled up is done again from
   * there on. Call it while nothing else is delivered. Cut off in the middle, `clear` ends it.
   * @param check throws where something else may be delivered by now
   */
  async swap(check: () => void): Promise<void> {
    const whole = await this.#differing(this.#tables.filter(({ dated }) => !dated));
    const figures = whole.some((name) => !NO_FIGURES.includes(name));
    const from_us = figures ? 0 : Math.max(0, Date.parse(this.#days.from) * 1_000);
    await this.#engine.maintain(
      `CREATE TABLE ${SHADOW}.swapping (from_us Int64) ENGINE = MergeTree ORDER BY ()`,
    );
    await this.#engine.maintain(`INSERT INTO ${SHADOW}.swapping SELECT {from_us:Int64}`, { from_us });
    for (const { name, dated } of this.#tables) {
      if (!dated && !whole.includes(name)) continue;
      check();
      await this.#swapTable(name);
    }
    await this.#engine.maintain(touch, { from_us });
  }

  async #swapTable(name: string): Promise<void> {
    const next = new Set(await this.#partitions(SHADOW, NEXT + name));
    const all = new Set([...next, ...(await this.#partitions(LIVE, name))]);
    for (const partition of all) {
      if (!this.#touches(partition)) continue;
      const from = next.has(partition)
        ? `REPLACE PARTITION ID '${partition}' FROM ${SHADOW}.${NEXT}${name}`
        : `DROP PARTITION ID '${partition}'`;
      await this.#engine.maintain(`ALTER TABLE ${LIVE}.${name} ${from}`);
    }
  }

  /** Does the partition (`YYYYMMDD`, `YYYYMM`, `YYYY`, or `all` of a table) hold a day that is rebuilt? */
  #touches(partition: string): boolean {
    if (partition === "all") return true;
    const last = new Date(Date.parse(this.#days.to) - 1).toISOString().slice(0, 10);
    const bound = (day: string): string => day.replaceAll("-", "").slice(0, partition.length);
    return partition >= bound(this.#days.from) && partition <= bound(last);
  }

  /** Hands a table's parts on to the next one, without a copy. */
  async #attach(name: string, wanted: (partition: string) => boolean = () => true): Promise<void> {
    for (const partition of (await this.#partitions(SHADOW, name)).filter(wanted)) {
      await this.#engine.maintain(
        `ALTER TABLE ${SHADOW}.${NEXT}${name} ATTACH PARTITION ID '${partition}' FROM ${SHADOW}.${name}`,
      );
    }
  }

  async #partitions(database: Database, table: string): Promise<string[]> {
    const rows = await this.#engine.query<Partition>(
      `SELECT DISTINCT partition_id AS partition FROM system.parts
       WHERE active AND rows > 0 AND database = {database:String} AND table = {table:String}`,
      { database, table },
    );
    return rows.map(({ partition }) => partition);
  }

  /** @returns the tables whose rows are other than the live ones */
  async #differing(tables: Table[]): Promise<string[]> {
    const sum = async (table: string): Promise<string> => {
      const [row] = await this.#engine.query<{ sum: string }>(
        `SELECT concat(toString(count()), ' ', toString(sum(cityHash64(*)))) AS sum FROM ${table} FINAL`,
        {},
      );
      return row?.sum ?? "";
    };
    const differing: string[] = [];
    for (const { name } of tables) {
      if ((await sum(`${LIVE}.${name}`)) !== (await sum(`${SHADOW}.${NEXT}${name}`))) differing.push(name);
    }
    return differing;
  }
}

/** The tables that the projection makes. */
export const TABLES = projectionIn(LIVE).flatMap(
  (statement) => /CREATE TABLE IF NOT EXISTS mtc\.(\w+)/.exec(statement)?.[1] ?? [],
);

/**
 * Removes the shadow, if there is one. One that was cut off while it took the place of the live tables may have changed
 * some of them: what is rolled up is done again from there on.
 * @throws EngineError
 */
export async function clear(engine: Engine): Promise<void> {
  const [shadow] = await engine.query<{ swapping: number }>(
    `SELECT toUInt8(name IN (SELECT database FROM system.tables WHERE name = 'swapping')) AS swapping
     FROM system.databases WHERE name = {shadow:String}`,
    { shadow: SHADOW },
  );
  if (!shadow) return;
  if (shadow.swapping) {
    const [row] = await engine.query<{ from_us: number }>(`SELECT from_us FROM ${SHADOW}.swapping`, {});
    // Made, but not written yet: nothing was changed.
    if (row) await engine.maintain(touch, row);
  }
  await engine.maintain(`DROP DATABASE IF EXISTS ${SHADOW} SYNC`);
}
