// Where a ClickHouse server takes events from: the Kafka topic, by a table and two views before the same door.
import type { Engine } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import deadLetters from "./dead-letters.sql" with { type: "text" };
import deadLettersMv from "./dead-letters-mv.sql" with { type: "text" };
import events from "./events.sql" with { type: "text" };
import eventsMv from "./events-mv.sql" with { type: "text" };

export type KafkaSource = {
  brokers: string[];
  topic: string;
  group: string;
  /** Reading threads of one server; partitions over all servers are the most that have something to do. */
  consumers: number;
};

/** Statements that make the source, each of which may run again. The views come last: with them reading begins. */
export function sourceStatements({ brokers, topic, group, consumers }: KafkaSource): string[] {
  // Settings of a table's engine cannot be bound.
  const bound = Object.entries({
    "{brokers:String}": literal(brokers.join(",")),
    "{topic:String}": literal(topic),
    "{group:String}": literal(group),
    "{consumers:UInt8}": String(consumers),
  }).reduce((sql, [parameter, value]) => sql.replaceAll(parameter, () => value), events);
  return [deadLetters, bound, deadLettersMv, eventsMv];
}

/**
 * Makes the source, or makes it anew where the door has learned of new columns since. Nothing is lost by that: the
 * group's offsets are with Kafka. @throws EngineError
 */
export async function openSource(
  engine: Pick<Engine, "query" | "maintain">,
  source: KafkaSource,
): Promise<void> {
  const [is] = await engine.query<{ door: string; made: string }>(
    `SELECT
         arrayStringConcat(groupArrayIf(concat(name, ' ', type), table = 'events_in'), ', ') AS door,
         arrayStringConcat(groupArrayIf(concat(name, ' ', type), table = 'events_kafka'), ', ') AS made
     FROM (SELECT table, name, type FROM system.columns
           WHERE database = 'mtc' AND table IN ('events_in', 'events_kafka') ORDER BY table, position)`,
    {},
  );
  if (is?.made && is.made !== is.door) await closeSource(engine);
  for (const statement of sourceStatements(source)) await engine.maintain(statement);
}

/** Ends the reading, and removes the source; what was read stays. @throws EngineError */
export async function closeSource(engine: Pick<Engine, "maintain">): Promise<void> {
  for (const view of ["events_kafka_mv", "dead_letters_mv", "events_kafka"])
    await engine.maintain(`DROP TABLE IF EXISTS mtc.${view} SYNC`);
}
