// Where a ClickHouse server takes events from: the Kafka topic, by a table and a view, and two behind it before the same door.
import type { Engine } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import deadLetters from "./dead-letters.sql" with { type: "text" };
import deadLettersMv from "./dead-letters-mv.sql" with { type: "text" };
import events from "./events.sql" with { type: "text" };
import eventsKafkaMv from "./events-kafka-mv.sql" with { type: "text" };
import eventsRead from "./events-read.sql" with { type: "text" };
import eventsReadMv from "./events-read-mv.sql" with { type: "text" };

export type KafkaSource = {
  brokers: string[];
  /** Left out: neither TLS nor SASL. Which authorities vouch for the brokers only the server's own files can say. */
  security?: {
    tls: boolean;
    sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
  };
  topic: string;
  group: string;
  /** Reading threads of one server; partitions over all servers are the most that have something to do. */
  consumers: number;
};

/**
 * Statements that make the source, each of which may run again. The reading view comes last, when all behind it stands.
 * @param digest of the settings, by which the table tells what it was made with
 */
export function sourceStatements(
  { brokers, topic, group, consumers, security: { tls, sasl } = { tls: false } }: KafkaSource,
  digest = "",
): string[] {
  // Settings of a table's engine cannot be bound. Those of SASL may stand there empty.
  const values: Record<string, string> = {
    "{protocol:String}": literal(`${sasl ? "sasl_" : ""}${tls ? "ssl" : "plaintext"}`),
    "{mechanism:String}": literal(sasl?.mechanism.toUpperCase() ?? ""),
    "{username:String}": literal(sasl?.username ?? ""),
    "{password:String}": literal(sasl?.password ?? ""),
    "{brokers:String}": literal(brokers.join(",")),
    "{topic:String}": literal(topic),
    "{group:String}": literal(group),
    "{consumers:UInt8}": String(consumers),
    "{digest:String}": literal(digest),
  };
  const bound = events.replaceAll(/\{\w+:\w+\}/g, (parameter) => values[parameter] ?? parameter);
  return [deadLetters, bound, eventsRead, deadLettersMv, eventsReadMv, eventsKafkaMv];
}

/** Tells a table's settings from others without telling them: a password is among them. */
const DIGEST = { algorithm: "argon2id", memoryCost: 8_192, timeCost: 2 } as const;
const isDigestOf = (comment: string, settings: string): Promise<boolean> =>
  Bun.password.verify(settings, comment).catch(() => false);

/**
 * Makes the source, or makes it anew where the door has learned of new columns since, or the settings are others.
 * Nothing is lost by that: the group's offsets are with Kafka. @throws EngineError
 */
export async function openSource(
  engine: Pick<Engine, "query" | "maintain">,
  source: KafkaSource,
): Promise<void> {
  const [is] = await engine.query<{ door: string; made: string; comment: string }>(
    `SELECT
         arrayStringConcat(groupArrayIf(concat(name, ' ', type), table = 'events_in'), ', ') AS door,
         arrayStringConcat(groupArrayIf(concat(name, ' ', type), table = 'events_kafka'), ', ') AS made,
         (SELECT any(comment) FROM system.tables WHERE database = 'mtc' AND name = 'events_kafka') AS comment
     FROM (SELECT table, name, type FROM system.columns
           WHERE database = 'mtc' AND table IN ('events_in', 'events_kafka') ORDER BY table, position)`,
    {},
  );
  const settings = sourceStatements(source).join(";\n");
  if (is?.made && (is.made !== is.door || !(await isDigestOf(is.comment, settings))))
    await closeSource(engine);
  const digest = await Bun.password.hash(settings, DIGEST);
  for (const statement of sourceStatements(source, digest)) await engine.maintain(statement);
}

/**
 * Ends the reading, and removes the source; what was read stays. The reader goes first: as long as it is there, it
 * notes as read whatever it reads, views or none. @throws EngineError
 */
export async function closeSource(engine: Pick<Engine, "maintain">): Promise<void> {
  for (const table of ["events_kafka", "events_kafka_mv", "dead_letters_mv", "events_read_mv", "events_read"])
    await engine.maintain(`DROP TABLE IF EXISTS mtc.${table} SYNC`);
}
