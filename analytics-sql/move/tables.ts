// The engine's tables from the embedded one to a ClickHouse server, partition by partition, and held against each other.
import { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { clientOf, LONG_REQUEST_TIMEOUT_MS, WHOLE } from "../engine/clickhouse.ts";
import type { Engine } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { likeTable } from "../engine/replicated.ts";
import { fail, MAINTAINING } from "../engine/settings.ts";
import { TABLES } from "../rebuild/shadow.ts";

/** Where a table's rows gather at the server, before they take their place as a whole. */
const BESIDE = "mtc_move";

/** What the roll-up makes, and notes of it. */
const ROLLED = [
  "rolls_v2",
  "touched",
  "machine_days",
  "machine_hour_sums",
  "machine_day_sums",
  "machine_day_totals",
];

export type Columns = { name: string; columns: string[] };
type Table = Columns & { engine_full: string };

/** The tables that events make, with their columns: what is rolled up is made of them. @throws EngineError */
export const tablesOf = (engine: Engine): Promise<Table[]> =>
  engine.query<Table>(
    `SELECT name, columns, engine_full
     FROM (SELECT table, groupArray(column) AS columns
           FROM (SELECT table, name AS column FROM system.columns WHERE database = 'mtc' ORDER BY table, position)
           GROUP BY table) AS c
     INNER JOIN (SELECT name, engine_full FROM system.tables
           WHERE database = 'mtc' AND endsWith(engine, 'MergeTree') AND name IN {tables:Array(String)}) AS t
         ON c.table = t.name
     ORDER BY name`,
    { tables: TABLES },
  );

/** What a table holds of one machine in one of its partitions. */
export type Print = {
  table: string;
  partition: string;
  tenant: string;
  machine: string;
  rows: number;
  hash: string;
};

export type MoveTables = {
  /** The source. */
  from: Engine;
  /** The target: the server's URL with user and password, and the engine over it. */
  url: string;
  to: Engine;
  /**
   * Days (UTC, YYYYMMDD) of observations: those from `from` on are kept, and those from `surely_from` on stay while they are
   * compared. The day between may lose its rows on either side at any time.
   */
  observed: { from: string; surely_from: string };
};

/**
 * What the roll-up makes is not copied: the server makes it anew of what was copied, so that equal figures say something.
 * A partition takes its place at once, without waking the views behind its table: what they made is copied as well.
 */
export class Tables {
  readonly #move: MoveTables;
  readonly #client: ClickHouseClient;
  readonly #tables: Table[];

  private constructor(move: MoveTables, client: ClickHouseClient, tables: Table[]) {
    this.#move = move;
    this.#client = client;
    this.#tables = tables;
  }

  static async open(move: MoveTables): Promise<Tables> {
    const tables = await tablesOf(move.to);
    return new Tables(move, clientOf(move.url, LONG_REQUEST_TIMEOUT_MS), tables);
  }

  /**
   * Makes the server's tables what the source's are; what is equal already stays as it is.
   * @returns the rows that were sent @throws EngineError
   */
  async copy(told: (line: string) => void): Promise<number> {
    let sent = 0;
    for (const table of this.#tables) {
      const { from } = this.#move.observed;
      const [is, shall] = [
        await this.#partitions(this.#move.to, table, from),
        await this.#partitions(this.#move.from, table, from),
      ];
      const differing = [...shall].filter(([partition, print]) => is.get(partition)?.hash !== print.hash);
      const strange = [...is.keys()].filter((partition) => !shall.has(partition));
      for (const partition of strange)
        await this.#move.to.maintain(`ALTER TABLE mtc.${table.name} DROP PARTITION ID ${literal(partition)}`);
      const rows = differing.reduce((sum, [, print]) => sum + print.rows, 0);
      if (rows > 0) told(`${table.name}: ${rows} rows`);
      for (const [partition] of differing) await this.#send(table, partition);
      sent += rows;
    }
    return sent;
  }

  /**
   * Forgets what is rolled up at the server: it is made again of what it holds now, whatever its clock says.
   * @throws EngineError
   */
  async forgetRolled(): Promise<void> {
    for (const name of ROLLED) await this.#move.to.maintain(`TRUNCATE TABLE mtc.${name} SYNC`);
  }

  /** What both hold, by table, partition and machine. @throws EngineError */
  async prints(): Promise<{ before: Print[]; after: Print[] }> {
    const of = async (engine: Engine): Promise<Print[]> => {
      const all: Print[] = [];
      for (const table of this.#tables)
        all.push(...(await this.#prints(engine, table, this.#move.observed.surely_from)));
      return all;
    };
    const [before, after] = await Promise.all([of(this.#move.from), of(this.#move.to)]);
    return { before, after };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #prints(engine: Engine, { name, columns }: Columns, observed_from: string): Promise<Print[]> {
    const sql = printsOf({ name, columns });
    const from = name === "observations" ? observed_from : "";
    const rows = await engine.aside.query<Omit<Print, "table">>(sql, { from });
    return rows.map((row) => ({ table: name, ...row }));
  }

  /** @returns by partition its rows, and the hashes of its machines */
  async #partitions(
    engine: Engine,
    table: Table,
    observed_from: string,
  ): Promise<Map<string, { rows: number; hash: string }>> {
    const prints = Map.groupBy(
      await this.#prints(engine, table, observed_from),
      ({ partition }) => partition,
    );
    return new Map(
      [...prints].map(([partition, all]) => [
        partition,
        {
          rows: all.reduce((sum, { rows }) => sum + rows, 0),
          hash: all
            .map(({ tenant, machine, rows, hash }) => [tenant, machine, rows, hash].join("\n"))
            .join("\n"),
        },
      ]),
    );
  }

  async #send({ name, columns, engine_full }: Table, partition: string): Promise<void> {
    const { from, to } = this.#move;
    const beside = `${BESIDE}.${name}`;
    await to.maintain(`DROP TABLE IF EXISTS ${beside} SYNC`);
    await to.maintain(likeTable(beside, `mtc.${name}`, engine_full));
    const rows = await from.read(
      `SELECT ${listOf(columns)} FROM mtc.${name} FINAL WHERE _partition_id = ${literal(partition)}`,
      "Native",
    );
    try {
      await this.#insert(beside, columns, rows);
    } catch (error) {
      fail(error);
    }
    await to.maintain(`ALTER TABLE mtc.${name} REPLACE PARTITION ID ${literal(partition)} FROM ${beside}`);
    await to.maintain(`DROP TABLE ${beside} SYNC`);
  }

  async #insert(table: string, columns: string[], rows: AsyncIterable<Uint8Array>): Promise<void> {
    const { stream } = await this.#client.exec({
      query: `INSERT INTO ${table} (${listOf(columns)}) FORMAT Native`,
      values: Readable.from(rows),
      clickhouse_settings: { ...WHOLE, ...MAINTAINING },
    });
    for await (const _ of stream);
  }
}

/**
 * What a table holds, each row once, by partition, tenant and machine: how much, and the sum of the rows' hashes, which no
 * order of rows and no row sent twice can change. The bytes of all columns are hashed, so that an empty value counts.
 */
export const printsOf = ({ name, columns }: Columns): string =>
  `SELECT
       _partition_id AS partition,
       toString(tenant_id) AS tenant,
       ${columns.includes("machine_id") ? "toString(machine_id)" : "''"} AS machine,
       count() AS rows,
       lower(hex(sum(cityHash64(formatRowNoNewline('RowBinary', ${listOf(columns)}))))) AS hash
   FROM mtc.${name} FINAL
   WHERE _partition_id >= {from:String}
   GROUP BY partition, tenant, machine
   ORDER BY partition, tenant, machine`;

/** Columns as SQL lists them. */
export const listOf = (columns: string[]): string => columns.map((name) => `\`${name}\``).join(", ");

/** How the server stands to a move. */
export type Standing = {
  /** Any table of ours has rows. */
  filled: boolean;
  /** The move that filled it and has not come to its end. */
  token: string | undefined;
};

/** Asked before anything is made there. @throws EngineError */
export async function standingOf(url: string): Promise<Standing> {
  const client = clientOf(url, LONG_REQUEST_TIMEOUT_MS);
  const ask = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: "JSONEachRow" })).json<Row>();
  try {
    const [{ rows = 0, begun = 0 } = {}] = await ask<{ rows: number; begun: number }>(
      `SELECT
           toFloat64(sumIf(total_rows, database = 'mtc' AND name != 'meta')) AS rows,
           toFloat64(countIf(database = '${BESIDE}' AND name = 'move')) AS begun
       FROM system.tables WHERE endsWith(engine, 'MergeTree')`,
    );
    const [move] = begun > 0 ? await ask<{ token: string }>(`SELECT token FROM ${BESIDE}.move`) : [];
    return { filled: rows > 0, token: move?.token };
  } catch (error) {
    fail(error);
  } finally {
    await client.close();
  }
}

/** Notes on the server which move fills it. @throws EngineError */
export async function beginOn(engine: Engine, token: string): Promise<void> {
  await engine.maintain(`CREATE DATABASE IF NOT EXISTS ${BESIDE} ENGINE = Atomic`);
  await engine.maintain(
    `CREATE TABLE IF NOT EXISTS ${BESIDE}.move ENGINE = MergeTree ORDER BY () AS SELECT {token:String} AS token`,
    { token },
  );
}

/** @throws EngineError */
export const endOn = (engine: Engine): Promise<void> =>
  engine.maintain(`DROP DATABASE IF EXISTS ${BESIDE} SYNC`);
