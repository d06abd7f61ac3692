// What is old goes when the program says so, by the time that the program gives: no table goes by the engine's clock (SPEC 14.2).
import { type Engine, isForRoom } from "../engine/engine.ts";

const DAY_MS = 86_400_000;
/** Marks of what changed are looked at within seconds. */
const TOUCHED_DAYS = 2;

/** What takes a table's TTL away. */
export const withoutTtl = (table: string): string => `ALTER TABLE mtc.${table} REMOVE TTL`;

/** Releases before gave tables a TTL with each of their starts: the engine's clock would take what a wrong one makes old. */
export const tablesWithTtl = (engine: Pick<Engine, "query">): Promise<{ name: string }[]> =>
  engine.query<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = 'mtc' AND name IN ('observations', 'touched') AND match(create_table_query, '\\\\bTTL\\\\b')`,
    {},
  );

/** So that what is old goes by the program's time alone. */
export async function removeTtls(
  engine: Pick<Engine, "query" | "maintain">,
  log: (message: string) => void,
): Promise<void> {
  try {
    for (const { name } of await tablesWithTtl(engine)) await engine.maintain(withoutTtl(name));
  } catch (error) {
    // That what is old goes as it did before is no reason to do nothing.
    if (!isForRoom(error)) throw error;
    log(`retention: goes by the engine's clock until the next start: ${error.message}`);
  }
}

/** Drops the days that are over for longer than they are kept. What is still wanted of them is in other tables. */
export async function expire(
  { query, run }: Pick<Engine, "query" | "run">,
  raw_days: number,
  now_ms: number,
): Promise<void> {
  const days = await query<{ table: string; day: string }>(
    `SELECT DISTINCT table, partition_id AS day FROM system.parts
     WHERE database = 'mtc' AND table IN ('observations', 'touched') AND active`,
    {},
  );
  for (const { table, day } of days) {
    const [, year, month, date] = /^(\d{4})(\d\d)(\d\d)$/.exec(day) ?? [];
    const over_ms = Date.UTC(Number(year), Number(month) - 1, Number(date)) + DAY_MS;
    const kept_ms = (table === "observations" ? raw_days : TOUCHED_DAYS) * DAY_MS;
    if (over_ms + kept_ms <= now_ms) await run(`ALTER TABLE mtc.${table} DROP PARTITION ID '${day}'`, {});
  }
}
